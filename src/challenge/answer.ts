import {
  asyncScheduler,
  catchError,
  defer,
  EMPTY,
  finalize,
  map,
  Observable,
  of,
  type SchedulerLike,
  switchMap,
  take,
  tap,
  throwError,
} from 'rxjs';
import { type Borrower, batchTo, type EndedBy, hardCut, softCut, TikitakaError } from '../../operators/index.js';
import type { Frame } from '../decode/index.js';
import { type Budget, type BudgetOptions, createBudget } from './budget.js';
import { createFreshening, type Freshening } from './freshening.js';
import type { ClipFacts, Eye, Question, Understanding } from './question.js';
import type { Timeline } from './timeline.js';

/** A clip whose header is read, and its frames in the planner's order. */
export interface OpenedClip extends ClipFacts {
  /**
   * Cold; reads, decodes and emits owned frames, no faster than slots come back. Completes when nothing is left to visit,
   * no visit fits before `softAtMs()` (clock of the scheduler), or a first look at the whole clip is taken and the budget
   * `isOverdue()`; `cutShort` then tells whether more was planned. Unsubscribing ends reading and decoding. Errors: ERR_SOURCE_*, ERR_DECODE.
   */
  read(budget: Pick<Budget, 'softAtMs' | 'isOverdue'>): Observable<Frame>;
  /** Whether frames that the plan wanted were left out, because of time or of a limit on the download. */
  readonly cutShort: boolean;
  /** What disturbed the reading so far without ending it: an origin that fell silent. */
  disturbance?(): TikitakaError | undefined;
}

export interface AnswerPorts<Finding, Answer> {
  /** Emits the opened clip once; errors with ERR_SOURCE_*, ERR_NOT_VIDEO, ERR_DECODE. */
  open(): Observable<OpenedClip>;
  readonly question: Question<Finding, Answer>;
  readonly timeline: Timeline;
  /** Clock and timers of everything here. Default `asyncScheduler`; a marble spec passes its TestScheduler. */
  readonly scheduler?: SchedulerLike;
}

export interface AnswerOptions extends BudgetOptions {
  /** Batches ramp from `firstSize` to `maxSize`; an open one waits at most `maxWaitMs` from its first frame. */
  readonly batch: { readonly maxSize: number; readonly firstSize: number; readonly maxWaitMs: number };
}

/**
 * `end`: every frame of the plan is answered; `plan`: what was left of it did not fit the time that was left; `budget`: the time
 * was up; `error`: a fault, whatever came after it.
 */
export type StoppedBy = 'end' | 'plan' | 'budget' | 'error';

export type AnswerEvent<Finding, Answer> =
  | {
      readonly type: 'findings';
      readonly findings: readonly Finding[];
      /** True once: the first touch. */
      readonly first: boolean;
      /** Frames that were looked at so far, these included. */
      readonly measured: number;
      readonly clip: ClipFacts;
    }
  | {
      readonly type: 'answer';
      readonly answer: Answer;
      readonly stoppedBy: StoppedBy;
      /** Frames that were looked at. */
      readonly measured: number;
      /** The first finding came after the end of the budget. */
      readonly late: boolean;
      /** How long after its time the hard cut came, ms; undefined where none was needed. */
      readonly cutLateMs: number | undefined;
      /** What disturbed it, where `stoppedBy` is `error`. */
      readonly problem?: TikitakaError;
    };

/** One look at work, one handed over behind it: the process never waits for pixels (measured: bench/model.ts). */
const LOOKS_IN_FLIGHT = 2;

/** What the last findings get to become part of the answer, even where the time is up: at least so much, ms, and so much of what is kept free. Chosen. */
const LEAST_FINISH_MS = 15;
const FINISH_SHARE = 0.5;

/**
 * Answers one question about one clip before its deadline; reads like the picture in docs/architecture.md.
 *
 * ```
 * open       --(c|)
 * frames       -f-ff-f-f-f…         until the soft cut
 * batches      -B--B----B(|)        none that cannot finish
 * findings     --F---F----F
 * hard cut   ---------------!
 * result     ----F---F----F-(A|)
 * ```
 *
 * - **Ends** with one `answer`: when every planned frame is answered, at the hard cut, or when a stage fails after
 *   something was found. Nothing that runs later can change or delay it. Where the budget ends before anything was found
 *   and `onEmpty` says so, the cuts move back, and a first look at the whole clip is the answer.
 * - **Order of use**: cold; one subscription is one challenge.
 * - **Pressure**: frames own slots; the source makes none while no slot is free. Every frame that enters is released once.
 * - **Errors**: a failure before any finding is passed on; where the time ends before any it is ERR_BUDGET_EMPTY.
 */
