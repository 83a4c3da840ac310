import { z } from 'zod';
import { TikitakaError } from '../../operators/index.js';
import type { Challenge } from './answerer.js';
import { decodeJson } from './json-body.js';

/** Body of `POST /soccer/challenge` (docs/protocol.md §1). Unknown members are ignored, as callers expect. */
export const challengeSchema = z
  .object({
    challenge_id: z.string().max(256).describe('Chosen by the caller; comes back in the answer'),
    type: z.string().max(64).optional().describe('Kind of challenge, "gsr"'),
    video_url: z.string().min(1).max(8192).describe('http(s) address of the clip'),
    created_at: z.string().max(64).nullish().describe('ISO time with offset'),
  })
  .meta({ id: 'Challenge' });

const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()]).describe('x1, y1, x2, y2 in pixels');

export const frameSchema = z
  .object({
    frame_number: z.int().min(0).describe('0-based, in presentation order'),
    keypoints: z
      .array(z.tuple([z.number(), z.number()]))
      .length(32)
      .describe('Pitch key points in pixels, [0, 0] = not visible'),
    objects: z.array(
      z.object({
        id: z.int().describe('Stable over the clip'),
        bbox: boxSchema,
        class_id: z.int().min(0).max(3).describe('0 ball, 1 goalkeeper, 2 player, 3 referee'),
      }),
    ),
  })
  .meta({ id: 'Frame' });

/** The answer (docs/protocol.md §2). */
export const answerSchema = z
  .object({
    challenge_id: z.string(),
    processing_time: z.number().min(0).describe('Seconds since the request'),
    cached: z.boolean().describe('Whether an answer made for an earlier caller was sent'),
    frames: z.array(frameSchema).describe('Every frame of the clip'),
  })
  .meta({ id: 'Answer' });

/** One line (NDJSON) or one `data:` (SSE) of a streamed answer. */
export const streamEventSchema = z
  .discriminatedUnion('event', [
    z.object({ event: z.literal('first'), frame: frameSchema }),
    z.object({
      event: z.literal('progress'),
      frames_measured: z.int(),
      frames_total: z.int(),
      frames: z.array(frameSchema),
    }),
    z.object({ event: z.literal('heartbeat') }),
    z.object({ event: z.literal('answer'), answer: answerSchema }),
    z.object({ event: z.literal('error'), status: z.int(), detail: z.unknown(), code: z.string() }),
  ])
  .meta({ id: 'StreamEvent' });

export const availabilitySchema = z.object({ available: z.boolean() }).meta({ id: 'Availability' });

export const readinessSchema = z
  .object({
    ready: z.boolean(),
    checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
  })
  .meta({ id: 'Readiness' });

/** Whether challenges can be answered, and part by part why not. */
export type Readiness = z.infer<typeof readinessSchema>;

export const errorSchema = z
  .object({
    detail: z.unknown().describe('Text, or FastAPI’s list of missing headers'),
    code: z.string().optional().describe('Stable code, ERR_…'),
  })
  .meta({ id: 'Error' });

/** Throws ERR_REQUEST, or ERR_NO_VIDEO_URL where there is none (checked first, as callers know it). */
export function parseChallenge(body: Uint8Array): Omit<Challenge, 'receivedAtMs'> {
  const { value } = decodeJson(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TikitakaError('ERR_REQUEST', 'The body is not a JSON object');
  }
  const url: unknown = Object.hasOwn(value, 'video_url') && 'video_url' in value ? value.video_url : undefined;
  if (url === undefined || url === null || url === '') {
    throw new TikitakaError('ERR_NO_VIDEO_URL', 'No video URL provided');
  }
  const parsed = challengeSchema.safeParse(value);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new TikitakaError('ERR_REQUEST', faults.join('; '));
  }
  return { challengeId: parsed.data.challenge_id, videoUrl: parsed.data.video_url };
}
