import { z } from 'zod';

/** The stages of `diagnose` in the order in which they are measured. */
export const stages = [
  'DNS look-up',
  'TCP connection',
  'TLS handshake',
  'first byte',
  'transfer',
  'container open',
  'sample bytes',
  'first frame',
  'full decode',
  'model load',
  'inference',
  'answer encoding',
] as const;

const ms = () => z.number().min(0);
const bytes = () => z.int().min(0);

const figuresSchema = z
  .object({
    medianMs: ms(),
    p95Ms: ms(),
    runs: z.int().min(1).describe('Measurements behind the two'),
  })
  .meta({ id: 'Figures' });

const coldWarmSchema = z
  .object({
    cold: figuresSchema.optional().describe('Nothing is there yet: new connection, unloaded library, first run'),
    warm: figuresSchema.optional().describe('Repeated; absent where nothing is left to do'),
  })
  .meta({ id: 'ColdWarm' });

const connectionSchema = z.object({
  dns: coldWarmSchema.describe('Warm: looked up again by the same process'),
  tcp: coldWarmSchema,
  tls: coldWarmSchema.describe('Empty on plain http'),
  firstByte: coldWarmSchema.describe('Request sent to headers here'),
});

const serverSchema = z.object({
  httpVersion: z.enum(['1.1', '2']),
  tlsVersion: z.string().optional().describe('Absent on plain http'),
  alpn: z.string().optional().describe('What the server chose, where it chose at all'),
  acceptsRanges: z.boolean(),
  redirects: z.int().min(0),
  sizeBytes: bytes().optional(),
  keepAlive: z.object({
    announcedS: z.number().min(0).optional().describe('As the Keep-Alive header says'),
    idleS: z.number().min(0).optional().describe('How long our connection lay idle until we looked, or it was closed'),
    closed: z.boolean().optional().describe('Whether the server had closed it by then'),
  }),
});

const transferSchema = z.object({
  bytes: bytes().describe('Taken from the start of the file'),
  cold: figuresSchema.optional().describe('First to last byte on a new connection'),
  warm: figuresSchema.optional().describe('First to last byte on a used connection'),
  coldBytesPerSecond: z.number().min(0).optional(),
  warmBytesPerSecond: z.number().min(0).optional(),
});

const containerSchema = z.object({
  kind: z.enum(['indexed', 'stream']).describe('Whether the file has an index that we read'),
  format: z.string(),
  codec: z.string().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  frames: z.int().optional(),
  durationMs: ms().optional(),
  keyframes: z.int().optional(),
  keyframeBytes: bytes().optional().describe('Of all keyframes together'),
  moov: z.enum(['start', 'end']).optional().describe('Where the index lies: before or behind the media data'),
  indexBytes: bytes().optional(),
  bytesNeeded: bytes().optional().describe('Read until the index was known'),
  firstFrameBytes: bytes().optional().describe('Needed for index and first frame'),
  requests: z.int().min(1),
  warm: figuresSchema.describe('Request sent to index known, on a used connection'),
});

const decoderSchema = z.object({
  name: z.enum(['libav', 'ffmpeg']),
  unavailable: z.string().optional().describe('Why it could not be measured'),
  decodes: z.string().optional().describe('What decodes, e.g. `libav h264`'),
  loadMs: ms().optional().describe('Loading the library or finding the program, once per process'),
  firstFrame: coldWarmSchema.optional().describe('Bytes in memory to first scaled picture'),
  firstFrameBytes: bytes().optional(),
  keyframeMs: ms().optional().describe('One keyframe on its own'),
  frames: z.int().optional().describe('Decoded for the rate, from memory, scaled to the input of the models'),
  framesPerSecond: z.number().min(0).optional(),
});

