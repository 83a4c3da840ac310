import { z } from 'zod';
import { TikitakaError } from '../../../operators/index.js';

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const classId = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);
const object = z.object({ id: z.number().int(), bbox: box, class_id: classId });
const frame = z.object({
  frame_number: z.number().int().nonnegative(),
  keypoints: z.array(z.tuple([z.number(), z.number()])),
  objects: z.array(object),
});
const wireAnswer = z.object({ processing_time: z.number().nullish(), frames: z.array(frame) });
const truthFrame = frame.extend({ objects: z.array(object).nullable() });
const truth = z.object({
  width: z.number().positive(),
  height: z.number().positive(),
  fps: z.number().positive().optional(),
  frames: z.array(truthFrame).min(1),
});

/** One object of an answer or of the truth (docs/protocol.md §2); `bbox` is x1, y1, x2, y2 in pixels of the original. */
export type WireObject = z.infer<typeof object>;
/** One frame of an answer. */
export type WireFrame = z.infer<typeof frame>;
/** One frame of the truth; `objects` null: unlabelled, so boxes are not judged there while key points are. */
export type TruthFrame = z.infer<typeof truthFrame>;
/** Body of `POST /soccer/challenge`, as far as it is judged. */
export type WireAnswer = z.infer<typeof wireAnswer>;
/** What is really in a clip, in the answer's own form; one frame per frame of the clip. */
export type ClipTruth = z.infer<typeof truth>;

/** Reads an answer. Errors: ERR_ANSWER with the first faults. */
export function parseAnswer(json: unknown): WireAnswer {
  return checked(wireAnswer.safeParse(json), 'answer');
}

/** Reads the truth of a clip. Errors: ERR_ANSWER with the first faults. */
export function parseTruth(json: unknown): ClipTruth {
  return checked(truth.safeParse(json), 'truth');
}

function checked<T>(result: z.ZodSafeParseResult<T>, what: string): T {
  if (result.success) return result.data;
  const faults = result.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new TikitakaError('ERR_ANSWER', `the ${what} has not the form of docs/protocol.md §2: ${faults.join('; ')}`, {
    details: { faults },
  });
}
