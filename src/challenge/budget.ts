import { defer, merge, NEVER, type Observable, of, type SchedulerLike, Subject, switchMap, take, timer } from 'rxjs';
import type { Eye } from './question.js';

export interface BudgetOptions {
  /** Hard deadline in ms, counted from `requestedAtMs` or from the first frame; `Infinity` = none. */
  readonly budgetMs: number;
  /** Count the budget from the first decoded frame, but from no later than so many ms after the request. */
  readonly afterFirstFrame?: { readonly timeoutMs: number } | undefined;
  /**
   * A budget that ends before anything was found goes on to a first look at the whole clip, until so many ms after the request;
   * undefined: it is ERR_BUDGET_EMPTY.
   */
  readonly onEmpty?: { readonly waitMs: number } | undefined;
  /** The request's time on the scheduler's clock; default the moment of subscription. */
  readonly requestedAtMs?: number | undefined;
  /** Kept free before the hard deadline for the last snapshot and its sending, ms, as things stand: asked again and again. */
  readonly finishMs: () => number;
  /** Ignore the clock: the same batches, the same answer, whatever the load (`PLAN=fixed`). */
  readonly deterministic: boolean;
}

export interface Budget {
  /** When the last batch must be done, ms on the scheduler's clock. While nothing is found that may be later than the budget's end. */
  readonly hardAtMs: () => number;
  /** When no frame may be taken in any more, as things stand; same clock. */
  readonly softAtMs: () => number;
  readonly hard$: Observable<unknown>;
  readonly soft$: Observable<unknown>;
  /** Nothing is found in time: all that is wanted is a first look at the whole clip. */
  readonly isOverdue: () => boolean;
  /** Tells that a frame was decoded; only the first call counts. */
  firstFrame(): void;
  /** Tells that something was found; only the first call counts. */
  found(): void;
}

/** So near the end of a wait it is slept through; before, half of it: what must be kept free at the end changes meanwhile, ms. Chosen. */
const NEAR_MS = 10;

/**
 * The two deadlines on one clock: what the last snapshot and its sending take is kept free before the budget's end, as much as
 * that is believed to be at the time. The first frame moves them forward where the budget is counted from it; where nothing
 * is found in time, and that is to be waited for, they move back.
 */
export function createBudget(
  options: BudgetOptions,
  eye: Pick<Eye<unknown>, 'predictMs'>,
  scheduler: SchedulerLike,
): Budget {
  const { budgetMs, afterFirstFrame, onEmpty, deterministic, finishMs, requestedAtMs = scheduler.now() } = options;
  const lastAtMs = requestedAtMs + (onEmpty?.waitMs ?? 0);
  let endAtMs = deterministic ? Number.POSITIVE_INFINITY : requestedAtMs + (afterFirstFrame?.timeoutMs ?? 0) + budgetMs;
  const moved$ = new Subject<void>();
  let seen = false;
  let outcome: 'nothing' | 'in time' | 'late' = 'nothing';

  const dueAtMs = () => endAtMs - finishMs();
  const lateAtMs = () => Math.max(endAtMs, lastAtMs) - finishMs();
  const takeInUntil = (atMs: number) => atMs - eye.predictMs(1);
  // What was taken in before the first finding may still become one; what is there then, and not done in time, is cut off.
  const hardAtMs = () => (outcome === 'in time' ? dueAtMs() : lateAtMs());
  const isOverdue = () =>
    lastAtMs > endAtMs && outcome !== 'in time' && (outcome === 'late' || scheduler.now() >= takeInUntil(dueAtMs()));
  const softAtMs = () => takeInUntil(isOverdue() ? lateAtMs() : dueAtMs());

  const wait = (atMs: () => number): Observable<unknown> =>
    defer(() => {
      const leftMs = Math.max(0, atMs() - scheduler.now());
      if (leftMs === Number.POSITIVE_INFINITY) return NEVER;
      if (leftMs <= NEAR_MS) return timer(leftMs, scheduler).pipe(switchMap(() => again(atMs)));
      return timer(leftMs / 2, scheduler).pipe(switchMap(() => wait(atMs)));
    });
  const again = (atMs: () => number) => (atMs() > scheduler.now() ? wait(atMs) : of(undefined));
  const reach = (atMs: () => number) =>
    merge(of(undefined), moved$).pipe(
      switchMap(() => wait(atMs)),
      take(1),
    );
  return {
    hardAtMs,
    softAtMs,
    hard$: reach(hardAtMs),
    soft$: reach(softAtMs),
    isOverdue,
    firstFrame() {
      if (seen) return;
      seen = true;
      if (!afterFirstFrame || deterministic) return;
      endAtMs = Math.min(endAtMs, scheduler.now() + budgetMs);
      moved$.next();
    },
    found() {
      if (outcome !== 'nothing') return;
      // Not what is kept free: a finding within the budget is an answer to it, if at the cost of that.
      outcome = scheduler.now() > endAtMs ? 'late' : 'in time';
      if (lastAtMs > endAtMs) moved$.next();
    },
  };
}
