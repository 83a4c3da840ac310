import assert from 'node:assert/strict';
import {
  asapScheduler,
  concat,
  EMPTY,
  map,
  NEVER,
  Observable,
  type ObservableInput,
  of,
  pipe,
  range,
  take,
  throwError,
  timer,
  type UnaryFunction,
} from 'rxjs';
import * as operators from '../../operators/index.js';

const { batchTo, boundedMap, collectUntil, deadlineBatch, hardCut, lendTo, pull, rampBatch, softCut, stride, twoCuts } =
  operators;

/** Something that has to be given back exactly once, whatever becomes of it. */
class Item {
  released = 0;
  readonly release = () => {
    this.released++;
  };
}
const release = (item: Item) => item.release();

/** How the stream ends after its items; `burst` = the consumer leaves after two values, in the middle of a synchronous burst. */
const endings = ['complete', 'error', 'unsubscribe', 'burst'] as const;
type Ending = (typeof endings)[number];

/** Makes at most `count` items, on demand, and then ends. */
interface Supply {
  readonly count: number;
  make(): Item;
  readonly end$: Observable<never>;
}

/** A stream over the supply; its consumer releases what it emits. */
type Row = (supply: Supply) => Observable<readonly Item[]>;

const through =
  (operator: UnaryFunction<Observable<Item>, Observable<Item | readonly Item[]>>): Row =>
  ({ count, make, end$ }) =>
    concat(range(0, count).pipe(map(make)), end$).pipe(
      operator,
      map((out) => (out instanceof Item ? [out] : out)),
    );

/** Work that owns its input from its subscription on, and gives nothing out. */
const work = (inside$: ObservableInput<unknown>) => (item: Item) =>
  new Observable<readonly Item[]>((subscriber) => {
    subscriber.add(item.release);
    return concat(inside$, of(0))
      .pipe(map(() => []))
      .subscribe(subscriber);
  });

/** Borrowed for as long as `inside$` takes; the consumer gets nothing. */
const lent = (inside$: ObservableInput<unknown>) => () => concat(inside$, of(0)).pipe(map((): readonly Item[] => []));

const fed = ({ count, make, end$ }: Supply) => {
  let made = 0;
  return () => (made++ < count ? of(make()) : end$);
};
async function* iterate({ count, make, end$ }: Supply) {
  for (let i = 0; i < count; i++) yield make();
  await new Promise<void>((resolve, reject) => {
    end$.subscribe({ error: reject, complete: resolve });
  });
}

