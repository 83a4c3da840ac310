import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { TikitakaError } from '../../operators/index.js';
import type { Metagraph } from './fetch-metagraph.js';
import { nodeName } from './networks.js';

/** A metagraph with where and when it was fetched; never changed once made. */
export interface MetagraphSnapshot extends Metagraph {
  readonly netuid: number;
  /** Host of the node that told it. */
  readonly node: string;
  /** SHA-256 of that node's whole address: tells two of one host apart without keeping the key that may stand in it. */
  readonly nodeSha256: string;
  /** Wall clock, ms since 1970. */
  readonly fetchedAtMs: number;
}

const fileSchema = z.object({
  version: z.literal(2),
  netuid: z.int(),
  node: z.string(),
  nodeSha256: z.string(),
  fetchedAtMs: z.number(),
  source: z.enum(['selective', 'neurons-lite']),
  neurons: z
    .array(
      z.object({
        uid: z.int(),
        hotkey: z.string(),
        taoStake: z.number(),
        alphaStake: z.number(),
        totalStake: z.number(),
        validatorPermit: z.boolean(),
        axon: z
          .object({ ip: z.string(), port: z.int() })
          .nullable()
          .transform((axon) => axon ?? undefined),
      }),
    )
    .min(1),
});

/** What snapshots and texts say of the node at `url`. */
export function identify(url: string): Pick<MetagraphSnapshot, 'node' | 'nodeSha256'> {
  return { node: nodeName(url), nodeSha256: createHash('sha256').update(url).digest('hex') };
}

/** Writes the snapshot so that a reader, also after a crash, finds the old file or the new one, never a part. Errors: ERR_CHAIN_SNAPSHOT. */
export async function saveSnapshot(path: string, snapshot: MetagraphSnapshot): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const neurons = snapshot.neurons.map((neuron) => ({ ...neuron, axon: neuron.axon ?? null }));
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, JSON.stringify({ version: 2, ...snapshot, neurons }), { flush: true });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new TikitakaError('ERR_CHAIN_SNAPSHOT', `Cannot write ${path}`, { cause });
  }
}

/**
 * Reads a saved snapshot of this subnet; undefined where there is no file. Errors: ERR_CHAIN_SNAPSHOT where the file is broken, or about
 * another subnet or chain: to trust it would let the wrong keys in.
 */
export async function loadSnapshot(
  path: string,
  { netuid, url }: { readonly netuid: number; readonly url: string },
): Promise<MetagraphSnapshot | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new TikitakaError('ERR_CHAIN_SNAPSHOT', `Cannot read ${path}`, { cause });
  }
  const snapshot = parse(path, text);
  const { node, nodeSha256 } = identify(url);
  if (snapshot.netuid !== netuid || snapshot.nodeSha256 !== nodeSha256) {
    const other = snapshot.node === node ? 'another address of it' : node;
    const about = `subnet ${snapshot.netuid} of ${snapshot.node}, not ${netuid} of ${other}`;
    throw new TikitakaError('ERR_CHAIN_SNAPSHOT', `${path} is about ${about}`);
  }
  return snapshot;
}

function parse(path: string, text: string): MetagraphSnapshot {
  try {
    const { version: _version, ...snapshot } = fileSchema.parse(JSON.parse(text));
    return snapshot;
  } catch (cause) {
    throw new TikitakaError('ERR_CHAIN_SNAPSHOT', `${path} is not a saved metagraph`, { cause });
  }
}
