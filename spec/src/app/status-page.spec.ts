import assert from 'node:assert/strict';
import { createHistory, type StatusFacts, statusPage } from '../../../src/app/status-page.js';
import { createTimeline } from '../../../src/challenge/timeline.js';

const report = {
  stoppedBy: 'end',
  frames: { total: 750, answered: 750, measured: 30, tracked: 0, interpolated: 720, held: 0 },
  firstTouchMs: 300,
  totalMs: 1234,
  bytesRead: 5_000_000,
  sizeBytes: 15_000_000,
  requests: 12,
  httpVersion: '2',
  connectionReused: true,
  decoder: 'libav h264',
  device: 'cpu',
  strategy: '<keyframes>',
} as const;
const facts: StatusFacts = {
  version: '1.2.3',
  available: false,
  activeRuns: 1,
  readiness: { ready: true, checks: { chain: { ok: true, detail: '12 s old' }, models: { ok: false } } },
  models: ['tikitaka-768x448 runs on cpu'],
  challenges: [],
  refusals: [],
};

function finished() {
  const timeline = createTimeline({ now: () => 0 });
  timeline.begin('decode')();
  return { report, timeline };
}

describe('status page', () => {
  it('says the state, what the models run on and the versions', () => {
    const html = statusPage(facts);
    for (const text of [
      '<td>no',
      '<td>ok 12 s old',
      '<td>FAILS',
      'runs on cpu',
      '1.2.3',
      process.version,
      'None yet',
      'Nobody',
    ]) {
      assert.ok(html.includes(text), text);
    }
  });

  it('loads nothing from elsewhere and runs nothing', () => {
    assert.doesNotMatch(statusPage(facts), /<script|https?:|\ssrc=|\son\w+=/);
  });

  it('shows who was turned away and why, texts escaped', () => {
    const last = { target: 'POST /<b>', from: '203.0.113.5', hotkey: '5DtDLm…D9Fi' };
    const refusals = [{ reason: 'ERR_UNAUTHENTICATED (nonce)', times: 12, lastAtMs: 1000, last }];
    const row =
      '<td>ERR_UNAUTHENTICATED (nonce)<td>12<td>1970-01-01T00:00:01.000Z<td>5DtDLm…D9Fi<td>203.0.113.5<td>POST /&lt;b&gt;';
    assert.ok(statusPage({ ...facts, refusals }).includes(row));
  });

  it('shows the last challenges with their waterfalls, latest first, texts escaped', () => {
    let nowMs = 0;
    const history = createHistory({ limit: 2, now: () => nowMs });
    for (nowMs of [0, 1000, 2000]) history.note(finished());
    const html = statusPage({ ...facts, challenges: history.challenges });
    assert.deepEqual(
      [...html.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, at]) => at),
      ['1970-01-01T00:00:02.000Z', '1970-01-01T00:00:01.000Z'],
    );
    assert.match(html, /750\/750 frames \(30 measured, 720 interpolated\) · &lt;keyframes&gt;/);
    assert.match(html, /<pre>decode/);
  });
});
