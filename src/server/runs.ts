import {
  BehaviorSubject,
  catchError,
  concat,
  defer,
  filter,
  finalize,
  firstValueFrom,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  type SchedulerLike,
  Subject,
  share,
  takeWhile,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { createAnswerCache } from './answer-cache.js';
import type { Answerer, AnswererEvent, Challenge } from './answerer.js';
import { createWireAnswer, type WireAnswer } from './wire-answer.js';

/** What a run says on its way. */
type Update = Exclude<AnswererEvent, { type: 'answer' }>;

export type RunEvent =
  | Update
  /** `shared`: the answer was kept from, or the run begun by, an earlier caller. */
  | { readonly type: 'answer'; readonly answer: WireAnswer; readonly shared: 'cached' | 'joined' | undefined };

export interface RunsOptions {
  readonly answerer: Answerer;
  readonly maxConcurrent: number;
  readonly cacheTtlMs: number;
  readonly cacheMaxBytes: number;
  /** A run that has not answered by then is cut with ERR_BUDGET_EMPTY, so that a hung one cannot keep the server busy for good. */
  readonly maxRunMs: number;
  /** Times the cut and the cache. Default the real clock. */
  readonly scheduler: SchedulerLike;
}

/** The challenges being answered: how many may run, who shares which, what is kept (FEATURES F29, F42). */
export interface Runs {
  /**
   * Cold: subscribing takes a kept answer, joins the run of the same URL or starts one; emits `first` and `progress` (a late
   * joiner gets the first one and the latest), ends with `answer`. The run ends when its last subscriber leaves.
   * Errors: ERR_BUSY, ERR_SHUTDOWN, ERR_BUDGET_EMPTY, and the answerer's own.
   */
  join(challenge: Challenge): Observable<RunEvent>;
  /** Runs in progress, not callers. */
  readonly active: number;
  /** Whether a run for a new URL would be accepted. */
  readonly free: boolean;
  /** Refuses whatever comes from now on with ERR_SHUTDOWN; runs in progress go on. */
  drain(): void;
  /** Ends every run with ERR_SHUTDOWN. */
  cut(): void;
  /** Resolves when no run is in progress. */
  idle(): Promise<void>;
}

/** Bound on callers that share one run (chosen: the subnet has at most 64 validators; each holds a socket). */
const maxCallersPerRun = 256;

interface Run {
  readonly events$: Observable<Update | { readonly type: 'answer'; readonly answer: WireAnswer }>;
  callers: number;
  first?: Update;
  latest?: Update;
}

export function createRuns(options: RunsOptions): Runs {
  const { answerer, maxConcurrent, cacheTtlMs, cacheMaxBytes, maxRunMs, scheduler } = options;
  if (!(maxConcurrent >= 1)) throw new OptionError('maxConcurrent must be 1 or more', { maxConcurrent });
  const cache = createAnswerCache({ ttlMs: cacheTtlMs, maxBytes: cacheMaxBytes, now: () => scheduler.now() });
  const runs = new Map<string, Run>();
  const active$ = new BehaviorSubject(0);
  const cut$ = new Subject<never>();
  let draining = false;

  const start = (challenge: Challenge): Run => {
    const { videoUrl } = challenge;
    const tooLong$ = timer(maxRunMs, scheduler).pipe(
      mergeMap(() => throwError(() => new TikitakaError('ERR_BUDGET_EMPTY', `No answer within ${maxRunMs} ms`))),
    );
    const unanswered$ = throwError(() => new TikitakaError('ERR_INTERNAL', 'The run ended without an answer'));
    const answered$ = defer(() => answerer.answer(challenge)).pipe(
      map((event) => (event.type === 'answer' ? { ...event, answer: createWireAnswer(event.answer) } : event)),
      tap((event) => {
        if (event.type === 'answer') cache.put(videoUrl, event.answer);
        else {
          run.first ??= event;
          run.latest = event;
        }
      }),
    );
    const run: Run = {
      callers: 0,
      events$: merge(concat(answered$, unanswered$), tooLong$, cut$).pipe(
        takeWhile(({ type }) => type !== 'answer', true),
        finalize(() => {
          runs.delete(videoUrl);
          active$.next(runs.size);
        }),
        share(),
      ),
    };
    runs.set(videoUrl, run);
    active$.next(runs.size);
    return run;
  };
  const joinRun = (challenge: Challenge): Observable<RunEvent> => {
    if (draining) return throwError(shutdown);
    const joined = runs.get(challenge.videoUrl);
    if (!joined && runs.size >= maxConcurrent) return throwError(() => busy('Another challenge is being answered'));
    if (joined && joined.callers >= maxCallersPerRun) return throwError(() => busy('Too many callers of this clip'));
    const run = joined ?? start(challenge);
    run.callers++;
    const before = [...new Set([run.first, run.latest])].filter((event) => event !== undefined);
    return concat(before, run.events$).pipe(
      map((event) =>
        event.type === 'answer' ? { ...event, shared: joined ? ('joined' as const) : undefined } : event,
      ),
      finalize(() => run.callers--),
    );
  };
  return {
    join: (challenge) =>
      defer(() => {
        const answer = draining ? undefined : cache.get(challenge.videoUrl);
        if (!answer) return joinRun(challenge);
        return isCurrent(answerer, challenge.videoUrl, answer).pipe(
          mergeMap((current) => {
            if (current) return of({ type: 'answer', answer, shared: 'cached' } as const);
            cache.delete(challenge.videoUrl);
            return joinRun(challenge);
          }),
        );
      }),
    get active() {
      return runs.size;
    },
    get free() {
      return !draining && runs.size < maxConcurrent;
    },
    drain: () => {
      draining = true;
    },
    cut: () => cut$.error(shutdown()),
    idle: async () => {
      await firstValueFrom(active$.pipe(filter((count) => count === 0)));
    },
  };
}

function isCurrent(answerer: Answerer, videoUrl: string, { version }: WireAnswer): Observable<boolean> {
  if (version === undefined || !answerer.isCurrent) return of(true);
  return defer(() => answerer.isCurrent?.(videoUrl, version) ?? of(true)).pipe(catchError(() => of(false)));
}

function busy(reason: string): TikitakaError {
  return new TikitakaError('ERR_BUSY', reason, { retryable: true });
}

function shutdown(): TikitakaError {
  return new TikitakaError('ERR_SHUTDOWN', 'The server is shutting down', { retryable: true });
}
