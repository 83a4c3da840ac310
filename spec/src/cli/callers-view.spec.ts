import assert from 'node:assert/strict';
import { answerLines, claimLines, exchangeLines } from '../../../src/cli/callers-view.js';
import { explainRefusal, type Refusal } from '../../../src/cli/explain-refusal.js';
import { playFootball } from '../questions/football/football.js';

const { truth } = playFootball({ frameCount: 80 });
const { frames } = truth;
const none = { frame_number: 79, keypoints: [], objects: [] };

describe("the caller's view", () => {
  const views: readonly (readonly [why: string, view: Partial<Parameters<typeof answerLines>[0]>, said: RegExp])[] = [
    [
      'all frames, without a truth',
      {},
      /^frames +80 of 80 \(up to the last one answered\), 0 of them empty\nscore +1\.000 at most/,
    ],
    [
      'the score against the truth',
      { truth },
      /^frames +80 of 80, 0 of them empty\nscore +0\.9\d\d estimated: quality 0\.9\d\d, speed 1\.000 at 2 s as if none were faster/,
    ],
    ['a faster server', { truth, fastestS: 1 }, /, speed 0\.7\d\d at 2 s, the fastest at 1 s\n/],
    [
      'missing frames',
      { truth, answer: { frames: frames.slice(0, 20) } },
      /^frames +20 of 80,.*\n(?:.*\n)+ +another clip\? the answer has 20/,
    ],
    [
      'frames without key points',
      { answer: { frames: [...frames.slice(0, 79), none] } },
      /, 1 of them empty\n +1 without 32 key points/,
    ],
    ['no frame at all', { answer: { frames: [] } }, /^frames +0 of 0/],
  ];
  for (const [why, view, said] of views) {
    it(`tells ${why}`, () => {
      const lines = answerLines({ answer: { frames }, timeS: 2, truth: undefined, fastestS: undefined, ...view });
      assert.match(lines.join('\n'), said);
    });
  }

  const claims: readonly (readonly [answer: unknown, said: readonly string[]])[] = [
    [{ frames: [] }, []],
    [
      { processing_time: 1.5, measured_frames: 34, stopped_by: 'budget', cached: false },
      ['of itself   1.500 s, 34 frames measured, stopped by budget'],
    ],
    [
      { processing_time: 0.01, stopped_by: 'end', cached: true },
      ['of itself   0.010 s, kept from an earlier challenge'],
    ],
    [{ processing_time: 'soon' }, []],
    [null, []],
  ];
  for (const [answer, said] of claims) {
    it(`of ${JSON.stringify(answer)} tells what it says of itself`, () => assert.deepEqual(claimLines(answer), said));
  }

  it('tells packed and unpacked bytes, and what callers make of a status', () => {
    const exchange = { firstByteMs: 1234.5, totalMs: 2000, wireBytes: 1000, body: Buffer.alloc(4000) };
    const packed = exchangeLines({ ...exchange, status: 200, headers: { 'content-encoding': 'gzip' } });
    assert.deepEqual(packed, [
      'status      200',
      'first byte  1.234 s',
      'total       2.000 s',
      'bytes       1,000 gzip, 4,000 unpacked',
    ]);
    assert.match(
      exchangeLines({ ...exchange, status: 302, headers: {} })[0] ?? '',
      /^status +302: callers count it as a failure/,
    );
  });
});

describe('explainRefusal', () => {
  const plain: Refusal = { status: 400, detail: '', caller: '5C', addressed: '5A', clockOffS: 0 };
  const rows: readonly (readonly [why: string, refusal: Partial<Refusal>, said: RegExp])[] = [
    [
      'a clock that is behind',
      { status: 401, detail: 'Oi, that nonce is not valid!', clockOffS: -300 },
      /the server's is 300 s behind/,
    ],
    [
      'a clock that is ahead',
      { status: 401, detail: 'Oi, that nonce is not valid!', clockOffS: 200.4 },
      /the server's is 200 s ahead/,
    ],
    [
      'a nonce though the clocks agree',
      { status: 401, detail: 'Oi, that nonce is not valid!', clockOffS: -0.9 },
      /used before/,
    ],
    [
      'a nonce of a server without a clock',
      { status: 401, detail: 'Oi, that nonce is not valid!', clockOffS: undefined },
      /used before/,
    ],
    ['a signature', { status: 401, detail: "Oi, invalid signature, you're not who you said you were!" }, /another key/],
    ['little stake', { status: 403, detail: 'Insufficient stake of 5.0 - minimum is 1000  ' }, /MIN_STAKE_THRESHOLD/],
    ['a busy server', { status: 503, code: 'ERR_BUSY', detail: '' }, /MAX_CONCURRENT_CHALLENGES/],
    ['no view of the chain', { status: 503, code: 'ERR_CHAIN_UNAVAILABLE', detail: '' }, /no view of the metagraph/],
    ['nothing within the budget', { status: 504, code: 'ERR_BUDGET_EMPTY', detail: '' }, /PREWARM_ORIGINS/],
    ['a link', { code: 'ERR_SOURCE_CONNECT', detail: '' }, /tikitaka diagnose/],
    ['another method', { status: 405, detail: 'Method Not Allowed' }, /no such route/],
    ['a redirect', { status: 301, detail: '' }, /do not follow/],
    ['a signed request that lacks a header', { status: 422, detail: '[]' }, /^$/],
    ['what nobody knows', { status: 500, detail: 'Internal Server Error' }, /^$/],
  ];
  for (const [why, refusal, said] of rows) {
    it(`explains ${why}`, () => assert.match(explainRefusal({ ...plain, ...refusal }), said));
  }
});
