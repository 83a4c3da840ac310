import assert from 'node:assert/strict';
import { createSilence, stallIn } from '../../../src/net/silence.js';

/** Chunks that come when the test says so. */
function source() {
  const waiting: { resolve: (result: IteratorResult<string>) => void; reject: (error: Error) => void }[] = [];
  const chunks: AsyncGenerator<string> = {
    next: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
    return: async () => ({ done: true, value: undefined }),
    throw: async () => assert.fail(),
    [Symbol.asyncIterator]: () => chunks,
    async [Symbol.asyncDispose]() {},
  };
  return {
    chunks,
    come: () => waiting.shift()?.resolve({ done: false, value: 'x' }),
    fail: () => waiting.shift()?.reject(new Error('gone')),
  };
}

describe('createSilence', () => {
  const begin = () => {
    let nowMs = 0;
    const silence = createSilence(() => nowMs);
    return {
      silence,
      at: (ms: number) => {
        nowMs = ms;
      },
    };
  };

  it('counts while a chunk is waited for, also the silence that lasts', async () => {
    const { silence, at } = begin();
    const { chunks, come } = source();
    const heard = silence.listen(chunks);
    const first = heard.next();
    at(30);
    assert.equal(silence.longestMs, 30);
    come();
    await first;
    at(100);
    assert.equal(silence.longestMs, 30, 'nobody asks for more');
    const second = heard.next();
    at(120);
    come();
    await second;
    assert.equal(silence.longestMs, 30);
  });

  it('is broken by whatever comes to any reader', async () => {
    const { silence, at } = begin();
    const [slow, quick] = [source(), source()];
    const waiting = silence.listen(slow.chunks).next();
    const flowing = silence.listen(quick.chunks);
    for (const ms of [10, 20, 30]) {
      const next = flowing.next();
      at(ms);
      quick.come();
      await next;
    }
    assert.equal(silence.longestMs, 10);
    slow.come();
    await waiting;
  });

  it('is not broken by a failure', async () => {
    const { silence, at } = begin();
    const [first, second] = [source(), source()];
    const failing = silence.listen(first.chunks).next();
    const waiting = silence.listen(second.chunks).next();
    at(40);
    first.fail();
    await assert.rejects(failing);
    at(60);
    assert.equal(silence.longestMs, 60);
    second.come();
    await waiting;
  });

  it('lets go of the source with its reader', async () => {
    let returned = false;
    async function* chunks() {
      try {
        yield 1;
        yield 2;
      } finally {
        returned = true;
      }
    }
    for await (const chunk of begin().silence.listen(chunks())) {
      assert.equal(chunk, 1);
      break;
    }
    assert.ok(returned);
  });
});

describe('stallIn', () => {
  const rows: readonly [why: string, silentMs: number, firstByteMs: number, elapsedMs: number, stalled: boolean][] = [
    ['most of a short budget', 700, 20, 1_000, true],
    ['less than a lost packet takes', 249, 20, 500, false],
    ['a small share of a long run', 400, 20, 2_000, false],
    ['a quarter of it', 500, 20, 2_000, true],
    ['an origin that is that far away', 500, 200, 1_000, false],
  ];
  for (const [why, longestSilenceMs, firstByteMs, elapsedMs, stalled] of rows) {
    it(`${stalled ? 'is' : 'is not'} ${why}`, () => {
      assert.equal(
        stallIn({ longestSilenceMs, firstByteMs, elapsedMs })?.code,
        stalled ? 'ERR_SOURCE_STALLED' : undefined,
      );
    });
  }
});
