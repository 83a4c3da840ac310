import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childEnvironment, childFlags } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import { type ConfigKey, configKeys } from '../app/config.js';
import type { Baseline, BenchProcess, Run } from '../tools/bench/index.js';
import { residentBytes } from '../tools/resident-bytes.js';

/** What a process is started with. */
export interface BenchLoad {
  readonly type: 'load';
  readonly target: string;
  readonly overrides: Readonly<Partial<Record<ConfigKey, string>>>;
  readonly ca?: string | undefined;
  readonly truthPath?: string | undefined;
}

export type ToBenchChild =
  | BenchLoad
  | { readonly type: 'answer' }
  | { readonly type: 'baseline'; readonly limitS: number }
  | { readonly type: 'close' };

export type FromBenchChild =
  | { readonly type: 'ready'; readonly maxBatch: number; readonly device: string }
  | { readonly type: 'answered'; readonly run: Run }
  | { readonly type: 'baseline'; readonly baseline: Baseline }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

/** Beside this file: `.ts` under a loader such as tsx (whose flags fork passes on), `.js` when built. */
const childFile = fileURLToPath(
  new URL(`./bench-child${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url),
);
/** It reads the configuration for itself, but has no use for a key. */
const configured = ['ENV_FILE', ...configKeys.filter((key) => key !== 'WALLET_PASSWORD')];
/** How often memory is read: a look takes 4 ms of one core (measured with 81 processes). */
const LOOK_MS = 250;
/** A process that does not end by itself is killed after so long. */
const END_MS = 3000;

/** Starts a process with one engine, warmed by one answer. Errors: those of the engine and of the target, by code; ERR_INTERRUPTED. */
export async function openBenchProcess(load: BenchLoad, signal: AbortSignal): Promise<BenchProcess> {
  if (signal.aborted) throw interrupted();
  const child = fork(childFile, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: childFlags(),
    env: childEnvironment(configured),
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  let peakBytes: number | undefined;
  const look = () => {
    const bytes = residentBytes(child.pid ?? -1);
    if (bytes !== undefined) peakBytes = Math.max(peakBytes ?? 0, bytes);
  };
  const timer = setInterval(look, LOOK_MS);
  const close = async () => {
    clearInterval(timer);
    await end(child);
    process.off('exit', kill);
  };
  const ask = async <T extends FromBenchChild['type']>(message: ToBenchChild, type: T) => {
    const answer = await exchange(child, message, signal);
    if (answer.type === type) return answer as Extract<FromBenchChild, { readonly type: T }>;
    if (answer.type === 'failed') throw new TikitakaError(answer.code, answer.message);
    throw new TikitakaError('ERR_BENCH', `the process answered ${answer.type} instead of ${type}`);
  };
  try {
    const { maxBatch, device } = await ask(load, 'ready');
    return {
      maxBatch,
      device,
      async answer() {
        const { run } = await ask({ type: 'answer' }, 'answered');
        look();
        return run;
      },
      baseline: async (limitS) => (await ask({ type: 'baseline', limitS }, 'baseline')).baseline,
      get peakBytes() {
        return peakBytes;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Sends a message and takes the next one; an interruption or the end of the process comes first. */
async function exchange(child: ChildProcess, message: ToBenchChild, signal: AbortSignal): Promise<FromBenchChild> {
  const done = new AbortController();
  const stop = AbortSignal.any([signal, done.signal]);
  const wait = async (event: 'message' | 'exit') => {
    const [value] = await once(child, event, { signal: stop });
    if (event === 'message') return value as FromBenchChild;
    throw new TikitakaError('ERR_BENCH', `the measuring process ended with ${value}`);
  };
  try {
    // A channel that is closing reports through 'exit'.
    child.send(message, () => undefined);
    return await Promise.race([wait('message'), wait('exit')]);
  } catch (error) {
    throw signal.aborted ? interrupted() : error;
  } finally {
    done.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  if (child.connected) child.send({ type: 'close' } satisfies ToBenchChild, () => undefined);
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await gone;
  clearTimeout(timer);
}

export const interrupted = (): TikitakaError => new TikitakaError('ERR_INTERRUPTED', 'interrupted');
