import type { StoppedBy } from './pipeline.js';
import type { Provenance } from './scene/index.js';

/** What was really done for one answer: the log line, the head of the body and the tools are views of it. */
export interface AnswerReport {
  readonly stoppedBy: StoppedBy;
  readonly problem?: { readonly code: string; readonly message: string };
  readonly frames: {
    readonly total: number;
    readonly answered: number;
  } & Readonly<Record<Provenance, number>>;
  /** Request → first finding, and → answer; ms. */
  readonly firstTouchMs: number;
  readonly totalMs: number;
  readonly bytesRead: number;
  readonly sizeBytes: number | undefined;
  readonly requests: number;
  readonly httpVersion: '1.1' | '2' | 'file';
  readonly connectionReused: boolean;
  /** What decoded, e.g. `libav h264`. */
  readonly decoder: string;
  /** The execution provider that ran the models. */
  readonly device: string;
  /** How the planner went through the clip. */
  readonly strategy: string;
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
const seconds = (ms: number) => (ms / 1000).toFixed(2);

/** One line per challenge (F36). */
export function reportLine(report: AnswerReport): string {
  const { frames, httpVersion, sizeBytes } = report;
  const connection =
    httpVersion === 'file' ? 'file' : `HTTP/${httpVersion} ${report.connectionReused ? 'reused' : 'new connection'}`;
  return [
    connection,
    `${megabytes(report.bytesRead)}${sizeBytes === undefined ? '' : ` of ${megabytes(sizeBytes)}`} MB in ${report.requests} requests`,
    `first ${seconds(report.firstTouchMs)} s`,
    `${frames.answered}/${frames.total} frames (${frames.measured} measured)`,
    `${report.strategy}, ${report.decoder}, ${report.device}`,
    `total ${seconds(report.totalMs)} s`,
    ...(report.stoppedBy === 'end'
      ? []
      : [`stopped by ${report.stoppedBy}${report.problem ? ` ${report.problem.code}` : ''}`]),
  ].join(' · ');
}

/** What callers may want to know besides the frames; they ignore what they do not know (PROTOCOL §2). */
export function wireFacts({ stoppedBy, frames, device, decoder, problem }: AnswerReport) {
  return {
    truncated: stoppedBy !== 'end',
    stopped_by: stoppedBy,
    measured_frames: frames.measured,
    device,
    decoder,
    ...(problem ? { problem: problem.code } : {}),
  };
}
