import { map } from 'rxjs';
import { fetchMetagraph } from './fetch-metagraph.js';
import { connectNode } from './json-rpc.js';
import { toPublicKey } from './keys.js';
import { createMetagraphView, type MetagraphView, type MetagraphViewOptions } from './metagraph-view.js';
import { loadSnapshot, saveSnapshot } from './snapshot-file.js';

export interface OpenViewOptions extends Omit<MetagraphViewOptions, 'connect' | 'store'> {
  /** File of the snapshot that is kept between runs. Default none. */
  readonly snapshotPath?: string;
  /** Longest time for one answer of the node, ms. Default 30,000. */
  readonly callTimeoutMs?: number;
}

/** A view of the metagraph through a node's JSON-RPC. Throws ERR_OPTION for an address that is no WebSocket's. */
export function openMetagraphView({ snapshotPath, callTimeoutMs, ...options }: OpenViewOptions): MetagraphView {
  const { netuid, url } = options;
  const node$ = connectNode({ url, ...(callTimeoutMs === undefined ? {} : { callTimeoutMs }) });
  return createMetagraphView({
    ...options,
    connect: () => node$.pipe(map((node) => () => fetchMetagraph(node, netuid))),
    ...(snapshotPath === undefined
      ? {}
      : {
          store: {
            load: () => loadSnapshot(snapshotPath, { netuid, url }),
            save: (snapshot) => saveSnapshot(snapshotPath, snapshot),
          },
        }),
  });
}

/** Someone who may call, as the server's authentication wants it. */
export interface ListedMember {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly taoStake: number;
}

/** Looks callers up in a view. The result throws ERR_CHAIN_UNAVAILABLE as `view.find` does. */
export function membersOf(view: MetagraphView): (hotkey: string) => ListedMember | undefined {
  return (hotkey) => {
    const neuron = view.find(hotkey);
    return neuron && { publicKey: toPublicKey(neuron.hotkey), taoStake: neuron.taoStake };
  };
}

/** Looks callers up in a fixed list (`ALLOWED_HOTKEYS`). Throws ERR_HOTKEY when called with something that is no address of prefix 42. */
export function listedMembers(hotkeys: readonly string[]): (hotkey: string) => ListedMember | undefined {
  const members = new Map(hotkeys.map((hotkey) => [hotkey, { publicKey: toPublicKey(hotkey), taoStake: 0 }]));
  return (hotkey) => members.get(hotkey);
}
