import {
  asyncScheduler,
  catchError,
  concatMap,
  defer,
  finalize,
  from,
  lastValueFrom,
  map,
  type Observable,
  of,
  tap,
  throwError,
} from 'rxjs';
import { reportLine as deviceLine, type ModelSet } from '../../models/index.js';
import { type AnswerEvent, answerClip } from '../challenge/answer.js';
import { createFinishTime, type FinishTime } from '../challenge/finish-time.js';
import { createLoopLag, type LoopLag } from '../challenge/loop-lag.js';
import { createTimeline } from '../challenge/timeline.js';
import { warmUpDecoder } from '../decode/index.js';
import { type ByteSource, createLinkPolicy, createPool, openByteSource, type Pool } from '../net/index.js';
import { type Answer, createAnswerEncoder, type Finding, footballQuestion } from '../questions/football/index.js';
import { clipLimits } from './clip-limits.js';
import { openClipSource } from './clip-source.js';
import type { Config } from './config.js';
import { decoderChoice } from './decoder-choice.js';
import { type FinishedAnswer, failedAnswer, finishAnswer, versionOf } from './finished-answer.js';
import type { Logger } from './log.js';
import { openModels } from './model-choice.js';

export interface EngineOptions {
  readonly config: Config;
  readonly log: Logger;
  /** PEM certificates trusted besides the usual ones (demo, tests). */
  readonly ca?: string | undefined;
  /**
   * Lets local files and addresses inside the network be read: for the command line, never for links that strangers send
   * (`ALLOW_PRIVATE_URLS` opens the addresses only, not the files). Default false.
   */
  readonly allowPrivate?: boolean;
  /** A second model process, warm, takes over where the first one dies; who answers one clip and goes saves its memory. Default true. */
  readonly spare?: boolean;
  /** How late timers fire, which is kept free at the end of a budget. Default: measured during every answer. */
  readonly lag?: LoopLag;
}

export interface AnswerRequest {
  /** http(s) URL, or with `allowPrivate` the path of a file. */
  readonly target: string;
  /** When the request came, on `performance.now()`'s clock; default the subscription. */
  readonly requestedAtMs?: number;
  /** Says in the body what was measured, tracked, interpolated and held. */
  readonly provenance?: boolean | undefined;
}

export type { FinishedAnswer } from './finished-answer.js';

export type EngineEvent =
  | Extract<AnswerEvent<Finding, Answer>, { readonly type: 'findings' }>
  | { readonly type: 'answer'; readonly answer: FinishedAnswer };

