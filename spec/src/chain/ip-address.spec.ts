import assert from 'node:assert/strict';
import { formatIp, parseIp } from '../../../src/chain/ip-address.js';

describe('parseIp and formatIp', () => {
  const rows = [
    ['203.0.113.0', 4, 0xcb007100n, '203.0.113.0', 'the vector of docs/protocol.md §5'],
    ['0.0.0.1', 4, 1n, '0.0.0.1', 'the development marker'],
    ['255.255.255.255', 4, 0xffffffffn, '255.255.255.255', 'the largest'],
    ['2001:db8::1', 6, 0x20010db8000000000000000000000001n, '2001:db8::1', 'shortened'],
    ['2001:0DB8:0:0:0:0:0:1', 6, 0x20010db8000000000000000000000001n, '2001:db8::1', 'in full'],
    ['::', 6, 0n, '::', 'none'],
    ['::ffff:1.2.3.4', 6, 0xffff01020304n, '::ffff:102:304', 'with an IPv4 tail'],
    ['1:2:3:4:5:6:7:8', 6, 0x00010002000300040005000600070008n, '1:2:3:4:5:6:7:8', 'no gap'],
  ] as const;
  for (const [text, version, value, back, reason] of rows) {
    it(`${text}: ${reason}`, () => {
      assert.deepEqual(parseIp(text), { version, value });
      assert.equal(formatIp({ version, value }), back);
    });
  }
  for (const text of ['', 'x', '1.2.3', '1.2.3.256', '01.2.3.4', 'fe80::1%eth0', '[::1]', '1.2.3.4:80']) {
    it(`refuses "${text}"`, () => assert.throws(() => parseIp(text), { code: 'ERR_OPTION' }));
  }
});
