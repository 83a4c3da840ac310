import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  concat,
  ignoreElements,
  map,
  Observable,
  type OperatorFunction,
  of,
  Subject,
  tap,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { boundedMap, deadlineBatch, pull, rampBatch, softCut, stride } from '../../operators/index.js';

/** What a source does: after a pause in ms it emits one number more, or ends. */
const script = fc.record({
  gapsMs: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 }),
  ending: fc.constantFrom('complete', 'error', 'never'),
  /** When the consumer leaves. */
  leaveMs: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
});
type Script = typeof script extends fc.Arbitrary<infer S> ? S : never;

interface Trace<R> {
  readonly made: number[];
  readonly emitted: R[];
  readonly discarded: number[];
  readonly signals: string[];
  /** Signals of any kind after the end or after the consumer left. */
  readonly late: string[];
  readonly sourceOpen: boolean;
}

/** Plays a script through an operator in virtual time. */
function play<R>(
  { gapsMs, ending, leaveMs }: Script,
  operator: (scheduler: VirtualTimeScheduler, onDiscard: (item: number) => void) => OperatorFunction<number, R>,
): Trace<R> {
  const scheduler = new VirtualTimeScheduler();
  const made: number[] = [];
  const emitted: R[] = [];
  const discarded: number[] = [];
  const signals: string[] = [];
  const late: string[] = [];
  let over = false;
  let sourceOpen = false;
  const source$ = new Observable<number>((subscriber) => {
    sourceOpen = true;
    subscriber.add(() => {
      sourceOpen = false;
    });
    let atMs = 0;
    for (const [i, gapMs] of gapsMs.entries()) {
      atMs += gapMs;
      const emit = () => {
        made.push(i);
        subscriber.next(i);
      };
      subscriber.add(scheduler.schedule(emit, atMs));
    }
    if (ending === 'complete') subscriber.add(scheduler.schedule(() => subscriber.complete(), atMs));
    if (ending === 'error') subscriber.add(scheduler.schedule(() => subscriber.error('source'), atMs));
  });
  const signal = (name: string) => {
    if (over) late.push(name);
    signals.push(name);
  };
  const subscription = source$.pipe(operator(scheduler, (item) => discarded.push(item))).subscribe({
    next: (value) => {
      signal('next');
      emitted.push(value);
    },
    error: () => {
      signal('error');
      over = true;
    },
    complete: () => {
      signal('complete');
      over = true;
    },
  });
  const leave = () => {
    subscription.unsubscribe();
    over = true;
  };
  if (leaveMs !== undefined) scheduler.schedule(leave, leaveMs);
  scheduler.flush();
  leave();
  return { made, emitted, discarded, signals, late, sourceOpen };
}

/** One end at most, nothing behind it, and the source is left. */
function assertWellBehaved({ signals, late, sourceOpen }: Trace<unknown>): void {
  assert.deepEqual(late, []);
  assert.ok(signals.filter((name) => name !== 'next').length <= 1);
  assert.equal(sourceOpen, false);
}

/** in = out + discarded, each once, and both in the order of the source. */
function assertConserved(made: readonly number[], out: readonly number[], discarded: readonly number[]): void {
  assert.deepEqual(
    [...out, ...discarded].sort((a, b) => a - b),
    made,
  );
  assert.deepEqual(
    [...out].sort((a, b) => a - b),
    out,
  );
}

const sizes = fc.record({ maxSize: fc.integer({ min: 1, max: 9 }), maxWaitMs: fc.integer({ min: 0, max: 20 }) });

