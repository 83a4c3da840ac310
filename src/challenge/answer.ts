import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  finalize,
  map,
  type Observable,
  of,
  type SchedulerLike,
  Subject,
  switchMap,
  take,
  tap,
  throwError,
} from 'rxjs';
import type { ModelRunner } from '../../models/index.js';
import {
  boundedMap,
  deadlineBatch,
  type EndedBy,
  hardCut,
  rampBatch,
  softCut,
  TikitakaError,
} from '../../operators/index.js';
import type { Frame } from '../decode/index.js';
import { type Answer, describeFinding, type Finding } from '../questions/football/index.js';
import { type Budget, createBudget } from './budget.js';
import { createFreshening, type Freshening } from './freshening.js';
import type { Timeline } from './timeline.js';

/** A clip whose header is read: what is known of it, and its frames in the planner's order. */
export interface OpenedClip {
  /** Size of the original picture in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames of the clip; undefined where the container does not say, and then learnt when `frames` ends. */
  readonly frameCount: number | undefined;
  /**
   * Cold; reads, decodes and emits owned frames, no faster than slots come back. Completes when nothing is left to visit,
   * no visit fits before `softAtMs()` (clock of the scheduler), or a first look at the whole clip is taken and the budget
   * `isOverdue()`; `cutShort` then tells whether more was planned. Unsubscribing ends reading and decoding. Errors: ERR_SOURCE_*, ERR_DECODE.
   */
  frames(budget: Pick<Budget, 'softAtMs' | 'isOverdue'>): Observable<Frame>;
  /** Whether frames that the plan wanted were left out, because of time or of a limit on the download. */
  readonly cutShort: boolean;
  /** What disturbed the reading so far without ending it: an origin that fell silent. */
  disturbance?(): TikitakaError | undefined;
}

/** The part of the scene that the pipeline drives. */
export interface AnswerScene {
  /** Takes findings in any order; cheap. */
  add(findings: readonly Finding[]): void;
  /** Works a few milliseconds on what `add` left; false = more is left. */
  refresh(): boolean;
  /** Whole-clip answer from all findings so far, or where that takes longer than `withinMs`, the last one that was complete. */
  snapshot(withinMs: number): Answer;
}

export interface AnswerPorts<C extends OpenedClip = OpenedClip> {
  /** Emits the opened clip once; errors with ERR_SOURCE_*, ERR_NOT_VIDEO, ERR_DECODE. */
  open(): Observable<C>;
  readonly runner: ModelRunner;
  createScene(clip: C): AnswerScene;
  readonly timeline: Timeline;
  /** Clock and timers of everything here. Default `asyncScheduler`; a marble spec passes its TestScheduler. */
  readonly scheduler?: SchedulerLike;
}

export interface AnswerOptions {
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
  /** Batches ramp from `firstSize` to `maxSize`; an open one waits at most `maxWaitMs` from its first frame. */
  readonly batch: { readonly maxSize: number; readonly firstSize: number; readonly maxWaitMs: number };
  /** Ignore the clock: the same batches, the same answer, whatever the load (`PLAN=fixed`). */
  readonly deterministic: boolean;
  /** Bound on frames between decoder and model (`PREFETCH_FRAMES`). */
  readonly maxQueuedFrames: number;
}

/**
 * `end`: every frame of the plan is answered; `plan`: what was left of it did not fit the time that was left; `budget`: the time
 * was up; `error`: a fault, whatever came after it.
 */
export type StoppedBy = 'end' | 'plan' | 'budget' | 'error';

export type AnswerEvent =
  | { readonly type: 'clip'; readonly clip: OpenedClip }
  /** `first` is true once: the first touch. */
  | {
      readonly type: 'findings';
      readonly findings: readonly Finding[];
      readonly first: boolean;
      readonly snapshot: () => Answer;
    }
  | {
      readonly type: 'answer';
      readonly answer: Answer;
      readonly stoppedBy: StoppedBy;
      /** Frames that models saw. */
      readonly measured: number;
      /** The first finding came after the end of the budget. */
      readonly late: boolean;
      /** What disturbed it, where `stoppedBy` is `error`. */
      readonly problem?: TikitakaError;
    };

/** One run at work, one handed over behind it: the process never waits for pixels (measured: bench/model.ts). */
const RUNS_IN_FLIGHT = 2;

/** What the last findings get to become part of the answer, even where the time is up: at least so much, ms, and so much of what is kept free. Chosen. */
const LEAST_FINISH_MS = 15;
const FINISH_SHARE = 0.5;

const release = (frame: Frame) => frame.release();

/**
 * Answers one clip before its deadline; reads like the picture in DESIGN.md.
 *
 * ```
 * open       --(c|)
 * frames       -f-ff-f-f-f…         until the soft cut
 * batches      -B--B----B(|)        none that cannot finish
 * findings     --F---F----F
 * hard cut   ---------------!
 * result     --c-F---F----F-(A|)
 * ```
 *
 * - **Ends** with one `answer`: when every planned frame is answered, at the hard cut, or when a stage fails after
 *   something was found. Nothing that runs later can change or delay it. Where the budget ends before anything was found
 *   and `onEmpty` says so, the cuts move back, and a first look at the whole clip is the answer.
 * - **Order of use**: cold; one subscription is one challenge.
 * - **Pressure**: frames own slots; the source makes none while no slot is free. Every frame that enters is released once.
 * - **Errors**: a failure before any finding is passed on; where the time ends before any it is ERR_BUDGET_EMPTY.
 */
