import { isIPv4, isIPv6 } from 'node:net';
import { TikitakaError } from '../../operators/index.js';

/** An address as the chain stores it. */
export interface ChainIp {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** Throws ERR_OPTION for anything but a plain IPv4 or IPv6 address (host names are not stored on the chain). */
export function parseIp(text: string): ChainIp {
  if (isIPv4(text)) {
    return { version: 4, value: text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n) };
  }
  if (isIPv6(text) && !text.includes('%')) {
    const groups = canonicalV6(text)
      .split('::')
      .map((half) => half.split(':').filter(Boolean));
    const [head = [], tail = []] = groups;
    const all = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
    return { version: 6, value: all.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n) };
  }
  throw new TikitakaError('ERR_OPTION', `"${text}" is not an IPv4 or IPv6 address`);
}

/** `203.0.113.0`, or IPv6 in its shortest form. */
export function formatIp({ version, value }: ChainIp): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  return canonicalV6(groups.join(':'));
}

/** The URL parser writes the shortest form, hex groups only. */
function canonicalV6(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
