import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { TikitakaError } from '../operators/index.js';
import type { ClassName, ClassThresholds } from './contract.js';

const perChannel = z.tuple([z.number(), z.number(), z.number()]).readonly();
const indexKey = z.string().regex(/^\d+$/, 'a class number of the model');
const probability = z.number().min(0).max(1);

const inputSchema = z
  .strictObject({
    /** Name of the picture input; default: the file's first input. */
    name: z.string().optional(),
    width: z.int().positive(),
    height: z.int().positive(),
    /** The file takes other sizes too, in steps of 32 px: `IMG_SIZE` may ask for another width. */
    dynamic: z.boolean().default(false),
    layout: z.enum(['nhwc', 'nchw']),
    dtype: z.enum(['uint8', 'float32', 'float16']),
    colours: z.enum(['rgb', 'bgr']).default('rgb'),
    /** What the file expects of a channel value v in 0..255: `(v / divisor - mean) / std`, channels in the file's order. */
    normalise: z
      .strictObject({
        divisor: z.number().positive().default(1),
        mean: perChannel.default([0, 0, 0]),
        std: perChannel.default([1, 1, 1]),
      })
      .default({ divisor: 1, mean: [0, 0, 0], std: [1, 1, 1] }),
    fit: z.enum(['stretch', 'letterbox']),
    filter: z.enum(['point', 'fast-bilinear', 'bilinear', 'bicubic', 'area']).default('area'),
    /** Name of a second input that takes [N, 2] int64 (width, height) and makes the file return pixels of the model input (D-FINE, RT-DETR). */
    sizesName: z.string().optional(),
  })
  .refine(
    ({ dtype, normalise: { divisor, mean, std } }) =>
      dtype !== 'uint8' || (divisor === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1)),
    { path: ['normalise'], message: 'a file that takes uint8 normalises by itself' },
  );

const className = z.enum(['ball', 'goalkeeper', 'player', 'referee']);
/** Class number of the model → our class; classes that are not named are dropped. */
const classes = z.record(indexKey, className);
const boxes = z.enum(['cxcywh', 'xyxy']);
/** Whether box coordinates are 0..1 of the model input, or its pixels. */
const normalised = z.boolean().default(false);
/** Place in the model's key-point list → index 0..31 of docs/protocol.md §2 (null: not one of ours). Default: the same order. */
const keyPoints = z.array(z.int().min(0).max(31).nullable()).optional();
const output = z.string().optional();

const outputSchema = z.discriminatedUnion('layout', [
  /** Ours: persons [N, K, 8] (cx cy w h score gk player ref), balls [N, B, 5], keypoints [N, 32, 3]; all 0..1. */
  z.strictObject({ layout: z.literal('tikitaka') }),
  /**
   * One row per anchor: 4 box values, objectness where `objectness` (YOLOv5), one score per class. `rows: last` is
   * YOLOv8/v11 [N, 4 + C, A]; `rows: first` is YOLOv5 [N, A, 5 + C] and Ultralytics RT-DETR [N, A, 4 + C].
   */
  z.strictObject({
    layout: z.literal('yolo-detect'),
    output,
    rows: z.enum(['first', 'last']).default('last'),
    objectness: z.boolean().default(false),
    boxes: boxes.default('cxcywh'),
    normalised,
    classes,
  }),
  /** [N, 4 + 1 + 3K, A]: box, score of the one class, K key points (x, y, visibility 0..1): the best row is the pitch. */
  z.strictObject({
    layout: z.literal('yolo-pose'),
    output,
    rows: z.enum(['first', 'last']).default('last'),
    keyPoints,
  }),
  /** YOLOv10/26 end to end: [N, A, 6] x1 y1 x2 y2 score class; with 3K further columns, the key points of a pose model. */
  z.strictObject({
    layout: z.literal('yolo-nms-free'),
    output,
    boxes: boxes.default('xyxy'),
    normalised,
    classes: classes.default({}),
    keyPoints,
  }),
  /**
   * Queries without NMS. `scores: sigmoid|softmax` (softmax: last class = nothing): logits [N, Q, C] and boxes [N, Q, 4].
   * `scores: labelled`: labels [N, Q], boxes [N, Q, 4] and scores [N, Q], already picked by the file.
   */
  z.strictObject({
    layout: z.literal('detr'),
    scores: z.enum(['sigmoid', 'softmax', 'labelled']).default('sigmoid'),
    names: z
      .strictObject({
        logits: z.string().default('logits'),
        boxes: z.string().default('pred_boxes'),
        labels: z.string().default('labels'),
        scores: z.string().default('scores'),
      })
      .default({ logits: 'logits', boxes: 'pred_boxes', labels: 'labels', scores: 'scores' }),
    boxes: boxes.default('cxcywh'),
    normalised: z.boolean().default(true),
    classes,
  }),
]);