/** What lives as long as the process: warm models and warm connections. Answers challenges one by one or at once. */
export interface Engine {
  readonly runner: ModelSet;
  readonly pool: Pool;
  /** Cold; one subscription is one challenge, unsubscribing ends it. Errors: the TikitakaErrors of `answerClip` and its ports. */
  answer(request: AnswerRequest): Observable<EngineEvent>;
  /** Answers a local clip a few times and throws the answers away: the first caller then meets compiled code. Errors as `answer`. */
  rehearse(path: string): Promise<void>;
  /** Asks what the target is now, once; see `FinishedAnswer.version`. Errors: ERR_SOURCE_*; ERR_ABORTED by `signal`. */
  versionOf(target: string, signal?: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Of a budget, at most so much is kept free for what happens behind its cut. Chosen. */
const MOST_OF_BUDGET = 0.3;
/** Frames of a batch in deterministic mode: a size chosen at warm-up would follow the load. */
const FIXED_BATCH = 1;

/** Answers in a rehearsal, and how they differ from real ones. Measured: the fourth is no faster than the third. */
const REHEARSALS = 3;
const REHEARSAL = { TIME_BUDGET_S: 1.5, START_BUDGET_AFTER_FIRST_FRAME: false, FRAME_STRIDE: 'auto' } as const;

/** Loads and warms the models and connects to `PREWARM_ORIGINS`. Errors: ERR_MODEL_*, ERR_CONFIG. */
export async function createEngine({
  config,
  log,
  ca,
  allowPrivate: allowFiles = false,
  spare,
  lag = createLoopLag(asyncScheduler),
}: EngineOptions): Promise<Engine> {
  const allowPrivate = allowFiles || config.ALLOW_PRIVATE_URLS;
  const pool = createPool({
    reuse: config.USE_CONNECTION_POOL,
    maxConnections: config.MAX_CONNECTIONS,
    maxKeptAlive: config.MAX_KEEPALIVE_CONNECTIONS,
    keepAliveMs: config.KEEP_ALIVE_S * 1000,
    connectTimeoutMs: config.CONNECT_TIMEOUT_S * 1000,
    readTimeoutMs: config.READ_TIMEOUT_S * 1000,
    policy: createLinkPolicy({ allowPrivate }),
    ...(ca === undefined ? {} : { ca }),
  });
  const [runner] = await Promise.all([
    openModels(config, log, spare).catch(async (error) => {
      await pool.close();
      throw error;
    }),
    warmUpDecoder(decoderChoice(config)),
    pool.warm(config.PREWARM_ORIGINS).then((origins) => {
      for (const { origin, httpVersion, error } of origins) {
        if (error) log.warn({ origin, code: error.code }, 'origin not warmed');
        else log.info({ origin, http: httpVersion }, 'origin warm');
      }
    }),
  ]);

  for (const report of runner.reports) {
    log[report.fellBack || report.notes.length > 0 ? 'warn' : 'info'](deviceLine(report));
  }
  const parts: Parts = { config, log, pool, runner, allowFiles, lag, finishTime: createFinishTime({ lag }) };
  return {
    runner,
    pool,
    answer: (request) => answerRequest(parts, request),
    async rehearse(path) {
      const rehearsal: Parts = {
        ...parts,
        config: { ...config, ...REHEARSAL },
        log: log.child({}, { level: 'silent' }),
        allowFiles: true,
        // Code that is not compiled yet tells nothing of the answers to come.
        finishTime: createFinishTime({ lag }),
      };
      for (let i = 0; i < REHEARSALS; i++) {
        const last = await lastValueFrom(answerRequest(rehearsal, { target: path }));
        if (last.type === 'answer') last.answer.body({});
      }
    },
    async versionOf(target, signal) {
      const maxBytes = config.MAX_VIDEO_MB * 1e6;
      const given = signal ? { signal } : {};
      const source = await openByteSource(target, { pool, headBytes: 1, retries: 0, maxBytes, allowFiles, ...given });
      source.close();
      return versionOf(source);
    },
    async close() {
      await Promise.all([pool.close(), runner.close()]);
    },
  };
}

interface Parts {
  readonly config: Config;
  readonly log: Logger;
  readonly pool: Pool;
  readonly runner: ModelSet;
  readonly allowFiles: boolean;
  readonly lag: LoopLag;
  readonly finishTime: FinishTime;
}

function answerRequest(parts: Parts, request: AnswerRequest): Observable<EngineEvent> {
  return defer(() => {
    const { config, log, pool, runner, allowFiles, lag, finishTime } = parts;
    // One clock for all: the scheduler's, which is the wall clock; the request's moment is carried over to it.
    const waitedMs = performance.now() - (request.requestedAtMs ?? performance.now());
    const timeline = createTimeline({ startedAtMs: performance.now() - waitedMs });
    const deterministic = config.PLAN === 'fixed';
    const stopWatching = lag.watch();
    const budgetMs = config.TIME_BUDGET_S * 1000;
    let frameCount: number | undefined;
    const encoder = createAnswerEncoder({
      provenance: request.provenance ?? false,
      dropUnscored: config.DROP_UNSCORED,
      maxBytes: clipLimits(config).maxAnswerBytes,
    });
    const question = footballQuestion({
      runner,
      encoder,
      tracking: !config.DISABLE_TRACKING,
      skipPitch: config.SKIP_PITCH,
    });
    const opened = openClipSource({
      config,
      pool,
      eye: question.eye,
      timeline,
      allowFiles,
      target: request.target,
      now: () => asyncScheduler.now(),
    });
    const { target } = request;
    const counted = config.START_BUDGET_AFTER_FIRST_FRAME ? ('first frame' as const) : ('request' as const);
    const budgetFrom = deterministic ? undefined : counted;
    const finishing = { encoder, timeline, finishTime, target, budgetMs, budgetFrom, device: runner.device };
    const events$ = answerClip(
      {
        open: () => opened.clip$.pipe(tap((clip) => (frameCount = clip.frameCount))),
        question,
        timeline,
      },
      {
        budgetMs,
        afterFirstFrame: config.START_BUDGET_AFTER_FIRST_FRAME
          ? { timeoutMs: config.FIRST_FRAME_TIMEOUT_S * 1000 }
          : undefined,
        onEmpty: config.ON_EMPTY_BUDGET === 'wait' ? { waitMs: config.FIRST_FRAME_TIMEOUT_S * 1000 } : undefined,
        requestedAtMs: asyncScheduler.now() - waitedMs,
        finishMs: () => Math.min(MOST_OF_BUDGET * budgetMs, finishTime.expectedMs(frameCount)),
        batch: {
          maxSize: deterministic ? FIXED_BATCH : Math.min(config.BATCH_SIZE, runner.maxBatch),
          firstSize: config.RAMP_UP
            ? Math.min(config.RAMP_UP_FIRST_BATCH, runner.maxBatch)
            : Math.min(config.BATCH_SIZE, runner.maxBatch),
          maxWaitMs: deterministic ? Number.POSITIVE_INFINITY : config.BATCH_WAIT_MS,
        },
        deterministic,
      },
    );
    /** Who delivered a clip will be asked for the next one. */
    const keepWarm = (source: ByteSource | undefined) => {
      const { KEEP_WARM_S } = config;
      if (KEEP_WARM_S === 0 || !source) return;
      const origins = pool.keepWarm([...source.origins], KEEP_WARM_S * 1000);
      if (origins.length > 0) log.debug({ origins, seconds: KEEP_WARM_S }, 'origins kept warm');
    };
    return events$.pipe(
      concatMap((event): Observable<EngineEvent> => {
        if (event.type !== 'answer') return of(event);
        keepWarm(opened.facts().source);
        const finished = finishAnswer({ ...finishing, event, ...opened.facts() });
        return from(finished).pipe(map((answer) => ({ type: 'answer', answer })));
      }),
      catchError((error: unknown) => throwError(() => failedAnswer(error, { ...finishing, ...opened.facts() }))),
      finalize(() => {
        stopWatching();
        opened.close();
      }),
    );
  });
}
