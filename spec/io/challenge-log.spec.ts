import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { TikitakaError } from '../../operators/index.js';
import { challengeLog } from '../../src/app/challenge-log.js';
import { createLogger } from '../../src/app/log.js';
import { cryptoReady } from '../../src/chain/keys.js';
import type { RunReport } from '../../src/server/index.js';
import { vectors } from '../src/server/auth-vectors.js';
import {
  answerOf,
  type CallOptions,
  call,
  chainAuth,
  challengeBody,
  manualAnswerer,
  serverBox,
  signedHeaders,
  until,
} from '../src/server/support.js';

const clip = 'https://cdn.example/a/clip.mp4';
const report: RunReport = { outcome: 'answered', text: 'HTTP/2 reused · all figures', figures: { requests: 12 } };

describe('the log of a server: one line a challenge', () => {
  const box = serverBox();
  before(cryptoReady);
  afterEach(() => box.closeAll());

  /** A real server whose runs the test drives; what it logs as text and as JSON. */
  async function begin() {
    const text: string[] = [];
    const json: string[] = [];
    const into = (lines: string[]) =>
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          lines.push(chunk.toString());
          done();
        },
      });
    const loggers = [
      createLogger({ LOG_LEVEL: 'info', LOG_FORMAT: 'text' }, into(text)),
      createLogger({ LOG_LEVEL: 'info', LOG_FORMAT: 'json' }, into(json)),
    ];
    const writers = loggers.map(challengeLog);
    const each = (level: 'debug' | 'info' | 'warn' | 'error') => (facts: object, said: string) => {
      for (const log of loggers) log[level](facts, said);
    };
    const work = manualAnswerer();
    const server = await box.start({
      answerer: work.answerer,
      auth: chainAuth(),
      log: { debug: each('debug'), info: each('info'), warn: each('warn'), error: each('error') },
      onChallenge: (record) => {
        for (const write of writers) write(record);
      },
    });
    const send = (
      url: string,
      id = 'ch-1',
      { accept = '*/*', ...more }: Pick<CallOptions, 'signal' | 'onChunk'> & { accept?: string } = {},
    ) => {
      const body = challengeBody(url, id);
      const headers = { ...signedHeaders(body), accept };
      return call(`${server.url}/soccer/challenge`, { method: 'POST', headers, body, ...more });
    };
    /** The whole log, when it has so many lines; none may follow. */
    const lines = async (count: number) => {
      await until(() => text.length >= count);
      await call(`${server.url}/livez`);
      assert.deepEqual([text.length, json.length], [count, count], text.join(''));
      return { text, facts: json.map((line) => JSON.parse(line)) };
    };
    const answer = async (url = clip, id?: string, more: Parameters<typeof answerOf>[1] = { report }) => {
      const sent = send(url, id);
      const run = work.runs.length;
      await until(() => work.runs.length > run);
      work.emit(run, answerOf(3, more));
      return sent;
    };
    return { ...work, server, send, lines, answer };
  }

  it('says who asked what, how it ended and all figures, in words and as fields', async () => {
    const { answer, lines } = await begin();
    const { bytes } = await answer(`${clip}?signature=secret#part`, '0f3c-1');
    const { text, facts } = await lines(1);
    const [line = ''] = text;
    assert.match(line, /^\d{4}-\d\d-\d\dT\S+ info {2}challenge 0f3c-1 · /);
    const parts = line.trimEnd().split(' · ');
    assert.deepEqual(parts.slice(1, 3), [vectors.validator, clip]);
    assert.match(parts[3] ?? '', /^answered in \d+\.\d\d s$/);
    assert.ok(line.includes(report.text));
    const { level, msg, challenge } = facts[0];
    assert.equal(level, 30);
    assert.ok(line.includes(msg));
    const { tookMs, sentBytes, ...rest } = challenge;
    assert.ok(Number.isInteger(tookMs) && sentBytes > bytes.length);
    assert.deepEqual(rest, {
      id: '0f3c-1',
      caller: vectors.validator,
      link: clip,
      outcome: 'answered',
      report: report.figures,
    });
  });

  it('says whose run it was: joined and kept answers tell the figures of the run that made them', async () => {
    const { send, runs, emit, lines } = await begin();
    const first = send(clip, 'one');
    await until(() => runs.length === 1);
    let streaming = false;
    const second = send(clip, 'two', { accept: 'application/x-ndjson', onChunk: () => (streaming = true) });
    emit(0, { type: 'first', read: () => '{}' });
    // A late joiner is told of the first finding too.
    await until(() => streaming);
    emit(0, answerOf(3, { report }));
    await Promise.all([first, second]);
    await send(clip, 'three');
    const { text, facts } = await lines(3);
    assert.deepEqual(facts.map(({ challenge }) => [challenge.id, challenge.shared]).sort(), [
      ['one', undefined],
      ['three', 'cached'],
      ['two', 'joined'],
    ]);
    assert.match(text[2] ?? '', /three · .* · answered, cached in \S+ s · kept answer: HTTP\/2 reused/);
  });

  const outcomes: readonly [what: string, error: TikitakaError][] = [
    ['a link that leads inside', new TikitakaError('ERR_SOURCE_REFUSED', 'Refused link: 127.0.0.1 is not public')],
    ['an origin that is silent', new TikitakaError('ERR_SOURCE_STALLED', 'Nothing came for 10000 ms')],
    [
      'too little time',
      new TikitakaError('ERR_BUDGET_EMPTY', 'the budget ended', { details: { budgetMs: 2000, reached: 'open' } }),
    ],
    ['no video', new TikitakaError('ERR_NOT_VIDEO', 'looks like a web page')],
  ];
  for (const [what, error] of outcomes) {
    it(`${what}: its code and text, no stack`, async () => {
      const { send, runs, fail, lines } = await begin();
      const sent = send(clip);
      await until(() => runs.length === 1);
      fail(0, error);
      await sent;
      const { text, facts } = await lines(1);
      assert.match(text[0] ?? '', / info {2}challenge ch-1 · /);
      assert.ok(text[0]?.includes(`${error.code} in `) && text[0].includes(`: ${error.message}`));
      assert.deepEqual(facts[0].challenge.error, { code: error.code, message: error.message, details: error.details });
      assert.doesNotMatch(JSON.stringify(facts), /at .*\.[jt]s:\d/);
    });
  }

  it('a busy server: ERR_BUSY, no stack', async () => {
    const { send, runs, emit, lines } = await begin();
    const sent = send(clip, 'first');
    await until(() => runs.length === 1);
    await send('https://cdn.example/other.mp4', 'second');
    emit(0, answerOf(1));
    await sent;
    const { text } = await lines(2);
    assert.match(text[0] ?? '', /second · .* · ERR_BUSY in \S+ s: Another challenge is being answered · .* KB sent\n$/);
  });

  it('a caller that hangs up: ERR_ABORTED', async () => {
    const { send, runs, lines } = await begin();
    const hangUp = new AbortController();
    const gone = assert.rejects(send(clip, 'ch-1', { signal: hangUp.signal }));
    await until(() => runs.length === 1);
    hangUp.abort();
    await gone;
    const { text } = await lines(1);
    assert.match(text[0] ?? '', / info .* · ERR_ABORTED in /);
  });

  it('an answer that a fault cut short is partial', async () => {
    const { answer, lines } = await begin();
    await answer(clip, 'ch-1', { report: { ...report, outcome: 'partial' } });
    const { text, facts } = await lines(1);
    assert.match(text[0] ?? '', / · partial in /);
    assert.equal(facts[0].challenge.outcome, 'partial');
  });

  it('a fault of our own: one line at level error, with its stack', async () => {
    const { send, runs, fail, lines } = await begin();
    const sent = send(clip);
    await until(() => runs.length === 1);
    fail(0, new TypeError('x is not a function'));
    assert.equal((await sent).status, 500);
    const { text, facts } = await lines(1);
    assert.match(text[0] ?? '', /^\S+ ERROR challenge ch-1 · .* ERR_INTERNAL in .*\n( {4}.*\n)+$/);
    assert.match(text[0] ?? '', /challenge-log\.spec\.ts/);
    assert.equal(facts[0].level, 50);
  });

  it('what this machine lacks: one line at level error, with the facts and without a stack', async () => {
    const { send, runs, fail, lines } = await begin();
    const sent = send(clip);
    await until(() => runs.length === 1);
    fail(0, new TikitakaError('ERR_TEMP_STORAGE', 'no room', { details: { folder: '/tmp', reason: 'ENOSPC' } }));
    assert.equal((await sent).status, 507);
    const { text } = await lines(1);
    assert.match(
      text[0] ?? '',
      /^\S+ ERROR challenge ch-1 · .* {2}ERR_TEMP_STORAGE: no room \(folder \/tmp, reason ENOSPC\)\n$/,
    );
  });

  describe('what strangers made up', () => {
    const ids: readonly [what: string, id: string][] = [
      ['breaks the line', 'a\n2026-01-01T00:00:00.000Z info  all is well'],
      ['drives the terminal', 'a\u001b[2J\u009b31m\u202e'],
      ['looks like the rest of the line', 'a · 5GoodCaller · answered in 0.01 s'],
      ['is long', 'x'.repeat(256)],
    ];
    for (const [what, id] of ids) {
      it(`an id that ${what} stays one bounded word in quotes`, async () => {
        const { answer, lines } = await begin();
        await answer(clip, id);
        const { text, facts } = await lines(1);
        const [line = ''] = text;
        assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        assert.ok(line.length < 600);
        const written = /challenge (".*?[^\\]"|\S+) · /.exec(line)?.[1] ?? '';
        assert.ok(line.includes(`${written} · ${vectors.validator} · ${clip} · answered in`), line);
        assert.equal(facts[0].challenge.id, id);
      });
    }

    for (const [what, url] of [
      ['credentials', 'https://user:secret@cdn.example/a/clip.mp4'],
      ['a query', 'https://cdn.example/a/clip.mp4?X-Amz-Signature=secret'],
      ['both, and is no URL', 'https://user:secret@cdn.example:99999/a?key=secret'],
      ['no host', 'user:secret@cdn.example/a/clip.mp4'],
      ['control characters', 'https://cdn.example/\u001b[2J\u202e?secret'],
    ] as const) {
      it(`a link with ${what} is logged without them`, async () => {
        const { answer, lines } = await begin();
        await answer(url);
        const { text, facts } = await lines(1);
        const all = text.join('') + JSON.stringify(facts);
        for (const left of ['secret', '\u001b', '\u202e']) assert.ok(!all.includes(left), left);
      });
    }
  });

  it('says nothing of who was not let in', async () => {
    const { server, lines } = await begin();
    await call(`${server.url}/soccer/challenge`, { method: 'POST', body: challengeBody(clip) });
    const { text } = await lines(1);
    assert.match(text[0] ?? '', /requests refused/);
  });

  it('goes on where the one who is told throws', async () => {
    const { answerer, runs, emit } = manualAnswerer();
    const server = await box.start({
      answerer,
      onChallenge: () => {
        throw new Error('no');
      },
    });
    for (const [run, url] of [clip, `${clip}2`].entries()) {
      const sent = call(`${server.url}/soccer/challenge`, { method: 'POST', body: challengeBody(url) });
      await until(() => runs.length > run);
      emit(run, answerOf(1));
      assert.equal((await sent).status, 200);
    }
  });
});
