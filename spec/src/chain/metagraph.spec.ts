import assert from 'node:assert/strict';
import {
  decodeNeuronsLite,
  decodeSelective,
  neuronsLiteParams,
  selectiveParams,
} from '../../../src/chain/metagraph.js';
import { vectors } from '../server/auth-vectors.js';
import { neuronsLiteHex, selectiveHex } from './metagraph-vectors.js';

const hex = (text: string) => Buffer.from(text, 'hex');

describe('metagraph', () => {
  it('asks as docs/protocol.md §4 says', () => {
    assert.equal(Buffer.from(selectiveParams(44)).toString('hex'), '2c001c0000340037003900430044004500');
    assert.equal(Buffer.from(neuronsLiteParams(300)).toString('hex'), '2c01');
  });

  it('decodes the selective metagraph of docs/protocol.md §6', () => {
    assert.deepEqual(decodeSelective(hex(selectiveHex), 44), [
      {
        uid: 0,
        hotkey: vectors.validator,
        taoStake: 20_000,
        alphaStake: 5_000,
        totalStake: 6053.539487743,
        validatorPermit: false,
        axon: undefined,
      },
    ]);
  });

  const lite = {
    uid: 0,
    hotkey: vectors.validator,
    taoStake: 5_000,
    alphaStake: 5_000,
    totalStake: 5_000,
    validatorPermit: true,
    axon: { ip: '203.0.113.1', port: 7999 },
  };
  it('decodes the neurons of docs/protocol.md §6', () => {
    assert.deepEqual(decodeNeuronsLite(hex(neuronsLiteHex), 44), [lite]);
  });
  it('decodes the same as bytes inside Vec<u8>, as at spec 219', () => {
    const inner = hex(neuronsLiteHex);
    const length = Buffer.alloc(2);
    length.writeUInt16LE((inner.length << 2) | 1);
    assert.deepEqual(decodeNeuronsLite(Buffer.concat([length, inner]), 44), [lite]);
  });
  it('takes fields that a later runtime appends, as long as they are absent', () => {
    assert.equal(decodeSelective(hex(`${selectiveHex}000000`), 44).length, 1);
    assert.throws(() => decodeSelective(hex(`${selectiveHex}01`), 44), { code: 'ERR_CHAIN_ANSWER' });
  });

  it('tells an unknown subnet from garbage', () => {
    assert.throws(() => decodeSelective(hex('00'), 44), { code: 'ERR_CHAIN_NETUID' });
    assert.throws(() => decodeSelective(hex(selectiveHex), 45), { code: 'ERR_CHAIN_ANSWER' });
    assert.throws(() => decodeNeuronsLite(hex(neuronsLiteHex), 45), { code: 'ERR_CHAIN_ANSWER' });
  });
  it('refuses every truncation, with the right code', () => {
    const cases = [
      [selectiveHex, decodeSelective],
      [neuronsLiteHex, decodeNeuronsLite],
    ] as const;
    for (const [text, decode] of cases) {
      const whole = hex(text);
      // Behind the last wanted column of the selective form only absent fields follow, and those may be fewer.
      const needed = decode === decodeSelective ? whole.length - 4 : whole.length;
      for (let length = 0; length < needed; length++) {
        assert.throws(() => decode(whole.subarray(0, length), 44), { code: /^ERR_CHAIN_/ }, `${length}`);
      }
    }
  });
  it('does not reserve memory for a length that cannot be', () => {
    assert.throws(() => decodeNeuronsLite(hex('feffffff00'), 44), { code: 'ERR_CHAIN_ANSWER' });
  });
});
