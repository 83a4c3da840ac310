import type { MetagraphSnapshot } from '../chain/index.js';
import type { Finding } from './checks.js';

/** A good clock sees the chain's last block this old at most: 12 s from one to the next, some more for its way and a block left out. */
const OLDEST_BLOCK_S = 60;
/** And never this far in the future: the makers of blocks keep time too. */
const NEWEST_BLOCK_S = -30;

/** Compares the clock with the time of the chain's last block. */
export function judgeClock(times: {
  readonly nowMs: number;
  readonly blockAtMs: number;
  readonly isSyncing: boolean;
}): Finding {
  const ageS = (times.nowMs - times.blockAtMs) / 1000;
  const text = `the chain's last block was made ${Math.abs(ageS).toFixed(0)} s ${ageS < 0 ? 'in the future' : 'ago'} by this clock`;
  if (ageS > NEWEST_BLOCK_S && ageS < OLDEST_BLOCK_S) return { status: 'ok', text };
  const mend = 'timedatectl set-ntp true: callers are refused from 120 s on';
  if (ageS > 0 && times.isSyncing) return { status: 'warn', text: `not checked: ${text}, but the node is behind` };
  return { status: 'fail', text, mend };
}

/** What the chain says of our key: whether callers know it, and where they are sent. */
export function judgePlace({
  snapshot: { neurons, netuid },
  address,
  port,
}: {
  readonly snapshot: Pick<MetagraphSnapshot, 'neurons' | 'netuid'>;
  /** ss58 address of our hot key. */
  readonly address: string;
  readonly port: number;
}): Finding {
  const own = neurons.find(({ hotkey }) => hotkey === address);
  if (!own) {
    const mend = `btcli subnet register --netuid ${netuid}, or check NETUID and HOTKEY_NAME`;
    return { status: 'warn', text: `${address} is not registered in subnet ${netuid}: nobody will call`, mend };
  }
  const { axon } = own;
  const mend = `tikitaka chain register --ip <public address> --port ${port}`;
  if (!axon) return { status: 'warn', text: `the chain knows no address of ${address}: nobody will call`, mend };
  const text = `callers are sent to ${axon.ip}:${axon.port}`;
  if (axon.port === port) return { status: 'ok', text };
  return { status: 'warn', text: `${text}, PORT is ${port}`, mend: `${mend}, unless something forwards it` };
}

interface Tuning {
  readonly key: string;
  readonly isGood: (value: string) => boolean;
  /** What helps, as `sysctl -w` takes it. */
  readonly better: string;
}

/** The largest buffer of the three that the kernel's settings name, bytes. */
const largest = (value: string) => Number(value.split(/\s+/)[2]);
/** A link of 5 MB/s and 60 ms holds 300 KB; a fast one of 1 Gbit/s and 60 ms 7.5 MB. */
const ROOMY_BYTES = 1 << 23;

/** Host settings that speed a long, fat link up, each with what sets it. */
const tunings: readonly Tuning[] = [
  { key: 'net.ipv4.tcp_congestion_control', isGood: (v) => v === 'bbr', better: 'bbr' },
  { key: 'net.ipv4.tcp_window_scaling', isGood: (v) => v === '1', better: '1' },
  { key: 'net.ipv4.tcp_rmem', isGood: (v) => largest(v) >= ROOMY_BYTES, better: '"4096 1048576 16777216"' },
  // Answers are a megabyte or less, but their first windows are what callers wait for.
  { key: 'net.ipv4.tcp_wmem', isGood: (v) => largest(v) >= ROOMY_BYTES / 2, better: '"4096 262144 16777216"' },
  { key: 'net.ipv4.tcp_fastopen', isGood: (v) => (Number(v) & 1) === 1, better: '3' },
  { key: 'net.ipv4.tcp_slow_start_after_idle', isGood: (v) => v === '0', better: '0' },
];

export const tuningKeys: readonly string[] = tunings.map(({ key }) => key);

/** Judges a kernel setting; `value` undefined where it cannot be read. */
export function judgeTuning(key: string, value: string | undefined): Finding {
  const tuning = tunings.find((each) => each.key === key);
  if (value === undefined || !tuning) return { status: 'ok', text: `${key} cannot be read here` };
  const plain = value.trim();
  const text = `${key} = ${plain.replaceAll(/\s+/g, ' ')}`;
  return tuning.isGood(plain)
    ? { status: 'ok', text }
    : { status: 'warn', text, mend: `sysctl -w ${key}=${tuning.better}` };
}