describe('properties of the operators', () => {
  it('stride conserves and keeps every n-th', () => {
    fc.assert(
      fc.property(script, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 5 }), (plan, n, offset) => {
        const trace = play(plan, (_, onDiscard) => stride(n, { offset, onDiscard }));
        assertWellBehaved(trace);
        assertConserved(trace.made, trace.emitted, trace.discarded);
        assert.deepEqual(
          trace.emitted,
          trace.made.filter((i) => i >= offset && (i - offset) % n === 0),
        );
      }),
    );
  });

  it('rampBatch conserves, keeps the order, emits no empty batch and none above its size', () => {
    fc.assert(
      fc.property(script, sizes, fc.double({ min: 1, max: 4, noNaN: true }), (plan, size, growth) => {
        const trace = play(plan, (scheduler, onDiscard) => rampBatch({ ...size, growth, scheduler, onDiscard }));
        assertWellBehaved(trace);
        assertConserved(trace.made, trace.emitted.flat(), trace.discarded);
        let bound = Math.min(2, size.maxSize);
        for (const { length } of trace.emitted) {
          assert.ok(length >= 1 && length <= bound, `${length} of ${bound}`);
          bound = Math.min(size.maxSize, Math.ceil(bound * growth));
        }
        if (trace.signals.at(-1) === 'complete') assert.deepEqual(trace.discarded, []);
      }),
    );
  });

  it('rampBatch lets no item wait longer than the wait', () => {
    fc.assert(
      fc.property(script, sizes, (plan, size) => {
        const since = new Map<number, number>();
        play(
          plan,
          (scheduler, onDiscard) => (source$) =>
            source$.pipe(
              tap((item) => since.set(item, scheduler.now())),
              rampBatch({ ...size, scheduler, onDiscard }),
              tap((batch) => {
                for (const item of batch) assert.ok(scheduler.now() - (since.get(item) ?? 0) <= size.maxWaitMs);
              }),
            ),
        );
      }),
    );
  });

  it('deadlineBatch hands on nothing that is predicted to end too late, one batch after the other', () => {
    fc.assert(
      fc.property(
        script,
        sizes,
        fc.record({
          deadlineMs: fc.integer({ min: 0, max: 150 }),
          startMs: fc.integer({ min: 0, max: 20 }),
          itemMs: fc.integer({ min: 0, max: 20 }),
        }),
        (plan, size, { deadlineMs, startMs, itemMs }) => {
          const predictMs = (count: number) => startMs + itemMs * count;
          let busyUntilMs = 0;
          const trace = play(
            plan,
            (scheduler, onDiscard) => (source$) =>
              source$.pipe(
                deadlineBatch({
                  ...size,
                  deadlineMs,
                  predictMs,
                  busyMs: () => Math.max(0, busyUntilMs - scheduler.now()),
                  scheduler,
                  onDiscard,
                }),
                tap(({ length }) => {
                  busyUntilMs = Math.max(busyUntilMs, scheduler.now()) + predictMs(length);
                  assert.ok(busyUntilMs <= deadlineMs, `ends at ${busyUntilMs}, after ${deadlineMs}`);
                }),
              ),
          );
          assertWellBehaved(trace);
          assertConserved(trace.made, trace.emitted.flat(), trace.discarded);
          assert.ok(!trace.signals.includes('error') || plan.ending === 'error');
        },
      ),
    );
  });

  it('boundedMap keeps its bounds and the order, and gives back what never began', () => {
    fc.assert(
      fc.property(
        script,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 7 }),
        (plan, concurrency, maxQueued, worksMs) => {
          const began: number[] = [];
          let atWork = 0;
          const trace = play(plan, (scheduler, onDiscard) =>
            boundedMap({
              concurrency,
              maxQueued,
              onDiscard,
              project: (item, index) =>
                new Observable<number>((subscriber) => {
                  began.push(item);
                  assert.ok(++atWork <= concurrency);
                  subscriber.add(() => atWork--);
                  const workMs = worksMs[index % worksMs.length] ?? 0;
                  return concat(of(item), timer(workMs, scheduler).pipe(ignoreElements()), of(item)).subscribe(
                    subscriber,
                  );
                }),
            }),
          );
          assertWellBehaved(trace);
          assert.equal(atWork, 0);
          assertConserved(trace.made, began, trace.discarded);
          assert.ok(trace.discarded.length <= maxQueued + 1);
          const pairs = trace.emitted.filter((_, i) => i % 2 === 0);
          assert.deepEqual(
            pairs,
            began.slice(0, pairs.length),
            'in the order of the inputs, each complete before the next',
          );
          assert.ok(trace.emitted.every((item, i) => i % 2 === 0 || item === trace.emitted[i - 1]));
        },
      ),
    );
  });

  it('softCut above a batcher loses nothing that was taken in', () => {
    fc.assert(
      fc.property(script, sizes, fc.integer({ min: 0, max: 100 }), (plan, size, cutMs) => {
        const taken: number[] = [];
        const trace = play(
          plan,
          (scheduler, onDiscard) => (source$) =>
            source$.pipe(
              softCut(timer(cutMs, scheduler)),
              tap((item) => taken.push(item)),
              rampBatch({ ...size, scheduler, onDiscard }),
            ),
        );
        assertWellBehaved(trace);
        assertConserved(taken, trace.emitted.flat(), trace.discarded);
        if (trace.signals.at(-1) === 'complete') assert.deepEqual(trace.emitted.flat(), taken);
      }),
    );
  });

  it('pull never makes more than was asked for, nor two at a time, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ gapMs: fc.integer({ min: 0, max: 9 }), credits: fc.integer({ min: 0, max: 4 }) }), {
          maxLength: 20,
        }),
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 120 }),
        (demands, worksMs, leaveMs) => {
          const scheduler = new VirtualTimeScheduler();
          const demand$ = new Subject<number>();
          let requested = 0;
          let begun = 0;
          let pending = 0;
          let closed = 0;
          const emitted: number[] = [];
          let left = false;
          const open = () => ({
            next: () =>
              new Observable<number>((subscriber) => {
                const item = begun++;
                assert.equal(pending++, 0, 'one request at a time');
                assert.ok(begun <= requested, 'never ahead of the credits');
                subscriber.add(() => pending--);
                const workMs = worksMs[item];
                if (workMs === undefined) return subscriber.complete();
                return timer(workMs, scheduler)
                  .pipe(map(() => item))
                  .subscribe(subscriber);
              }),
            close: () => {
              assert.equal(pending, 0, 'closed after the pending request was left');
              closed++;
            },
          });
          const subscription = pull({ open, demand$ }).subscribe((item) => {
            assert.equal(left, false);
            emitted.push(item);
            assert.ok(emitted.length <= requested);
          });
          let atMs = 0;
          for (const { gapMs, credits } of demands) {
            atMs += gapMs;
            const give = () => {
              requested += credits;
              demand$.next(credits);
            };
            scheduler.schedule(give, atMs);
          }
          scheduler.schedule(() => {
            subscription.unsubscribe();
            left = true;
          }, leaveMs);
          scheduler.flush();
          assert.equal(closed, 1);
          assert.deepEqual(
            emitted,
            emitted.map((_, i) => i),
          );
        },
      ),
    );
  });
});
