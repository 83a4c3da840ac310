import { z } from 'zod';

const finite = () => z.number().describe('finite');
const share = () => z.number().min(0).max(1);

const setting = z.object({
  batch: z.int().min(1).describe('BATCH_SIZE'),
  stride: z.union([z.literal('auto'), z.int().min(1)]).describe('FRAME_STRIDE'),
  model: z.string().describe('MODEL'),
  widthPx: z.int().min(1).describe('IMG_SIZE'),
  budgetS: z.number().positive().describe('TIME_BUDGET_S'),
  pitch: z.boolean().describe('false: SKIP_PITCH=1'),
});

const quality = z.object({
  personF1: share(),
  idf1: share(),
  keyPointRecall: share(),
  boxes: share(),
  keyPoints: share(),
  quality: share().describe('mean of boxes and keyPoints, as callers score them'),
  speed: share(),
  score: share().describe('0.65 quality + 0.35 speed'),
});

const cell = z.object({
  setting,
  batch: z.int().min(1).describe('frames per batch that the device takes'),
  runs: z.int().min(1),
  timeS: finite().describe('request to body encoded, s, median'),
  fps: finite().describe('frames that models saw, by second, at the usual speed of the machine'),
  ratio: finite().describe('fps : that of the reference beside it'),
  load: finite().describe('above 1: the machine was slower than usual during this cell; fps and timeS allow for it'),
  measured: z.int().min(0).describe('frames that models saw'),
  frames: z.int().min(0).describe('frames of the answer'),
  firstTouchS: finite(),
  stoppedBy: z.enum(['end', 'plan', 'budget', 'error']),
  peakBytes: z.int().positive().optional().describe('resident, summed over all processes of the cell'),
  quality: quality.optional(),
});

const variables = z.record(z.string(), z.string());
const unmeasured = z.object({ setting, reason: z.string() });

/** What `tikitaka bench --json` writes; `schemas/bench.schema.json` is made from this. */
export const benchSchema = z.object({
  tool: z.literal('tikitaka bench'),
  version: z.string(),
  at: z.iso.datetime(),
  machine: z.object({
    cpu: z.string(),
    cores: z.int(),
    os: z.string(),
    node: z.string(),
    load1m: z.number(),
  }),
  device: z.string().describe('execution provider of the reference'),
  target: z.string(),
  truth: z.boolean(),
  mode: z.enum(['quick', 'full']),
  interrupted: z.boolean(),
  ranking: z.string(),
  reference: z.object({
    setting,
    runs: z.int().min(1),
    fps: finite(),
    spread: finite().describe('half of the distance from the 10th to the 90th percentile, by the median'),
    scoreSpread: finite().describe('the same of its score, not as a share; 0 without truth'),
    fpsOfRuns: z.array(z.number()),
  }),
  cells: z.array(cell).describe('best first'),
  failed: z.array(unmeasured),
  cut: z.array(unmeasured).describe('left out, and why'),
  front: z.array(setting).describe('no other cell is better in both time and quality (without truth: frames measured)'),
  baseline: z
    .object({
      measured: z.int().min(0),
      frameCount: z.int().min(0),
      isCut: z.boolean(),
      downloadS: finite(),
      totalS: finite().describe('of the whole clip; at the measured rate where isCut'),
      fps: finite().describe('frames by second of totalS'),
      peakBytes: z.int().positive().optional(),
      quality: quality.omit({ speed: true, score: true }).optional(),
    })
    .optional(),
  recommended: z
    .object({
      setting,
      variables,
      reason: z.string(),
      speedUp: z.object({ time: finite(), fps: finite() }).optional().describe('against the baseline'),
    })
    .optional(),
  confirmation: z
    .object({
      promised: z.object({ fps: finite(), time: finite() }).describe('recommended : reference'),
      again: z.object({ fps: finite(), time: finite() }),
      off: finite().describe('larger of the two relative differences'),
      kept: z.boolean().describe('off is at most 0.2'),
    })
    .optional(),
});

export type BenchResult = Readonly<z.infer<typeof benchSchema>>;
export type Baseline = NonNullable<BenchResult['baseline']>;
export type Confirmation = NonNullable<BenchResult['confirmation']>;

/** The JSON Schema that is published. */
export const benchJsonSchema = (): object => ({ ...z.toJSONSchema(benchSchema), title: 'tikitaka bench' });
