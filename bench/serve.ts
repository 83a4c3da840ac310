/**
 * `npm run bench:serve [-- CLIP]`: how quickly `GET /availability` is answered by a real `tikitaka serve` that has nothing to do, and while
 * it answers one challenge after the other (issue 4: p99 below 50 ms). Seconds per part: `BENCH_SECONDS=10`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import autocannon from 'autocannon';
import { report } from './harness.js';
import { openStand } from './stand.js';

const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const targetMs = 50;
const main = join(import.meta.dirname, '../src/main.ts');

/** Starts the server as an operator would, on a free port, and resolves when it listens. */
async function startServer(ca: string, origin: string) {
  const folder = await mkdtemp(join(tmpdir(), 'tikitaka-bench-'));
  const caPath = join(folder, 'ca.pem');
  await writeFile(caPath, ca);
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
      // A cold connection alone takes longer than the budget: 2.4 s (FEATURES, "The situation"), then ERR_BUDGET_EMPTY.
      PREWARM_ORIGINS: origin,
      ANSWER_CACHE_S: '0',
      CONNECT_TIMEOUT_S: '5',
    },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const said: string[] = [];
  const [url, statusUrl] = await new Promise<[string, string]>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      const [, url] = /listening on (\S+)/.exec(said.join('\n')) ?? [];
      const [, status] = /status page and metrics: (\S+)/.exec(said.join('\n')) ?? [];
      if (url && status) resolve([url, status]);
    });
    void exited.then(() => reject(new Error(`the server ended:\n${said.join('\n')}`)));
  });
  return {
    url,
    statusUrl,
    async close() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** In a thread of its own: this one serves the clip, and its own lag would count as the server's. */
const load = (url: string, duration = seconds) =>
  autocannon({ url: `${url}/availability`, connections: 4, overallRate: 100, duration, workers: 1 });

const stand = await openStand({ path: process.argv[2] });
const server = await startServer(stand.ca ?? '', new URL(stand.url).origin);
try {
  // The spare model process still loads.
  await load(server.url, 3);
  const idle = await load(server.url);
  let running = true;
  const statuses: number[] = [];
  const challenges = (async () => {
    while (running) {
      const response = await fetch(`${server.url}/soccer/challenge`, {
        method: 'POST',
        body: JSON.stringify({ challenge_id: `bench-${statuses.length}`, type: 'gsr', video_url: stand.url }),
      });
      await response.arrayBuffer();
      statuses.push(response.status);
    }
  })();
  const busy = await load(server.url);
  running = false;
  await challenges;
  // The server's own view since its start: lag of its event loop, whatever this process and the network added.
  const metrics = await (await fetch(`${server.statusUrl}metrics`)).text();
  const lagS = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(metrics)?.[1]);
  report({
    bench: 'serve/availability',
    figures: [],
    facts: {
      idleP50Ms: idle.latency.p50,
      idleP99Ms: idle.latency.p99,
      busyP50Ms: busy.latency.p50,
      busyP99Ms: busy.latency.p99,
      busyMaxMs: busy.latency.max,
      loopLagP99Ms: Math.round(lagS * 1000),
      requests: idle.requests.total + busy.requests.total,
      failed: idle.errors + idle.non2xx + busy.errors + busy.non2xx,
      challenges: statuses.join(' '),
      withinTarget: busy.latency.p99 < targetMs,
    },
  });
} finally {
  await server.close();
  await stand.close();
}