export function answerClip<C extends OpenedClip>(
  ports: AnswerPorts<C>,
  options: AnswerOptions,
): Observable<AnswerEvent> {
  return defer(() => {
    const { runner, timeline, scheduler = asyncScheduler } = ports;
    const budget = createBudget(options, runner, scheduler);
    let freshening: Freshening | undefined;
    let scene: AnswerScene | undefined;
    let clip: OpenedClip | undefined;
    let measured = 0;
    const idle$ = new Subject<void>();
    let running = 0;
    let busyUntilMs = 0;
    let outOfTime = false;
    let problem: TikitakaError | undefined;
    /** A stage that fails loses what it holds; what other stages hold is still answered. */
    const survive = (error: unknown): Observable<never> => {
      problem ??= asProblem(error);
      return EMPTY;
    };

    const batches = options.deterministic
      ? rampBatch<Frame>({ ...options.batch, firstSize: options.batch.maxSize, scheduler, onDiscard: release })
      : deadlineBatch<Frame>({
          ...options.batch,
          deadlineMs: budget.hardAtMs,
          predictMs: (size) => runner.predictMs(size),
          busyMs: () => Math.max(0, busyUntilMs - scheduler.now()),
          idle$,
          scheduler,
          onDiscard: release,
        });

    const infer = (frames: readonly Frame[]): Observable<readonly Finding[]> =>
      defer(() => {
        const end = timeline.begin('infer', { frames: frames.length });
        running++;
        for (const frame of frames) frame.lend();
        // The colours are read from the pixels once the boxes are known: both sides must be done with them.
        const done = afterBoth(() => frames.forEach(release));
        const { width, height, fit } = runner.input;
        const nothing = { detections: [], keyPoints: [] };
        return runner.run(frames, done).pipe(
          map((found) =>
            frames.map((frame, i) => describeFinding({ ...frame, width, height, fit }, found[i] ?? nothing)),
          ),
          catchError((error) => (isRetryable(error) ? survive(error) : throwError(() => error))),
          finalize(() => {
            end();
            done();
            if (--running > 0) return;
            busyUntilMs = scheduler.now();
            idle$.next();
          }),
        );
      });

    const understand = (theScene: AnswerScene, findings: readonly Finding[]): AnswerEvent => {
      const first = measured === 0;
      measured += findings.length;
      budget.found();
      timeline.mark('first-finding');
      theScene.add(findings);
      freshening?.outdated();
      return { type: 'findings', findings, first, snapshot: () => theScene.snapshot(0) };
    };
    const work$ = ports.open().pipe(
      take(1),
      switchMap((opened) => {
        const theScene = ports.createScene(opened);
        clip = opened;
        scene = theScene;
        freshening = createFreshening({ scene: theScene, hardAtMs: budget.hardAtMs, timeline, scheduler });
        const findings$ = opened.frames(budget).pipe(
          catchError(survive),
          tap(() => {
            timeline.mark('first-frame');
            budget.firstFrame();
          }),
          softCut(budget.soft$.pipe(tap(() => (outOfTime = true)))),
          batches,
          tap((frames) => {
            busyUntilMs = Math.max(busyUntilMs, scheduler.now()) + runner.predictMs(frames.length);
          }),
          boundedMap({
            project: infer,
            concurrency: RUNS_IN_FLIGHT,
            maxQueued: options.maxQueuedFrames,
            onDiscard: (frames) => frames.forEach(release),
          }),
          map((findings) => understand(theScene, findings)),
        );
        return concat(of<AnswerEvent>({ type: 'clip', clip: opened }), findings$);
      }),
    );

    const answer = (endedBy: EndedBy): Observable<AnswerEvent> => {
      freshening?.stop();
      const late = budget.isOverdue();
      outOfTime ||= endedBy === 'cut';
      const timeIsUp = outOfTime || late || scheduler.now() >= budget.softAtMs();
      if (measured === 0 || !scene) return throwError(() => problem ?? nothingFound(timeIsUp, options, clip, timeline));
      problem ??= clip?.disturbance?.();
      timeline.mark('cut');
      const stoppedBy = problem ? 'error' : !(outOfTime || clip?.cutShort) ? 'end' : timeIsUp ? 'budget' : 'plan';
      const end = timeline.begin('answer');
      const finishMs = Math.max(LEAST_FINISH_MS, FINISH_SHARE * options.finishMs());
      const snapshot = scene.snapshot(Math.max(finishMs, budget.hardAtMs() - scheduler.now()));
      end({ measured });
      return of({ type: 'answer', answer: snapshot, stoppedBy, measured, late, ...(problem ? { problem } : {}) });
    };

    return work$.pipe(
      catchError(survive),
      hardCut(budget.hard$, answer),
      finalize(() => freshening?.stop()),
    );
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
