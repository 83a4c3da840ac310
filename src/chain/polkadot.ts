import type { ApiPromise } from '@polkadot/api';
import { filter, ReplaySubject, type Subscription } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import type { ChainNode, NodeNotice } from './json-rpc.js';
import type { KeyPair } from './keys.js';

/** Arguments of `SubtensorModule.serve_axon` (docs/protocol.md §5). */
export interface ServeAxonCall {
  readonly netuid: number;
  readonly ip: bigint;
  readonly ipVersion: 4 | 6;
  readonly port: number;
}

/** The chain's own types, learnt from its metadata: what is needed to make a transaction, and only then (about 0.3 s of CPU). */
export interface ChainApi {
  /** The encoded call: pallet, method, arguments. Throws ERR_CHAIN_CALL where this runtime has no such call. */
  encode(call: ServeAxonCall): string;
  /** Signs and submits; resolves with the hash of the block that took it. Errors: ERR_CHAIN_RPC (the pool's refusal), ERR_CHAIN_REFUSED. */
  submit(call: ServeAxonCall, signer: { readonly address: string; readonly pair: KeyPair }): Promise<string>;
  close(): Promise<void>;
}

type Provider = NonNullable<NonNullable<ConstructorParameters<typeof ApiPromise>[0]>['provider']>;

/** Reads the metadata (V14 to V16) through `node`. Errors: ERR_CHAIN_METADATA. */
export async function openChainApi(node: ChainNode): Promise<ChainApi> {
  // Loaded late: 1.6 s and 45 MB that serving and diagnosing never need.
  const { ApiPromise } = await import('@polkadot/api');
  const api = new ApiPromise({
    provider: providerOf(node),
    noInitWarn: true,
    // Later runtimes wrap the payment extension under this name, with the same contents (docs/protocol.md §5).
    signedExtensions: { ChargeTransactionPaymentWrapper: { extrinsic: { tip: 'Compact<Balance>' }, payload: {} } },
  });
  try {
    await api.isReadyOrError;
  } catch (cause) {
    await api.disconnect();
    throw new TikitakaError('ERR_CHAIN_METADATA', "The chain's metadata could not be read", { cause });
  }
  const transaction = ({ netuid, ip, ipVersion, port }: ServeAxonCall) => {
    const serveAxon = api.tx.subtensorModule?.serveAxon;
    if (!serveAxon) throw new TikitakaError('ERR_CHAIN_CALL', 'This chain has no SubtensorModule.serve_axon');
    // netuid, version, ip, port, ip_type, protocol, placeholder1, placeholder2
    return serveAxon(netuid, 1, ip, port, ipVersion, 4, 0, 0);
  };
  return {
    encode: (call) => transaction(call).method.toHex(),
    async submit(call, { address, pair }) {
      const signed = await transaction(call).signAsync(address, {
        // The next one after what already waits in the pool.
        nonce: -1,
        signer: {
          signRaw: async ({ data }) => {
            const signature = pair.sign(Buffer.from(data.slice(2), 'hex'));
            // 0x01 = sr25519 in MultiSignature.
            return { id: 0, signature: `0x01${Buffer.from(signature).toString('hex')}` };
          },
        },
      });
      return new Promise((resolve, reject) => {
        const watching = api.rpc.author.submitAndWatchExtrinsic(signed, (status) => {
          if (status.isInBlock) resolve(status.asInBlock.toHex());
          else if (status.isInvalid || status.isDropped || status.isUsurped || status.isFinalityTimeout) {
            reject(new TikitakaError('ERR_CHAIN_REFUSED', `The transaction was not taken: ${status.type}`));
          }
        });
        watching.catch(reject);
      });
    },
    close: () => api.disconnect(),
  };
}

/** Our connection in the form that polkadot.js asks for; it reconnects nothing, since whoever opened the node does. */
function providerOf(node: ChainNode): Provider {
  const subscriptions = new Map<string | number, Subscription>();
  return {
    hasSubscriptions: true,
    isClonable: false,
    isConnected: true,
    clone: () => providerOf(node),
    connect: async () => undefined,
    async disconnect() {
      for (const subscription of subscriptions.values()) subscription.unsubscribe();
      subscriptions.clear();
    },
    on: () => () => undefined,
    // What an answer must look like is polkadot.js's own affair: its types decode or reject it.
    send: async <T>(method: string, params: unknown[]) => (await node.call(method, params)) as T,
    async subscribe(type, method, params, callback) {
      // A transaction takes seconds: what a later runtime would be does not matter, and polkadot.js leaves errors of this one unhandled.
      if (method === 'state_subscribeRuntimeVersion') return 'never';
      // The first notice may come in the same packet as the id that tells whose it is.
      const notices = new ReplaySubject<NodeNotice>();
      const listening = node.notices$.subscribe(notices);
      const id = await node.call(method, params).catch((error: unknown) => {
        listening.unsubscribe();
        throw error;
      });
      if (typeof id !== 'string' && typeof id !== 'number') {
        listening.unsubscribe();
        throw new TikitakaError('ERR_CHAIN_ANSWER', `${method} gave no subscription`);
      }
      listening.add(
        notices
          .pipe(filter((notice) => notice.method === type && notice.subscription === id))
          .subscribe(({ result }) => callback(null, result)),
      );
      subscriptions.set(id, listening);
      return id;
    },
    async unsubscribe(_type, method, id) {
      subscriptions.get(id)?.unsubscribe();
      if (!subscriptions.delete(id)) return true;
      return (await node.call(method, [id])) === true;
    },
  };
}