export function answerClip<Finding, Answer>(
  ports: AnswerPorts<Finding, Answer>,
  options: AnswerOptions,
): Observable<AnswerEvent<Finding, Answer>> {
  return defer(() => {
    const { question, timeline, scheduler = asyncScheduler } = ports;
    const { eye } = question;
    const budget = createBudget(options, eye, scheduler);
    let answering: Answering<Finding, Answer> | undefined;
    let outOfTime = false;
    let problem: TikitakaError | undefined;
    /** A stage that fails loses what it holds; what other stages hold is still answered. */
    const survive = (error: unknown): Observable<never> => {
      problem ??= asProblem(error);
      return EMPTY;
    };
    const outlive = (error: unknown) => (isRetryable(error) ? survive(error) : throwError(() => error));

    const findings$ = ports.open().pipe(
      take(1),
      switchMap((clip) => {
        const begun = beginAnswering(clip, { question, budget, timeline, scheduler });
        answering = begun;
        return clip.read(budget).pipe(
          catchError(survive),
          tap(() => {
            timeline.mark('first-frame');
            budget.firstFrame();
          }),
          softCut(budget.soft$.pipe(tap(() => (outOfTime = true)))),
          batchTo(lookThrough(eye, timeline, outlive), {
            ...(options.deterministic
              ? { maxSize: options.batch.maxSize, firstSize: options.batch.maxSize, eager: false }
              : { ...options.batch, deadlineMs: budget.hardAtMs }),
            maxWaitMs: options.batch.maxWaitMs,
            predictMs: (size) => eye.predictMs(size),
            concurrency: LOOKS_IN_FLIGHT,
            scheduler,
          }),
          map(begun.understand),
          finalize(begun.stop),
        );
      }),
    );

    const answer = (endedBy: EndedBy): Observable<AnswerEvent<Finding, Answer>> => {
      answering?.stop();
      const late = budget.isOverdue();
      outOfTime ||= endedBy === 'cut';
      const timeIsUp = outOfTime || late || scheduler.now() >= budget.softAtMs();
      const { clip, measured = 0 } = answering ?? {};
      if (!answering || measured === 0)
        return throwError(() => problem ?? nothingFound(timeIsUp, options, clip, timeline));
      problem ??= clip?.disturbance?.();
      timeline.mark('cut');
      const cutLateMs = endedBy === 'cut' ? Math.max(0, scheduler.now() - budget.hardAtMs()) : undefined;
      const stoppedBy = problem ? 'error' : !(outOfTime || clip?.cutShort) ? 'end' : timeIsUp ? 'budget' : 'plan';
      const end = timeline.begin('answer');
      const finishMs = Math.max(LEAST_FINISH_MS, FINISH_SHARE * options.finishMs());
      const snapshot = answering.understanding.snapshot(Math.max(finishMs, budget.hardAtMs() - scheduler.now()));
      end({ measured });
      return of({
        type: 'answer',
        answer: snapshot,
        stoppedBy,
        measured,
        late,
        cutLateMs,
        ...(problem ? { problem } : {}),
      });
    };

    return findings$.pipe(catchError(survive), hardCut(budget.hard$, answer));
  });
}

/** One clip on its way to an answer. */
interface Answering<Finding, Answer> {
  readonly clip: OpenedClip;
  readonly understanding: Understanding<Finding, Answer>;
  /** Frames that were looked at. */
  readonly measured: number;
  readonly understand: (findings: readonly Finding[]) => AnswerEvent<Finding, Answer>;
  /** Ends the work behind the findings. Idempotent. */
  readonly stop: () => void;
}

interface BeginOptions<Finding, Answer> {
  readonly question: Question<Finding, Answer>;
  readonly budget: Budget;
  readonly timeline: Timeline;
  readonly scheduler: SchedulerLike;
}

/** Findings go into the understanding, which is kept up to date behind them. */
function beginAnswering<Finding, Answer>(
  clip: OpenedClip,
  { question, budget, timeline, scheduler }: BeginOptions<Finding, Answer>,
): Answering<Finding, Answer> {
  const understanding = question.begin(clip);
  const freshening: Freshening = createFreshening({ understanding, hardAtMs: budget.hardAtMs, timeline, scheduler });
  let measured = 0;
  return {
    clip,
    understanding,
    get measured() {
      return measured;
    },
    understand(findings) {
      const first = measured === 0;
      measured += findings.length;
      budget.found();
      timeline.mark('first-finding');
      understanding.add(findings);
      freshening.outdated();
      return { type: 'findings', findings, first, measured, clip };
    },
    stop: freshening.stop,
  };
}

/** Lends frames to the eye: its findings as soon as they are there, its end when it reads no pixel any more. */
function lookThrough<Finding>(
  eye: Eye<Finding>,
  timeline: Timeline,
  onFailure: (error: unknown) => Observable<never>,
): Borrower<Frame[], readonly Finding[]> {
  return (frames, signal) =>
    new Observable((subscriber) => {
      const end = timeline.begin('infer', { frames: frames.length });
      for (const frame of frames) frame.lend();
      let failure: Observable<never> = EMPTY;
      const settled = afterBoth(() => {
        end();
        failure.subscribe(subscriber);
      });
      const look = eye.look(frames, settled).subscribe({
        next: (findings) => subscriber.next(findings),
        error: (error) => {
          failure = onFailure(error);
          settled();
        },
        complete: settled,
      });
      signal.addEventListener('abort', () => {
        if (look.closed) return;
        look.unsubscribe();
        settled();
      });
    });
}

function afterBoth(act: () => void): () => void {
  let missing = 2;
  return () => {
    if (--missing === 0) act();
  };
}

function nothingFound(
  outOfTime: boolean,
  { budgetMs, onEmpty }: AnswerOptions,
  clip: OpenedClip | undefined,
  timeline: Timeline,
): TikitakaError {
  const reached = timeline.marks.has('first-frame') ? 'inference' : clip ? 'decode' : 'open';
  if (!outOfTime && !clip?.cutShort) {
    return new TikitakaError('ERR_DECODE', 'no frame of the clip could be decoded', { details: { reached } });
  }
  const waitMs = Math.max(budgetMs, onEmpty?.waitMs ?? 0);
  const waited = waitMs > budgetMs ? ` (waited for ${waitMs} ms)` : '';
  const message = `the budget of ${budgetMs} ms${waited} ended before any finding, during ${reached}`;
  return new TikitakaError('ERR_BUDGET_EMPTY', message, { details: { reached, budgetMs, waitMs } });
}

function isRetryable(error: unknown): boolean {
  return error instanceof TikitakaError && error.retryable;
}

function asProblem(error: unknown): TikitakaError {
  return error instanceof TikitakaError
    ? error
    : new TikitakaError('ERR_INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}
