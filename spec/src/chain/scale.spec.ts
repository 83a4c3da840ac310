import assert from 'node:assert/strict';
import { TypeRegistry } from '@polkadot/types';
import fc from 'fast-check';
import { scaleReader } from '../../../src/chain/scale.js';

const registry = new TypeRegistry();
const garbled = { code: 'ERR_CHAIN_ANSWER' };

describe('scaleReader', () => {
  it('agrees with polkadot.js on compact integers', () => {
    const edges = [
      0n,
      63n,
      64n,
      16_383n,
      16_384n,
      (1n << 30n) - 1n,
      1n << 30n,
      (1n << 64n) - 1n,
      1n << 64n,
      (1n << 128n) - 1n,
    ];
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...edges), fc.bigInt(0n, (1n << 128n) - 1n)), (value) => {
        const reader = scaleReader(registry.createType('Compact<u128>', value).toU8a());
        assert.equal(reader.compact(), value);
        reader.end();
      }),
    );
  });
  it('agrees with polkadot.js on integers and lists', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(0n, (1n << 64n) - 1n), { maxLength: 100 }), (values) => {
        const reader = scaleReader(registry.createType('Vec<u64>', values).toU8a());
        assert.deepEqual(
          reader.list(() => reader.uint(8)),
          values,
        );
        reader.end();
      }),
    );
  });

  const rows = [
    ['0100', 'compact', 'zero in two bytes'],
    ['02000000', 'compact', 'zero in four bytes'],
    ['0300000000', 'compact', 'zero in five bytes'],
    ['07ffffffff00', 'compact', 'a leading zero byte'],
    ['01', 'compact', 'cut short'],
    ['', 'compact', 'nothing'],
    ['02', 'bool', 'neither true nor false'],
  ] as const;
  for (const [hex, read, reason] of rows) {
    it(`refuses as ${read}: ${reason}`, () => {
      assert.throws(() => scaleReader(Buffer.from(hex, 'hex'))[read](), garbled);
    });
  }
  it('refuses what is left over, and lists that cannot fit', () => {
    assert.throws(() => scaleReader(Uint8Array.of(0)).end(), garbled);
    const reader = scaleReader(Buffer.from('feffffff', 'hex'));
    assert.throws(() => reader.list(() => reader.uint(1)), garbled);
  });
});
