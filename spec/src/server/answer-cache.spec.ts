import assert from 'node:assert/strict';
import { createAnswerCache } from '../../../src/server/answer-cache.js';
import { createWireAnswer } from '../../../src/server/wire-answer.js';

/** Large beside what an entry holds besides its answer. */
const UNIT = 10_000;
/** An answer that counts a little less than `size` units. */
const answer = (size: number) => createWireAnswer({ tail: Buffer.alloc((size * UNIT) / 2 - 1200) });

function begin(options: { ttlMs?: number; maxBytes?: number } = {}) {
  let nowMs = 0;
  const cache = createAnswerCache({ ttlMs: 100, maxBytes: 100 * UNIT, now: () => nowMs, ...options });
  const keys = (...names: string[]) => names.filter((name) => cache.get(name));
  return {
    cache,
    keys,
    at: (ms: number) => {
      nowMs = ms;
    },
  };
}

describe('createAnswerCache', () => {
  it('keeps an answer until its time is over', () => {
    const { cache, at } = begin();
    const kept = answer(1);
    cache.put('a', kept);
    at(99);
    assert.equal(cache.get('a'), kept);
    at(100);
    assert.equal(cache.get('a'), undefined);
  });
  it('drops what was used longest ago when space is short', () => {
    const { cache, keys } = begin();
    for (const name of ['a', 'b', 'c']) cache.put(name, answer(30));
    cache.get('a');
    cache.put('d', answer(30));
    assert.deepEqual(keys('a', 'b', 'c', 'd'), ['a', 'c', 'd']);
  });
  it('counts a replaced, an expired and a deleted answer no more', () => {
    const { cache, keys, at } = begin();
    cache.put('a', answer(60));
    cache.put('a', answer(50));
    cache.put('b', answer(50));
    assert.deepEqual(keys('a', 'b'), ['a', 'b']);
    cache.delete('a');
    cache.delete('a');
    cache.put('c', answer(50));
    assert.deepEqual(keys('b', 'c'), ['b', 'c']);
    at(1000);
    assert.deepEqual(keys('b', 'c'), []);
    cache.put('d', answer(100));
    assert.deepEqual(keys('d'), ['d']);
  });
  it('counts URLs and entries too: many small answers stay within the bound', () => {
    const { cache, keys } = begin({ maxBytes: 100_000 });
    const urls = Array.from({ length: 100 }, (_, i) => `https://cdn.example/${i}?${'x'.repeat(8_000)}`);
    for (const url of urls) cache.put(url, createWireAnswer({ tail: Buffer.alloc(1) }));
    assert.deepEqual(keys(...urls), urls.slice(-5));
  });
  it('does not keep what is larger than all its space, nor anything without time', () => {
    const { cache, keys } = begin();
    cache.put('small', answer(10));
    cache.put('large', answer(101));
    assert.deepEqual(keys('small', 'large'), ['small']);
    const off = begin({ ttlMs: 0 });
    off.cache.put('a', answer(1));
    assert.deepEqual(off.keys('a'), []);
  });
});
