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
  take,
  takeWhile,
  tap,
  throwError,
  timeout,
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
  /** How long is asked whether a kept answer still holds, ms; after that it is sent unasked. 0 = never asked. */
  readonly revalidateMs: number;
  /** A run that has not answered by then is cut with ERR_BUDGET_EMPTY, so that a hung one cannot keep the server busy for good. */
  readonly maxRunMs: number;
  /** Times the cut and the cache. Default the real clock. */
  readonly scheduler: SchedulerLike;
}

/** The challenges being answered: how many may run, who shares which, what is kept. */
export interface Runs {
  /**
   * Cold: subscribing joins the run of the same URL, takes a kept answer or starts a run; emits `first` and `progress` (a late
   * joiner gets the first one and the latest), ends with `answer`. The run ends when its last subscriber leaves. Asking whether
   * a kept answer still holds is a run too: it takes a place, has its own short limit, and what may follow it has a full budget.
   * Where no place is free the kept answer is sent unasked.
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

type AnyEvent = Update | { readonly type: 'answer'; readonly answer: WireAnswer; readonly kept: boolean };

interface Run {
  readonly events$: Observable<AnyEvent>;
  callers: number;
  first?: Update;
  latest?: Update;
}

export function createRuns(options: RunsOptions): Runs {
  const { answerer, maxConcurrent, cacheTtlMs, cacheMaxBytes, revalidateMs, maxRunMs, scheduler } = options;
  if (!(maxConcurrent >= 1)) throw new OptionError('maxConcurrent must be 1 or more', { maxConcurrent });
  const cache = createAnswerCache({ ttlMs: cacheTtlMs, maxBytes: cacheMaxBytes, now: () => scheduler.now() });
  const runs = new Map<string, Run>();
  const active$ = new BehaviorSubject(0);
  const cut$ = new Subject<never>();
  let draining = false;

  const start = (challenge: Challenge, kept: WireAnswer | undefined): Run => {
    const { videoUrl } = challenge;
    const tooLong$ = timer(maxRunMs, scheduler).pipe(
      mergeMap(() => throwError(() => new TikitakaError('ERR_BUDGET_EMPTY', `No answer within ${maxRunMs} ms`))),
    );
    const unanswered$ = throwError(() => new TikitakaError('ERR_INTERNAL', 'The run ended without an answer'));
    const answer$ = (from: Challenge) =>
      defer(() => answerer.answer(from)).pipe(
        map((event): AnyEvent => {
          if (event.type === 'answer') return { ...event, answer: createWireAnswer(event.answer), kept: false };
          run.first ??= event;
          run.latest = event;
          return event;
        }),
        tap((event) => {
          if (event.type === 'answer' && !event.answer.disturbed) cache.put(videoUrl, event.answer);
        }),
      );
    const answered$ = kept ? whereCurrent(kept, challenge, answer$) : answer$(challenge);
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
  /** The kept answer where the URL still holds what it was made of, or nobody says in time that it does not; else what `anew` makes. */
  const whereCurrent = (
    kept: WireAnswer,
    challenge: Challenge,
    anew: (from: Challenge) => Observable<AnyEvent>,
  ): Observable<AnyEvent> => {
    const { videoUrl, receivedAtMs } = challenge;
    const askedAtMs = scheduler.now();
    return defer(() => answerer.isCurrent?.(videoUrl, kept.version ?? '') ?? of(true)).pipe(
      timeout({ first: revalidateMs, with: () => of(true), scheduler }),
      catchError(() => of(true)),
      take(1),
      mergeMap((current): Observable<AnyEvent> => {
        if (current) return of({ type: 'answer', answer: kept, kept: true });
        cache.delete(videoUrl);
        return anew({ ...challenge, receivedAtMs: receivedAtMs + scheduler.now() - askedAtMs });
      }),
    );
  };
  const join = (challenge: Challenge): Observable<RunEvent> => {
    if (draining) return throwError(shutdown);
    const { videoUrl } = challenge;
    const joined = runs.get(videoUrl);
    const kept = joined ? undefined : cache.get(videoUrl);
    const isAsked = kept?.version !== undefined && answerer.isCurrent && revalidateMs > 0;
    const isFull = runs.size >= maxConcurrent;
    if (kept && (!isAsked || isFull)) return of({ type: 'answer', answer: kept, shared: 'cached' });
    if (!joined && isFull) return throwError(() => busy('Another challenge is being answered'));
    if (joined && joined.callers >= maxCallersPerRun) return throwError(() => busy('Too many callers of this clip'));
    const run = joined ?? start(challenge, kept);
    run.callers++;
    const before = [...new Set([run.first, run.latest])].filter((event) => event !== undefined);
    return concat(before, run.events$).pipe(
      map((event): RunEvent => {
        if (event.type !== 'answer') return event;
        const { type, answer } = event;
        return { type, answer, shared: event.kept ? 'cached' : joined ? 'joined' : undefined };
      }),
      finalize(() => run.callers--),
    );
  };
  return {
    join: (challenge) => defer(() => join(challenge)),
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

function busy(reason: string): TikitakaError {
  return new TikitakaError('ERR_BUSY', reason, { retryable: true });
}

function shutdown(): TikitakaError {
  return new TikitakaError('ERR_SHUTDOWN', 'The server is shutting down', { retryable: true });
}
