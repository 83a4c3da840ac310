/**
 * A deadline for any slow stage: items are taken until the soft cut, batches that cannot finish are never begun, and at the
 * hard cut whatever exists is the answer. Offline; run with `npx tsx examples/two-cuts.ts`.
 */
import { delay, interval, map, mergeAll, of, reduce, take, timer } from 'rxjs';
import { boundedMap, deadlineBatch, hardCut, softCut } from 'tikitaka/operators';

const BUDGET_MS = 300;
const MS_PER_ITEM = 8;
const startMs = Date.now();
const dropped: number[] = [];
const done: number[] = [];

interval(2)
  .pipe(
    take(1000),
    softCut(timer(BUDGET_MS - 20)),
    deadlineBatch({
      maxSize: 8,
      firstSize: 1,
      maxWaitMs: 20,
      deadlineMs: startMs + BUDGET_MS,
      predictMs: (size) => size * MS_PER_ITEM,
      onDiscard: (item) => dropped.push(item),
    }),
    boundedMap({
      project: (batch) => of(batch).pipe(delay(batch.length * MS_PER_ITEM)),
      concurrency: 1,
      maxQueued: 256,
      onDiscard: (batch) => dropped.push(...batch),
    }),
    mergeAll(),
    map((item) => done.push(item)),
    hardCut(timer(BUDGET_MS), (endedBy) => of(`ended by ${endedBy}`)),
    reduce((_, last) => last),
  )
  .subscribe((last) => {
    console.log(`${last} after ${Date.now() - startMs} ms: ${done.length} done, ${dropped.length} handed back`);
  });
