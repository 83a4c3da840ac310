import type { FinishTime } from './finish-time.js';
import { lateCost } from './late-cost.js';
import type { ByteSource } from './net/index.js';
import type { AnswerEvent } from './pipeline.js';
import type { AnswerReport } from './report.js';
import type { Answer, AnswerEncoder, AnswerFields } from './scene/index.js';
import type { Timeline } from './timeline.js';

export interface FinishedAnswer {
  readonly answer: Answer;
  readonly report: AnswerReport;
  readonly timeline: Timeline;
  /** What the file was: its ETag, else its length; undefined where the server tells neither. */
  readonly version: string | undefined;
  /** The body as UTF-8 JSON (PROTOCOL §2), `fields` before `frames`. */
  body(fields: AnswerFields): Uint8Array;
  /** Tells how long compressing that body took, ms: the next answer's budget keeps it free. */
  compressed(ms: number): void;
}

export interface FinishOptions {
  readonly event: Extract<AnswerEvent, { readonly type: 'answer' }>;
  readonly encoder: AnswerEncoder;
  readonly timeline: Timeline;
  readonly finishTime: FinishTime;
  readonly target: string;
  readonly budgetMs: number;
  /** The execution provider that ran the models. */
  readonly device: string;
  readonly source: ByteSource | undefined;
  readonly decoder: string;
  readonly strategy: string;
}

/** Brings the wire form up to the last snapshot, and says what was done for it. */
export function finishAnswer(options: FinishOptions): FinishedAnswer {
  const { event, encoder, timeline, finishTime, budgetMs, device, source, decoder, strategy } = options;
  const { answer, stoppedBy, measured, late, problem } = event;
  const total = answer.frames.length;
  const end = timeline.begin('encode');
  encoder.update(answer);
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
    bytesRead: source?.bytesRead ?? 0,
    sizeBytes: source?.sizeBytes,
    requests: source?.requests ?? 0,
    httpVersion: source?.connection.httpVersion ?? 'file',
    connectionReused: source?.connection.reused ?? false,
    decoder,
    device,
    strategy,
  };
  let compressed: (ms: number) => void = () => {};
  return {
    answer,
    report,
    timeline,
    version: source && versionOf(source),
    body(fields) {
      const startMs = timeline.elapsedMs();
      const body = encoder.json(fields);
      compressed = finishTime.observe(total, sinceCutMs + timeline.elapsedMs() - startMs);
      return body;
    },
    compressed: (ms) => compressed(ms),
  };
}

export const versionOf = ({ connection, sizeBytes }: ByteSource): string | undefined =>
  connection.etag ?? (sizeBytes === undefined ? undefined : String(sizeBytes));
