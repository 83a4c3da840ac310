import assert from 'node:assert/strict';
import { VirtualTimeScheduler } from 'rxjs';
import { type Budget, type BudgetOptions, createBudget } from '../../../src/challenge/budget.js';

const options: BudgetOptions = {
  budgetMs: 1000,
  finishMs: () => 0,
  deterministic: false,
};

interface Course {
  readonly over?: Partial<BudgetOptions>;
  /** What happens when, ms from the request. */
  readonly events?: readonly (readonly [atMs: number, happen: (budget: Budget) => void])[];
  readonly predictMs?: number;
}

/** When the cuts come, ms from the request; undefined = never. */
function cutsOf({ over = {}, events = [], predictMs = 100 }: Course) {
  const scheduler = new VirtualTimeScheduler();
  scheduler.maxFrames = 100_000;
  const eye = { predictMs: () => predictMs };
  const budget = createBudget({ ...options, ...over, finishMs: over.finishMs ?? (() => 0) }, eye, scheduler);
  const cuts: { softMs?: number; hardMs?: number } = {};
  budget.soft$.subscribe(() => {
    cuts.softMs = scheduler.now();
  });
  budget.hard$.subscribe(() => {
    cuts.hardMs = scheduler.now();
  });
  for (const [atMs, happen] of events) scheduler.schedule(() => happen(budget), atMs);
  scheduler.flush();
  return { softMs: cuts.softMs, hardMs: cuts.hardMs };
}

const found = (budget: Budget) => budget.found();
const firstFrame = (budget: Budget) => budget.firstFrame();

describe('the budget', () => {
  const cases: readonly (readonly [
    why: string,
    course: Course,
    softMs: number | undefined,
    hardMs: number | undefined,
  ])[] = [
    ['ends as told, the intake a run earlier', {}, 900, 1000],
    ['keeps free what the finish takes', { over: { finishMs: () => 40 } }, 860, 960],
    ['has no end in deterministic mode', { over: { deterministic: true } }, undefined, undefined],
    ['has no end without a budget', { over: { budgetMs: Number.POSITIVE_INFINITY } }, undefined, undefined],
    [
      'counts from the first frame',
      { over: { afterFirstFrame: { timeoutMs: 5000 } }, events: [[300, firstFrame]] },
      1200,
      1300,
    ],
    ['counts from the latest first frame', { over: { afterFirstFrame: { timeoutMs: 500 } } }, 1400, 1500],
    ['waits where nothing is found', { over: { onEmpty: { waitMs: 5000 } } }, 4900, 5000],
    [
      'does not wait where something is found',
      { over: { onEmpty: { waitMs: 5000 } }, events: [[600, found]] },
      900,
      1000,
    ],
    [
      'ends the intake at once where the first finding comes behind its end, in time',
      { over: { onEmpty: { waitMs: 5000 } }, events: [[950, found]] },
      950,
      1000,
    ],
    [
      'waits for the rest of a first look where the first finding is late',
      { over: { onEmpty: { waitMs: 5000 } }, events: [[1001, found]] },
      4900,
      5000,
    ],
    ['does not wait for less than itself', { over: { onEmpty: { waitMs: 800 } } }, 900, 1000],
  ];
  for (const [why, course, softMs, hardMs] of cases) {
    it(why, () => assert.deepEqual(cutsOf(course), { softMs, hardMs }));
  }

  it('follows what must be kept free while it changes', () => {
    let finishMs = 40;
    const load = (ms: number) => () => {
      finishMs = ms;
    };
    const over = { finishMs: () => finishMs };
    assert.equal(cutsOf({ over, events: [[500, load(200)]] }).hardMs, 800, 'a load that begins half-way');
    finishMs = 200;
    assert.equal(cutsOf({ over, events: [[500, load(40)]] }).hardMs, 960, 'one that ends');
    finishMs = 40;
    assert.equal(cutsOf({ over, events: [[870, load(200)]] }).hardMs, 900, 'too late to keep it free: when it is seen');
  });

  it('looks at its end no oftener than the time left halves', () => {
    let asked = 0;
    const finishMs = () => {
      asked++;
      return 0;
    };
    cutsOf({ over: { budgetMs: 60_000, finishMs } });
    assert.ok(asked < 100, `${asked} times in a minute`);
  });
});
