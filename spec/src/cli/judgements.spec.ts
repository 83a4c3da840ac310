import assert from 'node:assert/strict';
import { judgeClock, judgePlace, judgeTuning, tuningKeys } from '../../../src/cli/judgements.js';

describe('judgeClock', () => {
  const rows: readonly (readonly [blockAgeS: number, isSyncing: boolean, status: string, text: RegExp, why: string])[] =
    [
      [6, false, 'ok', /6 s ago/, 'half-way between two blocks'],
      [45, false, 'ok', /45 s ago/, 'blocks left out'],
      [-5, false, 'ok', /5 s in the future/, 'a maker of blocks ahead of us'],
      [-40, false, 'fail', /40 s in the future/, 'our clock is behind'],
      [-40, true, 'fail', /40 s in the future/, 'our clock is behind, whatever the node does'],
      [300, false, 'fail', /300 s ago/, 'our clock is ahead'],
      [300, true, 'warn', /not checked: .*the node is behind/, 'an old block of a node that catches up says nothing'],
    ];
  for (const [blockAgeS, isSyncing, status, text, why] of rows) {
    it(`${blockAgeS} s${isSyncing ? ', syncing' : ''}: ${status} (${why})`, () => {
      const finding = judgeClock({ nowMs: 1e12, blockAtMs: 1e12 - blockAgeS * 1000, isSyncing });
      assert.equal(finding.status, status);
      assert.match(finding.text, text);
      assert.equal(finding.mend !== undefined, status === 'fail');
    });
  }
});

describe('judgePlace', () => {
  const neuron = { uid: 1, taoStake: 0, alphaStake: 1, totalStake: 1, validatorPermit: false };
  const at = (port: number) => ({ ip: '203.0.113.1', port });
  const rows = [
    ['me', at(7999), 'ok', /callers are sent to 203\.0\.113\.1:7999$/, 'registered with this port'],
    ['me', at(80), 'warn', /203\.0\.113\.1:80, PORT is 7999/, 'another port: perhaps forwarded'],
    ['me', undefined, 'warn', /the chain knows no address/, 'registered, never told where it is'],
    ['another', at(7999), 'warn', /me is not registered in subnet 44/, 'not registered'],
  ] as const;
  for (const [hotkey, axon, status, text, why] of rows) {
    it(`${status}: ${why}`, () => {
      const snapshot = { netuid: 44, neurons: [{ ...neuron, hotkey, axon }] };
      const finding = judgePlace({ snapshot, address: 'me', port: 7999 });
      assert.equal(finding.status, status);
      assert.match(finding.text, text);
    });
  }
});

describe('judgeTuning', () => {
  const rows: readonly (readonly [key: string, value: string | undefined, mend: string | undefined])[] = [
    ['net.ipv4.tcp_congestion_control', 'bbr\n', undefined],
    ['net.ipv4.tcp_congestion_control', 'cubic\n', 'sysctl -w net.ipv4.tcp_congestion_control=bbr'],
    ['net.ipv4.tcp_window_scaling', '1\n', undefined],
    ['net.ipv4.tcp_window_scaling', '0\n', 'sysctl -w net.ipv4.tcp_window_scaling=1'],
    ['net.ipv4.tcp_rmem', '4096\t131072\t33554432\n', undefined],
    ['net.ipv4.tcp_rmem', '4096\t131072\t6291456\n', 'sysctl -w net.ipv4.tcp_rmem="4096 1048576 16777216"'],
    ['net.ipv4.tcp_wmem', '4096\t16384\t4194304\n', undefined],
    ['net.ipv4.tcp_wmem', '4096\t16384\t212992\n', 'sysctl -w net.ipv4.tcp_wmem="4096 262144 16777216"'],
    ['net.ipv4.tcp_fastopen', '3', undefined],
    ['net.ipv4.tcp_fastopen', '2', 'sysctl -w net.ipv4.tcp_fastopen=3'],
    ['net.ipv4.tcp_slow_start_after_idle', '1', 'sysctl -w net.ipv4.tcp_slow_start_after_idle=0'],
    ['net.ipv4.tcp_slow_start_after_idle', undefined, undefined],
  ];
  for (const [key, value, mend] of rows) {
    it(`${key} = ${value?.trim() ?? 'unreadable'}: ${mend ? 'could be better' : 'fine'}`, () => {
      const finding = judgeTuning(key, value);
      assert.deepEqual([finding.status, finding.mend], mend ? ['warn', mend] : ['ok', undefined]);
    });
  }

  it('has a row here for each of its keys', () => {
    assert.deepEqual([...new Set(rows.map(([key]) => key))], tuningKeys);
  });
});
