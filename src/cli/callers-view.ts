import { z } from 'zod';
import {
  type ClipTruth,
  compareWithTruth,
  estimateScore,
  findMismatches,
  hasFairBoxes,
  totalScore,
  type WireAnswer,
} from '../questions/football/index.js';
import type { StreamedEvent } from './challenge-outcome.js';
import { share, speedOf } from './evaluate.js';
import type { Exchange } from './put-challenge.js';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)} s`;
const count = (value: number): string => value.toLocaleString('en');

/** What every exchange shows: status, times, bytes. */
export function exchangeLines({ status, headers, firstByteMs, totalMs, wireBytes, body }: Exchange): string[] {
  const coding = headers['content-encoding'];
  const bytes = coding ? `${count(wireBytes)} ${coding}, ${count(body.length)} unpacked` : count(wireBytes);
  return [
    `status      ${status}${status >= 200 && status < 300 ? '' : ': callers count it as a failure and give 0'}`,
    `first byte  ${seconds(firstByteMs)}`,
    `total       ${seconds(totalMs)}`,
    `bytes       ${bytes}`,
  ];
}

/** One event of a streamed answer. */
export function eventLine(
  { event, frames_measured: measured, frames_total: total }: StreamedEvent,
  atMs: number,
): string {
  const progress = measured === undefined ? '' : ` ${measured} of ${total} frames measured`;
  return `${seconds(atMs).padStart(10)}  ${event}${progress}`;
}

const claimsSchema = z.object({
  processing_time: z.number().optional(),
  measured_frames: z.number().optional(),
  stopped_by: z.string().optional(),
  cached: z.boolean().optional(),
  late: z.boolean().optional(),
});

/** What the answer says of itself; callers ignore it. */
export function claimLines(answer: unknown): string[] {
  const claims = claimsSchema.safeParse(answer).data;
  if (!claims) return [];
  const { processing_time: ownS, measured_frames: measured, stopped_by: stoppedBy, cached, late } = claims;
  const told = [
    ...(ownS === undefined ? [] : [`${ownS.toFixed(3)} s`]),
    ...(measured === undefined ? [] : [`${measured} frames measured`]),
    ...(stoppedBy === undefined || stoppedBy === 'end' ? [] : [`stopped by ${stoppedBy}`]),
    ...(cached ? ['kept from an earlier challenge'] : []),
    ...(late ? ['late'] : []),
  ];
  return told.length > 0 ? [`of itself   ${told.join(', ')}`] : [];
}

export interface AnswerView {
  readonly answer: WireAnswer;
  /** As the caller measured it. */
  readonly timeS: number;
  readonly truth: ClipTruth | undefined;
  readonly fastestS: number | undefined;
}

/** What the answer is worth to who called: its frames, and the score as far as it can be known. */
export function answerLines({ answer, timeS, truth, fastestS }: AnswerView): string[] {
  const numbers = new Set(answer.frames.map(({ frame_number }) => frame_number));
  const last = answer.frames.reduce((most, { frame_number }) => Math.max(most, frame_number), -1);
  const expected = truth?.frames.length ?? last + 1;
  const empty = answer.frames.filter(
    ({ objects, keypoints }) => objects.length === 0 && !keypoints.some(([x, y]) => x !== 0 || y !== 0),
  ).length;
  const faulty = answer.frames.filter(({ keypoints }) => keypoints.length !== 32).length;
  return [
    `frames      ${numbers.size} of ${expected}${truth ? '' : ' (up to the last one answered)'}, ${empty} of them empty`,
    ...(faulty > 0 ? [`            ${faulty} without 32 key points: callers give 0 for all key points`] : []),
    ...scoreLines({ answer, timeS, truth, fastestS }),
  ];
}

function scoreLines({ answer, timeS, truth, fastestS }: AnswerView): string[] {
  if (!truth) {
    const { speed, total } = totalScore({ boxes: 1, quality: 1, timeS, fastestS: fastestS ?? timeS });
    return [`score       ${share(total)} at most, ${speedOf({ speed, timeS, fastestS })}; quality needs --truth`];
  }
  const score = estimateScore(answer, truth, { timeS, fastestS });
  const poor = hasFairBoxes(score.boxes) ? '' : ' (too poor for any points for speed)';
  return [
    `score       ${share(score.total)} estimated: quality ${share(score.quality)}, ${speedOf(score)}`,
    `            boxes ${share(score.boxes)}${poor}  key points ${share(score.keypoints.score)}`,
    ...findMismatches(answer, truth, compareWithTruth(answer, truth)).map(
      (text) => `            another clip? ${text}`,
    ),
  ];
}
