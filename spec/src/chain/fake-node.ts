import { type WebSocket, WebSocketServer } from 'ws';
import { encodeNeuronsLite, encodeSelective, type FakeNeuron } from './chain-types.js';

/** How the node behaves; change it while it runs. */
export interface FakeChain {
  netuid: number;
  neurons: readonly FakeNeuron[];
  /** `selective`: current runtimes; `lite` and `lite-wrapped`: older ones, that do not know the selective call. */
  runtime: 'selective' | 'lite' | 'lite-wrapped';
  mood: 'well' | 'silent' | 'html' | 'bad-hex' | 'truncated' | 'not-rpc';
  /** Hex of V14 and, where it speaks it, of V15 as an opaque option. */
  metadata: { readonly v14: string; readonly v15?: string };
  /** Age of the last block, ms. */
  blockAgeMs?: number;
  /** Pool's refusal of a transaction, e.g. `Custom error: 12`. */
  refusal?: string;
  /** Called with the hex of a transaction that was submitted. */
  onExtrinsic?: (hex: string) => void;
}

export const wellChain = (neurons: readonly FakeNeuron[]): FakeChain => ({
  netuid: 44,
  neurons,
  runtime: 'selective',
  mood: 'well',
  metadata: { v14: '0x' },
});

const genesisHash = '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03';
export const blockHash = `0x${'ab'.repeat(32)}`;
const header = {
  parentHash: genesisHash,
  number: '0x64',
  stateRoot: `0x${'00'.repeat(32)}`,
  extrinsicsRoot: `0x${'00'.repeat(32)}`,
  digest: { logs: [] },
};

/** A node that speaks JSON-RPC over a WebSocket on 127.0.0.1, as far as our client and polkadot.js ask. */
export async function startFakeNode(chain: FakeChain, port = 0) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  const counts = new Map<string, number>();
  server.on('connection', (socket) => {
    counts.set('connection', (counts.get('connection') ?? 0) + 1);
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const { id, method, params } = JSON.parse(data.toString());
      counts.set(method, (counts.get(method) ?? 0) + 1);
      answer(chain, socket, id, method, params);
    });
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `ws://127.0.0.1:${bound}`,
    port: bound,
    count: (what: string) => counts.get(what) ?? 0,
    /** Connections that stand now. */
    open: () => server.clients.size,
    /** Dies at once: every connection is cut. */
    async kill() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(chain: FakeChain, socket: WebSocket, id: number, method: string, params: string[]): void {
  const send = (message: object) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  if (chain.mood === 'silent') return;
  if (chain.mood === 'html') socket.send('<html>502 Bad Gateway</html>');
  else if (chain.mood === 'not-rpc') socket.send('null');
  else if (method === 'author_submitAndWatchExtrinsic') {
    const error = { code: 1010, message: 'Invalid Transaction', data: chain.refusal };
    send(chain.refusal ? { id, error } : { id, result: 'sub1' });
    if (chain.refusal) return;
    chain.onExtrinsic?.(params[0] ?? '');
    for (const result of ['ready', { inBlock: blockHash }]) {
      send({ method: 'author_extrinsicUpdate', params: { subscription: 'sub1', result } });
    }
  } else {
    const result = resultOf(chain, method, params);
    const error = { code: -32601, message: `Method not found: ${method} ${params?.[0] ?? ''}` };
    send(result === undefined ? { id, error } : { id, result });
  }
}

function resultOf(chain: FakeChain, method: string, params: string[]): unknown {
  const results: Readonly<Record<string, () => unknown>> = {
    chain_getBlockHash: () => genesisHash,
    chain_getHeader: () => header,
    chain_getFinalizedHead: () => blockHash,
    state_getRuntimeVersion: () => ({
      specName: 'node-subtensor',
      implName: 'node-subtensor',
      authoringVersion: 1,
      specVersion: 219,
      implVersion: 1,
      transactionVersion: 1,
      stateVersion: 1,
      apis: [
        ['0xdf6acb689907609b', 5],
        ['0x37e397fc7c91f5e4', chain.metadata.v15 ? 2 : 1],
        ['0x806df4ccaa9ed485', 1],
        ['0x8375104b299b74c5', 1],
      ],
    }),
    system_chain: () => 'Bittensor',
    system_properties: () => ({ ss58Format: 42, tokenDecimals: 9, tokenSymbol: 'TAO' }),
    system_accountNextIndex: () => 7,
    system_health: () => ({ peers: 1, isSyncing: false, shouldHavePeers: true }),
    rpc_methods: () => ({
      methods: [
        'state_call',
        'chain_getHeader',
        'chain_getFinalizedHead',
        'chain_getBlockHash',
        'author_submitAndWatchExtrinsic',
        'system_accountNextIndex',
      ],
    }),
    state_getStorage: () => littleEndian(Date.now() - (chain.blockAgeMs ?? 6_000)),
    state_getMetadata: () => chain.metadata.v14,
    state_call: () => stateCall(chain, params[0]),
    author_unwatchExtrinsic: () => true,
  };
  return results[method]?.();
}

/** A u64 as storage holds it. */
function littleEndian(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return `0x${bytes.toString('hex')}`;
}

function stateCall(chain: FakeChain, name: string | undefined): string | undefined {
  const { netuid, neurons, runtime, mood, metadata } = chain;
  if (name === 'Metadata_metadata_versions') return '0x080e0000000f000000';
  if (name === 'Metadata_metadata_at_version') return metadata.v15;
  if (mood === 'bad-hex') return '0xnothex';
  const spoil = (hex: string) => (mood === 'truncated' ? hex.slice(0, -40) : hex);
  if (name === 'SubnetInfoRuntimeApi_get_selective_metagraph' && runtime === 'selective') {
    return spoil(encodeSelective(netuid, neurons));
  }
  if (name === 'NeuronInfoRuntimeApi_get_neurons_lite') {
    return spoil(encodeNeuronsLite(netuid, neurons, runtime === 'lite-wrapped'));
  }
  return undefined;
}
