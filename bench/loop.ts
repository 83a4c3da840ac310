/**
 * `npx tsx bench/loop.ts [seconds]`: how late timers of this process fire while batches run back to back in the model's
 * process (target p99 ≤ 10 ms), beside the same machine without them.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { defer, lastValueFrom, mergeMap, range, repeat, takeUntil, timer } from 'rxjs';
import { chooseModel, openModelRunner, reportLine } from '../models/index.js';
import { quantile, report } from './harness.js';

const seconds = Number(process.argv[2] ?? 10);
const tickMs = 5;

const runner = await openModelRunner({ ...chooseModel({ model: 'fast' }), device: 'cpu', spare: false });
console.log(reportLine(runner.report));
const { width, height } = runner.input;
const picture = { pixels: new Uint8Array(width * height * 3).fill(90), sourceWidth: 1920, sourceHeight: 1080 };
const batch = Array.from({ length: runner.maxBatch }, () => picture);

/** Lateness of every tick, in ms, until `done`. */
async function lateness(done: Promise<unknown>): Promise<number[]> {
  const late: number[] = [];
  let running = true;
  void done.finally(() => {
    running = false;
  });
  while (running) {
    const due = performance.now() + tickMs;
    await sleep(tickMs);
    late.push(Math.max(0, performance.now() - due));
  }
  return late;
}

let runs = 0;
/** Two at a time, so that the process never waits for us. */
const busy$ = range(0, 2).pipe(
  mergeMap(() => defer(() => runner.run(batch, () => runs++)).pipe(repeat())),
  takeUntil(timer(seconds * 1000)),
);

const idle = await lateness(sleep(seconds * 1000));
const busy = await lateness(lastValueFrom(busy$));
await runner.close();

const figures = (name: string, runsMs: readonly number[]) => ({
  name,
  medianMs: quantile(runsMs, 0.5),
  p95Ms: quantile(runsMs, 0.95),
  medianCpuMs: 0,
  runsMs: [quantile(runsMs, 0.99), quantile(runsMs, 1)],
});
report({
  bench: 'loop',
  figures: [figures('timers, no inference', idle), figures('timers, batches back to back', busy)],
  facts: {
    p99Ms: quantile(busy, 0.99),
    p99IdleMs: quantile(idle, 0.99),
    runs,
    batchSize: runner.maxBatch,
    cores: availableParallelism(),
    target: 'p99Ms <= 10',
  },
});