const thresholdsSchema = z
  .strictObject({
    /** From these scores on a box counts by itself: the best F1 on pictures like yours (`tikitaka models evaluate` tells). */
    ball: probability.default(0.25),
    goalkeeper: probability.optional(),
    player: probability.optional(),
    referee: probability.optional(),
    /** Of the three roles that are not named. */
    person: probability.default(0.25),
    /** Key points below it are not seen: score 0. */
    keyPoint: probability.default(0.5),
    /** Boxes of one kind (persons, balls) that overlap more than this are one; null: the file did it already. */
    nmsIou: probability.nullable().default(null),
  })
  .transform(({ person, goalkeeper = person, player = person, referee = person, ...rest }) => ({
    ...rest,
    goalkeeper,
    player,
    referee,
  }));

const descriptionSchema = z.strictObject({
  /** Format of this file; 1. */
  version: z.literal(1),
  name: z.string().min(1),
  title: z.string().default(''),
  /** The ONNX file, relative to this description (shipped ones: to `models/weights`). Default: the same name, `.onnx`. */
  file: z.string().optional(),
  /** Shipped sizes of the same weights share it: what `MODEL` chooses. */
  family: z.string().optional(),
  input: inputSchema,
  output: outputSchema,
  thresholds: thresholdsSchema.prefault({}),
  /** Per picture, best first. */
  maxDetections: z.int().positive().default(100),
});

/** What an ONNX file is, as data: how pictures go in and how its outputs become findings. Examples: `models/descriptions`. */
export type ModelDescription = z.output<typeof descriptionSchema>;
export type OutputDescription = ModelDescription['output'];
export type Thresholds = ModelDescription['thresholds'];

/** What a model contributes: boxes, pitch key points, or both. */
export function provides(description: ModelDescription): { readonly objects: boolean; readonly pitch: boolean } {
  const { output } = description;
  if (output.layout === 'tikitaka') return { objects: true, pitch: true };
  if (output.layout === 'yolo-pose') return { objects: false, pitch: true };
  if (output.layout === 'yolo-nms-free')
    return { objects: Object.keys(output.classes).length > 0, pitch: output.keyPoints !== undefined };
  return { objects: true, pitch: false };
}

/** Classes of the boxes that a model gives. */
function classesOf({ output }: ModelDescription): readonly ClassName[] {
  if (output.layout === 'tikitaka') return ['ball', 'goalkeeper', 'player', 'referee'];
  return output.layout === 'yolo-pose' ? [] : [...new Set(Object.values(output.classes))];
}

/** The thresholds of models that run together; a class that several give is the specialist's, who gives the fewest. */
export function jointThresholds(descriptions: readonly ModelDescription[]): ClassThresholds {
  const joint = { ball: 1, goalkeeper: 1, player: 1, referee: 1 };
  for (const description of [...descriptions].sort((a, b) => classesOf(b).length - classesOf(a).length)) {
    for (const name of classesOf(description)) joint[name] = description.thresholds[name];
  }
  return joint;
}

/** The same thresholds, none above `score`. */
export function atMost(thresholds: Thresholds, score: number): Thresholds {
  const { ball, goalkeeper, player, referee } = thresholds;
  const least = (threshold: number) => Math.min(threshold, score);
  return {
    ...thresholds,
    ball: least(ball),
    goalkeeper: least(goalkeeper),
    player: least(player),
    referee: least(referee),
  };
}

/** Checks a description. Errors: ERR_MODEL_DESCRIPTION, naming every field at fault; thrown at call. */
export function parseDescription(value: unknown, source: string): ModelDescription {
  const parsed = descriptionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'description'}: ${issue.message}`);
  throw new TikitakaError('ERR_MODEL_DESCRIPTION', `${source} is no model description: ${faults.join('; ')}`, {
    details: { source, faults },
  });
}

/** Reads a description from a JSON file. Errors: ERR_MODEL_DESCRIPTION. */
export function readDescription(file: string | URL): ModelDescription {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new TikitakaError('ERR_MODEL_DESCRIPTION', `${String(file)} cannot be read as JSON`, {
      cause,
      details: { source: String(file) },
    });
  }
  return parseDescription(value, String(file));
}
