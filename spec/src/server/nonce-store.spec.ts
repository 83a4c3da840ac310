import assert from 'node:assert/strict';
import { createNonceStore } from '../../../src/server/nonce-store.js';

const baseMs = 1_755_187_091_123;
const nonceAt = (ms: number, tail = '_Ab3dE5gH7j') => `${BigInt(ms) * 1_000_000n}${tail}`;

function storeAt(maxEntries?: number) {
  let nowMs = baseMs;
  const store = createNonceStore({ now: () => nowMs, ...(maxEntries === undefined ? {} : { maxEntries }) });
  return {
    store,
    at: (offsetMs: number) => {
      nowMs = baseMs + offsetMs;
    },
  };
}

describe('createNonceStore', () => {
  const rows = [
    [nonceAt(baseMs), true, 'now'],
    [nonceAt(baseMs - 120_000), true, 'as old as allowed'],
    [`${BigInt(baseMs - 120_000) * 1_000_000n - 1n}_x`, false, 'one nanosecond older'],
    [nonceAt(baseMs + 120_000), true, 'as far ahead as allowed'],
    [`${BigInt(baseMs + 120_000) * 1_000_000n + 1n}_x`, false, 'one nanosecond further'],
    [nonceAt(baseMs, ''), true, 'no random part'],
    [nonceAt(baseMs, '_a_b'), true, 'the stamp ends at the first underscore'],
    [nonceAt(baseMs, 'x'), false, 'something else behind the digits'],
    [`${nonceAt(baseMs)}\n`, false, 'a line break'],
    [` ${nonceAt(baseMs)}`, false, 'a space'],
    [`-${nonceAt(baseMs)}`, false, 'a sign'],
    [`0x${(BigInt(baseMs) * 1_000_000n).toString(16)}`, false, 'hex'],
    ['99999999999999999999_x', false, 'the largest integer allowed, but far ahead'],
    ['100000000000000000000_x', false, '10^20 has too many digits'],
    [nonceAt(baseMs, `_${'a'.repeat(44)}`), true, '64 characters'],
    [nonceAt(baseMs, `_${'a'.repeat(45)}`), false, '65 characters'],
    ['', false, 'nothing'],
    ['nan_x', false, 'no number'],
  ] as const;
  for (const [nonce, valid, reason] of rows) {
    it(`${valid ? 'accepts' : 'refuses'} ${reason}`, () => {
      const { store } = storeAt();
      assert.equal(store.accepts(nonce), valid);
      assert.equal(store.use(nonce), valid ? 'used' : 'invalid');
    });
  }

  it('takes a nonce once, however often it is looked at before', () => {
    const { store } = storeAt();
    for (let i = 0; i < 5; i++) assert.equal(store.accepts(nonceAt(baseMs)), true);
    assert.equal(store.use(nonceAt(baseMs)), 'used');
    assert.equal(store.accepts(nonceAt(baseMs)), false);
    assert.equal(store.use(nonceAt(baseMs)), 'invalid');
  });

  it('never accepts a used nonce again, whenever it is tried', () => {
    for (const stampedMs of [-120_000, -60_000, 0, 60_000, 120_000]) {
      const { store, at } = storeAt();
      assert.equal(store.use(nonceAt(baseMs + stampedMs)), 'used');
      for (let later = 0; later <= 400_000; later += 5_000) {
        at(later);
        // Traffic makes the store sweep; the used one must survive as long as it could pass.
        store.use(nonceAt(baseMs + later, `_${later}`));
        assert.equal(store.use(nonceAt(baseMs + stampedMs)), 'invalid', `${stampedMs} at ${later}`);
      }
    }
  });

  it('forgets what can no longer be accepted', () => {
    const { store, at } = storeAt();
    for (let i = 0; i < 1000; i++) store.use(nonceAt(baseMs, `_${i}`));
    at(120_001);
    store.use(nonceAt(baseMs + 120_001));
    assert.equal(store.size, 1);
  });

  it('is full at its bound, and has room again when the oldest are out of the window', () => {
    const { store, at } = storeAt(2);
    assert.equal(store.use(nonceAt(baseMs, '_1')), 'used');
    assert.equal(store.use(nonceAt(baseMs, '_2')), 'used');
    assert.equal(store.use(nonceAt(baseMs, '_3')), 'full');
    assert.equal(store.size, 2);
    at(120_001);
    assert.equal(store.use(nonceAt(baseMs + 120_001)), 'used');
  });

  it('rejects a bound below one', () => {
    assert.throws(() => createNonceStore({ maxEntries: 0 }), { code: 'ERR_OPTION' });
  });
});