const never = Number.POSITIVE_INFINITY;
const table: Record<string, Record<string, Row>> = {
  stride: {
    'every third': through(stride(3, { onDiscard: release })),
    'from an offset': through(stride(2, { offset: 3, onDiscard: release })),
  },
  rampBatch: {
    'full batches only': through(rampBatch({ maxSize: 4, maxWaitMs: never, onDiscard: release })),
    'with a wait': through(
      rampBatch({ maxSize: 64, firstSize: 3, maxWaitMs: 0, scheduler: asapScheduler, onDiscard: release }),
    ),
    'above a stage that runs idle': through(
      rampBatch({ maxSize: 4, maxWaitMs: never, idle$: timer(0, asapScheduler), onDiscard: release }),
    ),
  },
  deadlineBatch: {
    'a far deadline': through(
      deadlineBatch({ maxSize: 4, maxWaitMs: never, deadlineMs: () => never, predictMs: (n) => n, onDiscard: release }),
    ),
    'no time at all': through(
      deadlineBatch({ maxSize: 4, maxWaitMs: never, deadlineMs: 0, predictMs: (n) => n, onDiscard: release }),
    ),
    'batches that shrink': through(
      deadlineBatch({
        maxSize: 4,
        firstSize: 4,
        maxWaitMs: never,
        deadlineMs: (() => {
          let asked = 0;
          return () => (asked++ % 4 === 3 ? 2 : 4);
        })(),
        predictMs: (n) => n,
        scheduler: { now: () => 0, schedule: () => EMPTY.subscribe() },
        onDiscard: release,
      }),
    ),
    'a prediction that throws': through(
      deadlineBatch({
        maxSize: 4,
        maxWaitMs: never,
        deadlineMs: () => 0,
        predictMs: () => assert.fail('no prediction'),
        onDiscard: release,
      }),
    ),
  },
  boundedMap: {
    'work that never ends': through(
      boundedMap({ project: work(NEVER), concurrency: 2, maxQueued: 3, onDiscard: release }),
    ),
    'work that ends at once': through(
      boundedMap({ project: work(EMPTY), concurrency: 2, maxQueued: 0, onDiscard: release }),
    ),
    'work that ends later': through(
      boundedMap({ project: work(timer(0, asapScheduler)), concurrency: 2, maxQueued: 30, onDiscard: release }),
    ),
    'work that fails later': through(
      boundedMap({
        project: work(
          concat(
            timer(0, asapScheduler),
            throwError(() => new Error('work')),
          ),
        ),
        concurrency: 3,
        maxQueued: 30,
        onDiscard: release,
      }),
    ),
    'work that cannot begin': through(
      boundedMap({ project: () => assert.fail('no work'), concurrency: 2, maxQueued: 3, onDiscard: release }),
    ),
  },
  softCut: {
    'above a batcher': through(
      pipe(softCut(timer(0, asapScheduler)), rampBatch({ maxSize: 4, maxWaitMs: never, onDiscard: release })),
    ),
  },
  hardCut: {
    'below a batcher': through(
      pipe(
        rampBatch<Item>({ maxSize: 4, maxWaitMs: never, onDiscard: release }),
        hardCut(timer(0, asapScheduler), () => of([])),
      ),
    ),
  },
  pull: {
    'credit for all': (supply) =>
      pull({ open: () => ({ next: fed(supply), close: () => {} }), demand$: of(never) }).pipe(map((item) => [item])),
    'credit for three': (supply) =>
      pull({ open: () => ({ next: fed(supply), close: () => {} }), demand$: concat(of(1, 2), supply.end$) }).pipe(
        map((item) => [item]),
      ),
    'an async iterable': (supply) =>
      pull({ open: () => iterate(supply), onDiscard: release }).pipe(map((item) => [item])),
  },
  lendTo: {
    'work that ends later': through(lendTo(lent(timer(0, asapScheduler)), { concurrency: 2 })),
    'work that ends at once': through(lendTo(lent(EMPTY), { concurrency: 2 })),
    'a promise': through(lendTo(() => Promise.resolve([]))),
    'a promise that fails': through(lendTo(() => Promise.reject(new Error('work')), { concurrency: 3 })),
    'work that cannot begin': through(lendTo(() => assert.fail('no work'), { concurrency: 2 })),
    'too many': through(lendTo(() => new Promise<[]>((resolve) => setImmediate(() => resolve([]))), { maxQueued: 2 })),
  },
  batchTo: {
    'work that ends later': through(batchTo(lent(timer(0, asapScheduler)), { maxSize: 4, maxWaitMs: never })),
    'full batches only': through(batchTo(lent(EMPTY), { maxSize: 3, maxWaitMs: never, eager: false })),
    'no time at all': through(
      batchTo(lent(EMPTY), { maxSize: 4, maxWaitMs: never, deadlineMs: 0, predictMs: (n) => n }),
    ),
    'work that fails': through(batchTo(lent(throwError(() => new Error('work'))), { maxSize: 4, maxWaitMs: never })),
  },
  twoCuts: {
    'round a batcher': through(
      twoCuts({
        soft$: timer(0, asapScheduler),
        hard$: timer(1, asapScheduler),
        stages: rampBatch<Item>({ maxSize: 4, maxWaitMs: never, onDiscard: release }),
        last: () => EMPTY,
      }),
    ),
  },
  collectUntil: {
    'a cut': through(
      pipe(
        collectUntil<Item>(timer(0, asapScheduler), { onDiscard: release }),
        map(({ items }) => items),
      ),
    ),
    'no cut': through(
      pipe(
        collectUntil<Item>(NEVER, { onDiscard: release }),
        map(({ items }) => items),
      ),
    ),
  },
};

/** Lets promises, asap work and immediate callbacks that are due run. */
const settled = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

async function run(row: Row, count: number, ending: Ending): Promise<readonly Item[]> {
  const made: Item[] = [];
  const make = () => {
    const item = new Item();
    made.push(item);
    return item;
  };
  const end$ = { complete: EMPTY, error: throwError(() => new Error('source')), unsubscribe: NEVER, burst: EMPTY }[
    ending
  ];
  const stream$ = row({ count, make, end$ });
  const subscription = (ending === 'burst' ? stream$.pipe(take(2)) : stream$).subscribe({
    next: (items) => items.forEach(release),
    error: () => {},
  });
  await settled();
  subscription.unsubscribe();
  await settled();
  return made;
}

describe('no item is lost', () => {
  it('has a row for every exported operator and source', () => {
    const notStreams = ['TikitakaError', 'OptionError'];
    const exported = Object.keys(operators).filter((name) => !notStreams.includes(name));
    assert.deepEqual(Object.keys(table).sort(), exported.sort());
  });

  for (const [name, rows] of Object.entries(table)) {
    for (const [how, row] of Object.entries(rows)) {
      for (const ending of endings) {
        it(`${name}, ${how}, ${ending}: everything made is given back once`, async () => {
          for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 20]) {
            const made = await run(row, count, ending);
            const releases = made.map(({ released }) => released);
            assert.deepEqual(
              releases,
              releases.map(() => 1),
              `${count} items`,
            );
          }
        });
      }
    }
  }
});
