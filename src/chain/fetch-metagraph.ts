import { TikitakaError } from '../../operators/index.js';
import type { ChainNode } from './json-rpc.js';
import {
  decodeNeuronsLite,
  decodeSelective,
  metagraphCalls,
  type Neuron,
  neuronsLiteParams,
  selectiveParams,
} from './metagraph.js';

/** What the chain says about one subnet at one moment. */
export interface Metagraph {
  /** Which runtime call told it. From `neurons-lite` all three amounts of a neuron are the same (docs/protocol.md §4: it cannot tell root stake). */
  readonly source: 'selective' | 'neurons-lite';
  readonly neurons: readonly Neuron[];
}

/**
 * Asks a node for the metagraph: `state_call` with SCALE in and out, which needs no metadata and so works alike whatever version
 * of it the chain speaks. `atBlock` = hash of the block that is asked about, default the best one. Older runtimes that do not know the first call are asked the second one.
 * Errors: those of `ChainNode.call`, ERR_CHAIN_ANSWER (garbage, or nobody registered), ERR_CHAIN_NETUID.
 */
export async function fetchMetagraph(node: ChainNode, netuid: number, atBlock?: string): Promise<Metagraph> {
  const metagraph = await ask(node, netuid, atBlock === undefined ? [] : [atBlock]);
  if (metagraph.neurons.length === 0)
    throw new TikitakaError('ERR_CHAIN_ANSWER', `Nobody is registered in subnet ${netuid}`);
  return metagraph;
}

async function ask(node: ChainNode, netuid: number, at: readonly string[]): Promise<Metagraph> {
  try {
    const data = await runtimeCall(node, metagraphCalls.selective, selectiveParams(netuid), at);
    return { source: 'selective', neurons: decodeSelective(data, netuid) };
  } catch (error) {
    if (!(error instanceof TikitakaError && error.code === 'ERR_CHAIN_RPC')) throw error;
    const data = await runtimeCall(node, metagraphCalls.neuronsLite, neuronsLiteParams(netuid), at);
    return { source: 'neurons-lite', neurons: decodeNeuronsLite(data, netuid) };
  }
}

async function runtimeCall(
  node: ChainNode,
  method: string,
  params: Uint8Array,
  at: readonly string[],
): Promise<Uint8Array> {
  const answer = await node.call('state_call', [method, `0x${Buffer.from(params).toString('hex')}`, ...at]);
  if (typeof answer !== 'string' || answer.length % 2 !== 0 || !/^0x[0-9a-f]*$/i.test(answer)) {
    throw new TikitakaError('ERR_CHAIN_ANSWER', `The answer to ${method} is not hex`);
  }
  return Buffer.from(answer.slice(2), 'hex');
}
