import assert from 'node:assert/strict';
import { createTimeline, toChromeTrace, waterfall } from '../../../src/challenge/timeline.js';

function clocked() {
  const clock = { ms: 1000 };
  const timeline = createTimeline({ now: () => clock.ms, startedAtMs: 900, maxSpans: 3 });
  const span = (stage: 'fetch' | 'infer', from: number, to: number) => {
    clock.ms = 900 + from;
    const end = timeline.begin(stage, { frames: 2 });
    clock.ms = 900 + to;
    end({ more: true });
    return end;
  };
  return { clock, timeline, span };
}

describe('timeline', () => {
  it('counts from the request, not from its own start', () => {
    assert.equal(clocked().timeline.elapsedMs(), 100);
  });

  it('keeps what begin and end said, and closes a span once', () => {
    const { timeline, span } = clocked();
    const end = span('infer', 10, 30);
    end();
    assert.deepEqual(timeline.spans, [{ stage: 'infer', startMs: 10, endMs: 30, facts: { frames: 2, more: true } }]);
  });

  it('is bounded, and says what it dropped', () => {
    const { timeline, span } = clocked();
    for (let i = 0; i < 5; i++) span('infer', i, i + 1);
    assert.equal(timeline.spans.length, 3);
    assert.equal(timeline.droppedSpans, 2);
  });

  it('keeps the first moment of a mark', () => {
    const { clock, timeline } = clocked();
    timeline.mark('first-frame');
    clock.ms += 50;
    timeline.mark('first-frame');
    assert.equal(timeline.marks.get('first-frame'), 100);
  });

  it('sums a stage up: overlapping spans count twice in busy time', () => {
    const { timeline, span } = clocked();
    span('infer', 10, 30);
    span('infer', 20, 40);
    span('fetch', 0, 5);
    assert.deepEqual(timeline.summary(), [
      { stage: 'fetch', firstMs: 0, lastMs: 5, busyMs: 5, count: 1 },
      { stage: 'infer', firstMs: 10, lastMs: 40, busyMs: 40, count: 2 },
    ]);
  });

  it('gives a Chrome trace in µs with a named row per stage', () => {
    const { timeline, span } = clocked();
    span('infer', 10, 30);
    timeline.mark('first-finding');
    assert.deepEqual(toChromeTrace(timeline).traceEvents, [
      { name: 'thread_name', ph: 'M', pid: 1, tid: 1, args: { name: 'infer' } },
      { name: 'infer', cat: 'stage', ph: 'X', pid: 1, tid: 1, ts: 10000, dur: 20000, args: { frames: 2, more: true } },
      { name: 'first-finding', ph: 'i', s: 'p', pid: 1, tid: 0, ts: 30000 },
    ]);
  });

  it('draws a waterfall that fits its columns', () => {
    const { timeline, span } = clocked();
    span('fetch', 0, 5);
    span('infer', 10, 3000);
    const lines = waterfall(timeline, 96).split('\n');
    assert.equal(lines.length, 2);
    assert.ok(
      lines.every((line) => line.length <= 96),
      lines.join('\n'),
    );
  });
});
