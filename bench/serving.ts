import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ConfigKey } from '../src/app/config.js';
import type { Stand } from './stand.js';

const main = join(import.meta.dirname, '../src/main.ts');

/** A `tikitaka serve` in a process of its own. */
export interface Serving {
  readonly url: string;
  readonly pid: number;
  /** Whether it still runs. */
  readonly alive: boolean;
  /** Of the status page and the metrics. */
  readonly statusUrl: string;
  close(): Promise<void>;
}

/** Starts the server as an operator would, on a free port, the stand's origin warm; resolves when it listens. */
export async function startServer(
  stand: Pick<Stand, 'ca' | 'url'>,
  settings: Partial<Record<ConfigKey, string>> = {},
): Promise<Serving> {
  const folder = await mkdtemp(join(tmpdir(), 'tikitaka-bench-'));
  const caPath = join(folder, 'ca.pem');
  await writeFile(caPath, stand.ca ?? '');
  const child = spawn(process.execPath, ['--import=tsx', main, 'serve'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,

      NODE_EXTRA_CA_CERTS: caPath,
      AUTH: 'off',
      HOST: '127.0.0.1',
      PORT: '0',
      STATUS_PORT: '0',
      ALLOW_PRIVATE_URLS: '1',
      PREWARM_ORIGINS: new URL(stand.url).origin,
      ANSWER_CACHE_S: '0',
      ...settings,
    },
  });
  const exited = once(child, 'exit');
  const [url, statusUrl] = await new Promise<[string, string]>((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (process.env.BENCH_LOG) console.error(line);
      const [, url] = /listening on (\S+)/.exec(said.join('\n')) ?? [];
      const [, status] = /status page and metrics: (\S+)/.exec(said.join('\n')) ?? [];
      if (url && status) resolve([url, status]);
    });
    void exited.then(() => reject(new Error(`the server ended:\n${said.join('\n')}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    statusUrl,
    async close() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** Longest life of a busy loop, s: none outlives a bench that was killed for long. */
const LONGEST_BUSY_S = 900;

/**
 * `perCore` loops on each core that do nothing but take its time, until `close`; in sessions of their own, as other programs are: Linux
 * shares the cores among sessions first (sched_autogroup_enabled), which is much harder on us than loops of our own session.
 */
export function startBusyLoops(perCore: number): { close(): Promise<void> } {
  const loop = `const end = Date.now() + ${LONGEST_BUSY_S * 1000}; while (Date.now() < end);`;
  const children: ChildProcess[] = Array.from({ length: perCore * availableParallelism() }, () =>
    spawn(process.execPath, ['-e', loop], { stdio: 'ignore', detached: true }),
  );
  const kill = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', kill);
  return {
    async close() {
      process.off('exit', kill);
      kill();
      await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    },
  };
}
