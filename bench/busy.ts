/**
 * `npm run bench:busy [-- --busy 2 --budget 1 --rounds 40 --clip CLIP]`: how late the answers of a real `tikitaka serve` are, as their
 * callers see it, beside `--busy` loops per core that take all the time they get; first without them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { quantile, report } from './harness.js';
import { startBusyLoops, startServer } from './serving.js';
import { openStand } from './stand.js';

const { values } = parseArgs({
  options: {
    busy: { type: 'string', default: '2' },
    budget: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '40' },
    clip: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const budgetMs = Number(values.budget) * 1000;
const rounds = Number(values.rounds);
/** An answer so much behind its budget is late. */
const TOLERANCE_MS = 100;
/** Answers after a change of the load that are not counted: what the server learns from. */
const UNCOUNTED = 3;

interface Answered {
  readonly totalMs: number;
  readonly status: number;
  readonly measured: number;
}

async function challenge(url: string, clip: string, id: string): Promise<Answered> {
  const startMs = performance.now();
  const response = await fetch(`${url}/soccer/challenge`, {
    method: 'POST',
    body: JSON.stringify({ challenge_id: id, type: 'gsr', video_url: clip }),
  });
  const body = await response.text();
  const totalMs = performance.now() - startMs;
  return { totalMs, status: response.status, measured: Number(/"measured_frames":(\d+)/.exec(body)?.[1] ?? 0) };
}

const stand = await openStand({ path: values.clip });
const settings = Object.fromEntries(values.set.map((pair) => pair.split('=')));
const server = await startServer(stand, { TIME_BUDGET_S: values.budget, ...settings });
try {
  for (const perCore of new Set([0, Number(values.busy)])) {
    const loops = startBusyLoops(perCore);
    const answers: Answered[] = [];
    const first: number[] = [];
    try {
      for (let round = -UNCOUNTED; round < rounds; round++) {
        const answer = await challenge(server.url, stand.url, `bench-${perCore}-${round}`);
        if (round < 0) first.push(Math.round(answer.totalMs));
        else answers.push(answer);
        await sleep(200);
      }
    } finally {
      await loops.close();
    }
    const lateMs = answers.map(({ totalMs }) => totalMs - budgetMs);
    report({
      bench: 'busy',
      figures: [],
      facts: {
        busyLoopsPerCore: perCore,
        budgetMs,
        lateP50Ms: quantile(lateMs, 0.5),
        lateP95Ms: quantile(lateMs, 0.95),
        lateWorstMs: quantile(lateMs, 1),
        within100Ms: `${lateMs.filter((ms) => ms <= TOLERANCE_MS).length} of ${answers.length}`,
        uncountedMs: first.join(' '),
        measuredP50: quantile(
          answers.map(({ measured }) => measured),
          0.5,
        ),
        failed: answers.filter(({ status }) => status !== 200).length,
      },
    });
  }
} finally {
  await server.close();
  await stand.close();
}
