import { firstValueFrom, from, switchMap } from 'rxjs';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { fetchMetagraph } from './fetch-metagraph.js';
import { formatIp, parseIp } from './ip-address.js';
import { type ChainNode, connectNode } from './json-rpc.js';
import { type ChainApi, openChainApi } from './polkadot.js';
import type { Hotkey } from './wallet.js';

export interface RegisterOptions {
  readonly url: string;
  readonly netuid: number;
  readonly hotkey: Hotkey;
  /** IPv4 or IPv6 address at which callers reach the server; `0.0.0.1` = the development marker for this machine. */
  readonly ip: string;
  /** 1 to 65535. */
  readonly port: number;
  /** Only say what would be sent. */
  readonly dryRun: boolean;
}

export interface Registration {
  /** `dry-run`: nothing sent; `unchanged`: the chain already says so; `registered`: sent, taken and read back. */
  readonly outcome: 'dry-run' | 'unchanged' | 'registered';
  readonly hotkey: string;
  readonly netuid: number;
  readonly ip: string;
  readonly port: number;
  /** The encoded call, `SubtensorModule.serve_axon`. */
  readonly callHex: string;
  /** Where the chain says the key serves now (before the call); undefined: nowhere, or not registered. */
  readonly before: { readonly ip: string; readonly port: number } | undefined;
  /** Whether the key holds a place in the subnet. */
  readonly member: boolean;
  readonly blockHash?: string;
}

/** What the chain's pool means by `Custom error: N` (docs/protocol.md §5). */
const poolErrors: Readonly<Record<string, string>> = {
  10: 'the hot key is not registered in this subnet',
  11: 'the address is not acceptable',
  12: 'too soon: the chain takes one change in about ten minutes',
  13: 'the port is not acceptable',
};

/**
 * Tells the chain where the server is (`serve_axon`, signed by the hot key, no fee), and reads it back from the block that took it.
 * Errors: ERR_OPTION (address or port), ERR_KEYFILE (no secret to sign with), ERR_CHAIN_REFUSED (in words), the connection's.
 */
export function registerAxon(options: RegisterOptions): Promise<Registration> {
  const ip = parseIp(options.ip);
  const text = formatIp(ip);
  if (!(Number.isInteger(options.port) && options.port >= 1 && options.port <= 65_535)) {
    throw new OptionError(`port must be 1 to 65535, not ${options.port}`);
  }
  if (text === '0.0.0.0' || text === '::' || text === '::1' || text.startsWith('127.')) {
    throw new OptionError(`${text} cannot be reached by callers; the chain refuses it`);
  }
  const { url, netuid, hotkey, port } = options;
  const call = { netuid, ip: ip.value, ipVersion: ip.version, port };

  const send = async (node: ChainNode, api: ChainApi): Promise<Registration> => {
    const { neurons } = await fetchMetagraph(node, netuid);
    const own = neurons.find((neuron) => neuron.hotkey === hotkey.address);
    const facts = {
      hotkey: hotkey.address,
      netuid,
      ip: text,
      port,
      callHex: api.encode(call),
      before: own?.axon,
      member: own !== undefined,
    };
    if (options.dryRun) return { ...facts, outcome: 'dry-run' };
    if (!own) throw refused(poolErrors[10]);
    if (own.axon?.ip === text && own.axon.port === port) return { ...facts, outcome: 'unchanged' };
    if (!hotkey.pair) throw new TikitakaError('ERR_KEYFILE', 'The key file has no secret to sign with');
    const blockHash = await submit(api, { address: hotkey.address, pair: hotkey.pair });
    const after = (await fetchMetagraph(node, netuid, blockHash)).neurons.find(({ uid }) => uid === own.uid);
    if (after?.axon?.ip !== text || after.axon.port !== port)
      throw refused('a block took it, but the address did not change');
    return { ...facts, outcome: 'registered', blockHash };
  };
  const submit = async (api: ChainApi, signer: Parameters<ChainApi['submit']>[1]) => {
    try {
      return await api.submit(call, signer);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw refused(poolErrors[/Custom error: (\d+)/.exec(reason)?.[1] ?? ''] ?? reason, error);
    }
  };
  return firstValueFrom(
    connectNode({ url }).pipe(
      switchMap((node) =>
        from(
          (async () => {
            const api = await openChainApi(node);
            try {
              return await send(node, api);
            } finally {
              await api.close();
            }
          })(),
        ),
      ),
    ),
  );
}

function refused(reason: string | undefined, cause?: unknown): TikitakaError {
  return new TikitakaError('ERR_CHAIN_REFUSED', `The chain refuses: ${reason}`, { cause });
}
