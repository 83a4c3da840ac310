import { TikitakaError } from '../../operators/index.js';
import type { AnswerEvent } from '../challenge/answer.js';
import type { FinishTime } from '../challenge/finish-time.js';
import { explainEmpty, type LateCostOptions, lateCost } from '../challenge/late-cost.js';
import type { AnswerReport } from '../challenge/report.js';
import type { Timeline } from '../challenge/timeline.js';
import { createSlices } from '../limits/index.js';
import type { ByteSource } from '../net/index.js';
import type { Answer, AnswerEncoder, AnswerFields, Finding } from '../questions/football/index.js';

export interface FinishedAnswer {
  readonly answer: Answer;
  readonly report: AnswerReport;
  readonly timeline: Timeline;
  /** What the file was: its ETag, else its length; undefined where the server tells neither. */
  readonly version: string | undefined;
  /** The body as UTF-8 JSON (docs/protocol.md §2), `fields` before `frames`. */
  body(fields: AnswerFields): Uint8Array;
  /** Tells how long compressing that body took, ms: the next answer's budget keeps it free. */
  compressed(ms: number): void;
}

export interface FinishOptions {
  readonly event: Extract<AnswerEvent<Finding, Answer>, { readonly type: 'answer' }>;
  readonly encoder: AnswerEncoder;
  readonly timeline: Timeline;
  readonly finishTime: FinishTime;
  readonly target: string;
  readonly budgetMs: number;
  /** From when on it was counted; undefined where the clock was ignored. */
  readonly budgetFrom: 'request' | 'first frame' | undefined;
  /** The execution provider that ran the models. */
  readonly device: string;
  readonly source: ByteSource | undefined;
  readonly decoder: string;
  readonly passedOver: readonly string[];
  readonly strategy: string;
}

/** Brings the wire form up to the last snapshot, in slices, and says what was done for it. Errors: ERR_LIMIT. */
export async function finishAnswer(options: FinishOptions): Promise<FinishedAnswer> {
  const { event, encoder, timeline, finishTime, budgetMs, budgetFrom, device, source, decoder, passedOver, strategy } =
    options;
  const { answer, stoppedBy, measured, late, cutLateMs, problem } = event;
  const total = answer.frames.length;
  const end = timeline.begin('encode');
  const slices = createSlices();
  await slices.until((isDue) => encoder.update(answer, isDue));
  await slices.until((isDue) => encoder.pack(isDue));
  end();
  const totalMs = timeline.elapsedMs();
  const sinceCutMs = totalMs - (timeline.marks.get('cut') ?? totalMs);
  const report: AnswerReport = {
    stoppedBy,
    ...(late ? { late: { byMs: totalMs - budgetMs, cost: lateCost(options) } } : {}),
    ...(problem ? { problem: { code: problem.code, message: problem.message } } : {}),
    frames: { total, answered: total, ...answer.counts, measured },
    firstTouchMs: timeline.marks.get('first-finding') ?? 0,
    totalMs,
    ...(budgetFrom === undefined ? {} : { budget: { ms: budgetMs, from: budgetFrom } }),
    ...readingOf(source),
    decoder,
    ...(passedOver.length > 0 ? { passedOver } : {}),
    device,
    strategy,
  };
  const relay = createRelay();
  return {
    answer,
    report,
    timeline,
    version: source && versionOf(source),
    body(fields) {
      const startMs = timeline.elapsedMs();
      const body = encoder.json(fields);
      const writingMs = sinceCutMs + timeline.elapsedMs() - startMs;
      relay.to = finishTime.observe({ frames: total, writingMs, cutLateMs });
      return body;
    },
    compressed: relay.send,
  };
}

/** An error of a run with what it says of where the time went, and of what was read until then. */
export function failedAnswer(error: unknown, options: LateCostOptions & Pick<FinishOptions, 'source'>): unknown {
  const explained = explainEmpty(error, options);
  if (!(explained instanceof TikitakaError) || !options.source) return explained;
  const { code, message, retryable, details } = explained;
  return new TikitakaError(code, message, {
    cause: error,
    retryable,
    details: { ...details, ...readingOf(options.source) },
  });
}

function readingOf(source: ByteSource | undefined): Pick<AnswerReport, ReadingFact> {
  return {
    bytesRead: source?.bytesRead ?? 0,
    sizeBytes: source?.sizeBytes,
    requests: source?.requests ?? 0,
    httpVersion: source?.connection.httpVersion ?? 'file',
    connectionReused: source?.connection.reused ?? false,
  };
}

type ReadingFact = 'bytesRead' | 'sizeBytes' | 'requests' | 'httpVersion' | 'connectionReused';

/** Kept answers hold on to `send` for long: it must not hold encoder and snapshot, as a closure beside them would. */
function createRelay(): { to: (ms: number) => void; readonly send: (ms: number) => void } {
  const relay = { to: (_ms: number) => {}, send: (ms: number) => relay.to(ms) };
  return relay;
}

export const versionOf = ({ connection, sizeBytes }: ByteSource): string | undefined =>
  connection.etag ?? (sizeBytes === undefined ? undefined : String(sizeBytes));
