import type { StoppedBy } from './answer.js';
import { type LateCost, showCost } from './late-cost.js';

/** measured: a model saw it in this frame; tracked: measured elsewhere in the track, confirmed here; interpolated: between two samples; held: nearest sample repeated. */
export type Provenance = 'measured' | 'tracked' | 'interpolated' | 'held';

/** What was really done for one answer: the log line, the head of the body and the tools are views of it. */
export interface AnswerReport {
  readonly stoppedBy: StoppedBy;
  /** The first finding came only behind the end of the budget: by how much the answer is late, and what cost most. */
  readonly late?: { readonly byMs: number; readonly cost: LateCost };
  readonly problem?: { readonly code: string; readonly message: string };
  readonly frames: {
    readonly total: number;
    readonly answered: number;
  } & Readonly<Record<Provenance, number>>;
  /** Request → first finding, and → answer; ms. */
  readonly firstTouchMs: number;
  readonly totalMs: number;
  /** What there was, ms, and from when on it was counted; absent where the clock was ignored. */
  readonly budget?: { readonly ms: number; readonly from: 'request' | 'first frame' };
  readonly bytesRead: number;
  readonly sizeBytes: number | undefined;
  readonly requests: number;
  readonly httpVersion: '1.1' | '2' | 'file';
  readonly connectionReused: boolean;
  /** What decoded, e.g. `libav h264`. */
  readonly decoder: string;
  /** Why it is not a decoder that was to be preferred; one entry for each. */
  readonly passedOver?: readonly string[];
  /** The execution provider that ran the models. */
  readonly device: string;
  /** How the planner went through the clip. */
  readonly strategy: string;
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
const seconds = (ms: number) => (ms / 1000).toFixed(2);

const parts = (counts: readonly (readonly [count: number, what: string])[]) =>
  counts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(', ');

/** An answer in a word; see `RunReport`. */
export function outcomeOf(report: AnswerReport): 'answered' | 'partial' | 'late' {
  if (report.stoppedBy === 'error') return 'partial';
  if (report.late) return 'late';
  return isPartial(report) ? 'partial' : 'answered';
}

/** Whether passing circumstances made it poorer than the next one will be. */
export const isDisturbed = ({ stoppedBy, late }: AnswerReport): boolean => stoppedBy === 'error' || late !== undefined;

/** What was done for an answer, in one line. */
export function reportLine(report: AnswerReport): string {
  const { frames, httpVersion, sizeBytes, strategy, passedOver = [], device } = report;
  const decoder = passedOver.length > 0 ? `${report.decoder} (${passedOver.join('; ')})` : report.decoder;
  const connection =
    httpVersion === 'file' ? 'file' : `HTTP/${httpVersion} ${report.connectionReused ? 'reused' : 'new connection'}`;
  return [
    connection,
    `${megabytes(report.bytesRead)}${sizeBytes === undefined ? '' : ` of ${megabytes(sizeBytes)}`} MB in ${report.requests} requests`,
    `first ${seconds(report.firstTouchMs)} s`,
    `${frames.answered}/${frames.total} frames (${parts([
      [frames.measured, 'measured'],
      [frames.tracked, 'tracked'],
      [frames.interpolated, 'interpolated'],
      [frames.held, 'held'],
    ])})`,
    [strategy, decoder, device].filter(Boolean).join(', '),
    totalText(report),
    ...stoppedText(report),
    ...(report.late ? [showLateness(report.late)] : []),
  ].join(' · ');
}

function totalText({ totalMs, budget }: AnswerReport): string {
  if (budget?.from === 'request') return `total ${seconds(totalMs)} of ${seconds(budget.ms)} s`;
  const counted = budget ? `, ${seconds(budget.ms)} s from the first frame on` : '';
  return `total ${seconds(totalMs)} s${counted}`;
}

function stoppedText({ stoppedBy, problem }: AnswerReport): readonly string[] {
  if (stoppedBy === 'end') return [];
  if (stoppedBy === 'plan') return ['nothing more fitted'];
  return [`stopped by ${stoppedBy}${problem ? ` ${problem.code}` : ''}`];
}

/** By how much an answer is late, why, and what would help. */
export const showLateness = ({ byMs, cost }: NonNullable<AnswerReport['late']>): string =>
  `late by ${seconds(byMs)} s: ${showCost(cost)}`;

/** What callers may want to know besides the frames; they ignore what they do not know (docs/protocol.md §2). */
export function wireFacts({ stoppedBy, frames, device, decoder, late, problem }: AnswerReport) {
  return {
    truncated: stoppedBy !== 'end',
    stopped_by: stoppedBy,
    measured_frames: frames.measured,
    ...(late ? { late: true } : {}),
    device,
    decoder,
    ...(problem ? { problem: problem.code } : {}),
  };
}

/** Share of the frames that repeat what was last seen from which an answer counts as partial. Chosen: a whole-clip answer stays below it. */
const PARTIAL_SHARE = 1 / 3;
/** Whether an answer shows little of its clip. */
export const isPartial = ({ frames }: Pick<AnswerReport, 'frames'>): boolean =>
  frames.held / frames.total > PARTIAL_SHARE;
