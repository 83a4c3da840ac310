import { firstValueFrom, from, switchMap, throwError, timeout } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import { fetchMetagraph } from './fetch-metagraph.js';
import { type ChainNode, connectNode } from './json-rpc.js';
import { nodeName } from './networks.js';
import { identify, type MetagraphSnapshot } from './snapshot-file.js';

export interface AskOptions {
  readonly url: string;
  /** Longest time for connection and answer together, ms. Default 15,000 (chosen: a metagraph comes within 2 s, or there is something wrong). */
  readonly timeoutMs?: number;
}

/** From here on a node that does not take the connection is told to be closed or far away, ms. */
const connectTimeoutMs = 4_000;

/** The metagraph, asked for once: who runs a command wants to be told at once that a node is not there. Errors: ERR_CHAIN_*; ERR_OPTION for an address that is none, thrown at call. */
export function askMetagraph({
  netuid,
  ...options
}: AskOptions & { readonly netuid: number }): Promise<MetagraphSnapshot> {
  return ask(options, async (node) => ({
    ...(await fetchMetagraph(node, netuid)),
    netuid,
    ...identify(options.url),
    fetchedAtMs: Date.now(),
  }));
}

/** What the chain's last block says of the time. */
export interface ChainTime {
  /** When it was made, by its maker's clock: ms since 1970. */
  readonly blockAtMs: number;
  /** Whether the node is still catching up, so that its last block is an old one. */
  readonly isSyncing: boolean;
}

/** Storage key of substrate's `Timestamp.Now`: twox128 of both words. */
const timestampNow = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb';

/** The chain's own clock. Errors as `askMetagraph`. */
export function askChainTime(options: AskOptions): Promise<ChainTime> {
  return ask(options, async (node) => {
    const [now, health] = await Promise.all([
      node.call('state_getStorage', [timestampNow]),
      node.call('system_health', []),
    ]);
    // A u64, little endian.
    if (typeof now !== 'string' || !/^0x[0-9a-f]{16}$/i.test(now)) {
      throw new TikitakaError('ERR_CHAIN_ANSWER', 'The chain tells no time (Timestamp.Now)');
    }
    const blockAtMs = Number(Buffer.from(now.slice(2), 'hex').readBigUInt64LE());
    return { blockAtMs, isSyncing: !(isRecord(health) && health.isSyncing === false) };
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function ask<T>({ url, timeoutMs = 15_000 }: AskOptions, question: (node: ChainNode) => Promise<T>): Promise<T> {
  const node$ = connectNode({ url, connectTimeoutMs: Math.min(connectTimeoutMs, timeoutMs), callTimeoutMs: timeoutMs });
  const late = () =>
    throwError(() => new TikitakaError('ERR_CHAIN_TIMEOUT', `${nodeName(url)} did not answer within ${timeoutMs} ms`));
  // Taking the one answer ends the connection.
  return firstValueFrom(
    node$.pipe(
      switchMap((node) => from(question(node))),
      timeout({ first: timeoutMs, with: late }),
    ),
  );
}
