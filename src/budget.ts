import { merge, NEVER, type Observable, of, ReplaySubject, type SchedulerLike, switchMap, take, timer } from 'rxjs';
import type { ModelRunner } from '../models/index.js';
import type { AnswerOptions } from './pipeline.js';

export interface Budget {
  /** When the last batch must be done, and when no frame may be taken in any more; ms on the scheduler's clock. */
  readonly hardAtMs: () => number;
  readonly softAtMs: () => number;
  readonly hard$: Observable<unknown>;
  readonly soft$: Observable<unknown>;
  /** Tells that a frame was decoded; only the first call counts. */
  firstFrame(): void;
}

/** The two deadlines on one clock (DESIGN decision 3), moved forward by the first frame where the budget is counted from it. */
export function createBudget(options: AnswerOptions, runner: ModelRunner, scheduler: SchedulerLike): Budget {
  const { budgetMs, afterFirstFrame, deterministic, finishMs, requestedAtMs = scheduler.now() } = options;
  const latestMs = requestedAtMs + (afterFirstFrame?.timeoutMs ?? 0) + budgetMs - finishMs;
  let endMs = deterministic ? Number.POSITIVE_INFINITY : latestMs;
  const moved$ = new ReplaySubject<void>(1);
  let seen = false;

  const hardAtMs = () => endMs;
  const softAtMs = () => endMs - runner.predictMs(1);
  const reach = (atMs: () => number) =>
    merge(of(undefined), moved$).pipe(
      switchMap(() => (Number.isFinite(atMs()) ? timer(Math.max(0, atMs() - scheduler.now()), scheduler) : NEVER)),
      take(1),
    );
  return {
    hardAtMs,
    softAtMs,
    hard$: reach(hardAtMs),
    soft$: reach(softAtMs),
    firstFrame() {
      if (seen) return;
      seen = true;
      if (!afterFirstFrame || deterministic) return;
      endMs = Math.min(endMs, scheduler.now() + budgetMs - finishMs);
      moved$.next();
    },
  };
}
