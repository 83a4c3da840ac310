/**
 * `npm run bench:serve [-- CLIP]`: how quickly `GET /availability` is answered by a real `tikitaka serve` that has nothing to do, and while
 * it answers one challenge after the other (issue 4: p99 below 50 ms). Seconds per part: `BENCH_SECONDS=10`.
 */
import autocannon from 'autocannon';
import { report } from './harness.js';
import { startServer } from './serving.js';
import { openStand } from './stand.js';

const seconds = Number(process.env.BENCH_SECONDS ?? 10);
const targetMs = 50;

/** In a thread of its own: this one serves the clip, and its own lag would count as the server's. */
const load = (url: string, duration = seconds) =>
  autocannon({ url: `${url}/availability`, connections: 4, overallRate: 100, duration, workers: 1 });

const stand = await openStand({ path: process.argv[2] });
const server = await startServer(stand);
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