const modelsSchema = z.object({
  loadMs: ms().describe('Process start, load and warm-up, once per start'),
  device: z.string(),
  names: z.array(z.string()),
  input: z.object({ width: z.int(), height: z.int() }),
  maxBatch: z.int().min(1),
  passedOver: z.array(z.string()).describe('Providers that were tried before, with the reason'),
  batches: z.array(
    z.object({
      size: z.int().min(1),
      firstMs: ms().describe('First run of this size behind the warm-up'),
      steady: figuresSchema,
      framesPerSecond: z.number().min(0),
    }),
  ),
});

const answerSchema = z.object({
  frames: z.int().min(1),
  scene: coldWarmSchema.describe('Understanding the findings; warm: of the same clip again'),
  encode: coldWarmSchema.describe('JSON and gzip; warm: again after one further finding'),
  jsonBytes: bytes(),
  gzipBytes: bytes(),
});

const stepSchema = z.object({ step: z.string(), ms: ms() });

const costSchema = z
  .object({
    cost: z.enum([
      'connection set-up',
      'index behind the media data',
      'transfer',
      'decoding',
      'inference',
      'answer encoding',
    ]),
    ms: ms(),
    setting: z.string().optional().describe('Lines of .env, space-separated; absent where no setting mends it'),
    mend: z.string().describe('What to do and what it does'),
  })
  .meta({ id: 'Cost' });

const pathSchema = z
  .object({
    totalMs: ms(),
    steps: z.array(stepSchema).describe('One after another, each as measured on its own'),
    costs: z.array(costSchema).describe('What can be avoided, the largest first'),
    verdict: z.string(),
  })
  .meta({ id: 'Path' });

const verdictSchema = z.object({
  pictures: z
    .int()
    .optional()
    .describe(
      'The first pass over the clip: its keyframes, or every n-th frame without an index, as far as the machine gets within the budget',
    ),
  cold: pathSchema.optional(),
  warm: pathSchema.optional(),
  rates: z
    .object({
      linkFps: z.number().optional(),
      decodeFps: z.number().optional(),
      inferenceFps: z.number().optional(),
      limit: z.string(),
      text: z.string(),
    })
    .optional()
    .describe('Frames of the clip per second of each stage behind the first pass'),
  notes: z.array(z.object({ code: z.string(), text: z.string(), setting: z.string().optional() })),
});

/** What `tikitaka diagnose --json` prints: what was measured until the end, or until `failed`. */
export const diagnosisSchema = z
  .object({
    version: z.literal(1),
    target: z.string().describe('Link without its query'),
    at: z.iso.datetime(),
    runs: z.int().min(1),
    machine: z.object({
      cpu: z.string(),
      cores: z.int(),
      os: z.string(),
      node: z.string(),
      load1m: z.number().describe('Mean number of runnable threads over the last minute: how far times can be trusted'),
    }),
    settings: z.record(z.string(), z.string()).describe('Variables of .env.example that the verdict rests on'),
    server: serverSchema.optional(),
    connection: connectionSchema.optional(),
    transfers: z.array(transferSchema),
    container: containerSchema.optional(),
    decoders: z.array(decoderSchema),
    models: modelsSchema.optional(),
    answer: answerSchema.optional(),
    verdict: verdictSchema,
    failed: z
      .object({ stage: z.enum(stages), code: z.string(), message: z.string() })
      .optional()
      .describe('The stage that ended the measurement'),
  })
  .meta({ id: 'Diagnosis' });

export type Stage = (typeof stages)[number];
export type Figures = z.infer<typeof figuresSchema>;
export type ColdWarm = z.infer<typeof coldWarmSchema>;
export type Diagnosis = z.infer<typeof diagnosisSchema>;
export type Cost = z.infer<typeof costSchema>;
export type Path = z.infer<typeof pathSchema>;
export type Verdict = z.infer<typeof verdictSchema>;
/** Everything but what is concluded from it. */
export type Measurements = Omit<Diagnosis, 'verdict'>;

/** The published schema (`schemas/diagnose.schema.json`), from the one that also types the code. */
export function diagnosisJsonSchema(): object {
  return z.toJSONSchema(diagnosisSchema, { target: 'draft-2020-12' });
}
