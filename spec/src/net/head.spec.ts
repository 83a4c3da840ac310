import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createHead } from '../../../src/net/head.js';
import { collect } from '../../support/bytes.js';

/** A source whose chunks the test hands over one by one. */
function handedOver() {
  const waiting: { resolve(result: IteratorResult<Uint8Array>): void; reject(error: unknown): void }[] = [];
  let asked = 0;
  const next = () =>
    new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      asked += 1;
      waiting.push({ resolve, reject });
    });
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const { done, value } = await next();
      if (done) return;
      yield value;
    }
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    chunks: chunks(),
    asked: () => asked,
    async give(...bytes: number[]) {
      await turn();
      waiting.shift()?.resolve({ done: false, value: Uint8Array.from(bytes) });
      await turn();
    },
    async end() {
      await turn();
      waiting.shift()?.resolve({ done: true, value: undefined });
      await turn();
    },
    async fail(error: unknown) {
      waiting.shift()?.reject(error);
      await turn();
    },
  };
}

describe('head', () => {
  const never = new AbortController().signal;

  it('serves many readers of any range from one filling, as the bytes arrive', async () => {
    const source = handedOver();
    const head = createHead(6, source.chunks);
    const { signal } = new AbortController();
    const whole = collect(head.read(0, 6, signal));
    const late = collect(head.read(4, 6, never));
    const early = head.read(1, 6, never);
    await source.give(1, 2, 3);
    assert.deepEqual([...((await early.next()).value ?? [])], [2, 3]);
    await source.give(4, 5, 6);
    assert.deepEqual([...(await whole)], [1, 2, 3, 4, 5, 6]);
    assert.equal(getEventListeners(signal, 'abort').length, 0, 'each wait lets go of the signal');
    assert.deepEqual([...(await late)], [5, 6]);
    assert.deepEqual([...(await collect(head.read(2, 4, never)))], [3, 4]);
  });

  it('stops asking with the first chunk that does not fit, and passes it on', async () => {
    const source = handedOver();
    const head = createHead(4, source.chunks);
    await source.give(1, 2, 3);
    await source.give(4, 5, 6);
    assert.equal(source.asked(), 2, 'no third');
    await head.settled;
    const rest = collect(head.rest());
    await source.give(7);
    await source.end();
    assert.deepEqual([...(await rest)], [5, 6, 7]);
  });

  it('ends its readers early where the source ends early', async () => {
    const source = handedOver();
    const head = createHead(4, source.chunks);
    const reading = collect(head.read(0, 4, never));
    await source.give(1);
    await source.end();
    assert.deepEqual([...(await reading)], [1]);
    assert.deepEqual([...(await collect(head.read(2, 4, never)))], []);
  });

  it('hands an error to whoever needs the bytes that are missing, and to nobody else', async () => {
    const source = handedOver();
    const head = createHead(4, source.chunks);
    await source.give(1, 2);
    await source.fail(new RangeError('broken'));
    assert.deepEqual([...(await collect(head.read(0, 2, never)))], [1, 2]);
    await assert.rejects(collect(head.read(0, 3, never)), RangeError);
    await assert.rejects(collect(head.rest()), RangeError);
  });

  it('lets a waiting reader go when its signal fires', async () => {
    const source = handedOver();
    const head = createHead(4, source.chunks);
    const leaving = new AbortController();
    const reading = collect(head.read(0, 4, leaving.signal));
    leaving.abort();
    await assert.rejects(reading, { code: 'ERR_ABORTED' });
    await assert.rejects(collect(head.read(0, 4, leaving.signal)), { code: 'ERR_ABORTED' });
  });
});
