import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { TikitakaError } from '../../operators/index.js';
import { defaultClipLimits } from '../limits/index.js';
import { readDotenv, type Slip, slipsIn } from './settings/index.js';

const text = () => z.string().trim().min(1);
const bool = (fallback: boolean) =>
  z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.enum(['1', '0', 'true', 'false', 'yes', 'no', 'on', 'off']))
    .transform((v) => ['1', 'true', 'yes', 'on'].includes(v))
    .default(fallback);
const decimal = () =>
  z
    .string()
    .trim()
    .regex(/^-?\d+(\.\d+)?$/, 'expected a number')
    .transform(Number);
const number = (min: number, max: number) => decimal().pipe(z.number().min(min).max(max));
const integer = (min: number, max: number) => decimal().pipe(z.number().int().min(min).max(max));
const auto = <T extends z.ZodType>(schema: T) => z.union([z.literal('auto'), schema]);
const port = () => z.union([z.literal('off'), integer(0, 65535)], { error: 'expected a port from 0 to 65535, or off' });
const list = () =>
  z
    .string()
    .default('')
    .transform((v) =>
      v
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean),
    );
/** `416`: this width, else the nearest that the model has, which is told; `~416`: the nearest; `416!`: this width or no start. */
const imageSize = () =>
  z
    .string()
    .trim()
    .regex(/^(~?\d{2,4}|\d{2,4}!)$/, 'expected a width in pixels, ~width for the nearest, width! for no other')
    .transform((v) => ({
      width: Number(v.replace(/[~!]/, '')),
      nearest: !v.endsWith('!'),
      /** Whether to say so where it is another width. */
      tell: /^\d+$/.test(v),
    }));
const path = () => text().transform((v) => resolve(v.replace(/^~(?=\/|$)/, homedir())));

/** Every environment variable, its type, range and default. `.env.example` documents each; `spec/architecture.spec.ts` checks that. */
const schema = z.object({
  PRESET: z.enum(['none', 'balanced', 'fast', 'ultra-fast', 'accurate']).default('none'),

  // Fetching bytes
  USE_CONNECTION_POOL: bool(true),
  KEEP_ALIVE_S: number(0, 3600).default(30),
  MAX_CONNECTIONS: integer(1, 1000).default(10),
  MAX_KEEPALIVE_CONNECTIONS: integer(0, 1000).default(5),
  CONNECT_TIMEOUT_S: number(0.05, 60).default(2),
  READ_TIMEOUT_S: number(0.05, 300).default(10),
  RETRIES: integer(0, 10).default(2),
  PREWARM_ORIGINS: list(),
  KEEP_WARM_S: number(0, 86400).default(3900),
  CHUNKED_STREAMING: bool(true),
  PARTIAL_DOWNLOAD: bool(false),
  PARTIAL_DOWNLOAD_MB: number(0.1, 4096).optional(),
  STREAMING_DOWNLOAD: bool(true),
  DIRECT_URL_STREAM: bool(false),
  STREAM_MIN_START_BYTES: integer(1024, 1 << 26).default(262144),
  STREAM_BUFFER_TIMEOUT_S: number(0, 60).default(0.1),
  MAX_VIDEO_MB: number(0.1, 65536).default(512),
  ALLOW_PRIVATE_URLS: bool(false),

  // What a clip may make us do
  MAX_FRAMES: integer(1, 1e8).default(defaultClipLimits.maxFrames),
  MAX_CLIP_S: number(0.1, 1e7).default(defaultClipLimits.maxSeconds),
  MAX_PIXELS: integer(256, 2 ** 31 - 1).default(defaultClipLimits.maxPixels),
  MAX_INDEX_MB: number(0.001, 1024).default(defaultClipLimits.maxIndexBytes / 1e6),
  MAX_INDEX_BOXES: integer(10, 1e8).default(defaultClipLimits.maxIndexBoxes),
  MAX_EDITS: integer(0, 1e8).default(defaultClipLimits.maxEdits),
  MAX_SAMPLE_MB: number(0.001, 1024).default(defaultClipLimits.maxSampleBytes / 1e6),
  MAX_ANSWER_MB: number(0.001, 1024).default(defaultClipLimits.maxAnswerBytes / 1e6),

  // Decoding
  DECODER: z.enum(['auto', 'libav', 'ffmpeg']).default('auto'),
  FFMPEG_PATH: path().optional(),
  DECODE_THREADS: integer(1, 64).default(2),
  FRAME_STRIDE: auto(integer(1, 10000)).default('auto'),
  PREFETCH_FRAMES: integer(2, 4096).default(64),
  USE_NVDEC: bool(false),
  NVDEC_FIXED_SCALE: bool(false),

  // Inference
  MODEL: text().default('fast'),
  IMG_SIZE: imageSize().optional(),
  PLAYER_MODEL: path().optional(),
  PITCH_MODEL: path().optional(),
  BALL_MODEL: path().optional(),
  DEVICE: z.enum(['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml', 'dml']).default('auto'),
  FP16: bool(false),
  TENSORRT_CACHE_DIR: z.union([z.literal('off'), path()]).optional(),
  ORT_GRAPH_OPTIMIZATION: z.enum(['all', 'layout', 'extended', 'basic', 'disabled']).default('all'),
  ORT_MEMORY_ARENA: bool(true),
  MODEL_MEMORY_MB: number(16, 1 << 20).optional(),
  GPU_MEMORY_MB: number(16, 1 << 20).optional(),
  ORT_THREADS: auto(integer(1, 256)).default('auto'),
  BATCH_SIZE: integer(1, 256).default(32),
  BATCH_WAIT_MS: number(0, 10000).default(50),
  RAMP_UP: bool(true),
  RAMP_UP_FIRST_BATCH: integer(1, 64).default(1),
  CONF_THRESHOLD: number(0, 1).optional(),
  MAX_DETECTIONS: integer(1, 1000).optional(),
  SKIP_PITCH: bool(false),
  DISABLE_TRACKING: bool(false),

  // The time budget
  PLAN: z.enum(['anytime', 'fixed']).default('anytime'),
  TIME_BUDGET_S: number(0.05, 3600).default(2),
  START_BUDGET_AFTER_FIRST_FRAME: bool(false),
  REHEARSE: bool(true),
  FIRST_FRAME_TIMEOUT_S: number(0.05, 600).default(5),
  ON_EMPTY_BUDGET: z.enum(['wait', 'fail']).default('wait'),
  EARLY_FLUSH_FIRST_FRAME: bool(true),

  // The answer
  DROP_UNSCORED: bool(false),
  ANSWER_CACHE_S: number(0, 86400).default(600),
  ANSWER_CACHE_MB: number(0, 65536).default(64),
  REVALIDATE_MS: number(0, 10000).default(300),

  // Serving
  HOST: text().default('0.0.0.0'),
  PORT: integer(0, 65535).default(7999),
  STATUS_HOST: text().default('127.0.0.1'),
  STATUS_PORT: port().default(7998),
  MAX_CLIENTS: integer(1, 65536).default(256),
  HEAD_TIMEOUT_S: number(0.1, 600).default(10),
  BODY_TIMEOUT_S: number(0.1, 600).default(10),
  MAX_HEAD_KB: integer(4, 1024).default(16),
  MAX_BODY_KB: integer(1, 65536).default(64),
  MAX_CONCURRENT_CHALLENGES: integer(1, 64).default(1),
  AUTH: z.enum(['chain', 'static', 'off']).default('chain'),
  ALLOWED_HOTKEYS: list(),
  NETUID: integer(0, 65535).default(44),
  SUBTENSOR_NETWORK: z.enum(['finney', 'test', 'local']).default('finney'),
  SUBTENSOR_ADDRESS: text()
    .regex(/^wss?:\/\//, 'expected a ws:// or wss:// address')
    .optional(),
  WALLET_NAME: text().optional(),
  HOTKEY_NAME: text().optional(),
  BITTENSOR_WALLET_PATH: path().default(resolve(homedir(), '.bittensor/wallets')),
  WALLET_PASSWORD: z.string().optional(),
  MIN_STAKE_THRESHOLD: number(0, 1e12).default(1000),
  REFRESH_NODES: bool(true),
  LOAD_OLD_NODES: bool(true),

  // Logs
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['text', 'json']).default('text'),
});

export type Config = Readonly<z.infer<typeof schema>>;
export type ConfigKey = keyof Config;
export const configKeys = Object.keys(schema.shape) as readonly ConfigKey[];

/** The operators' presets (README, "Presets"): they stand below `.env` and the environment, so an explicit value wins. */
export const presets: Readonly<Record<Config['PRESET'], Readonly<Partial<Record<ConfigKey, string>>>>> = {
  none: {},
  balanced: {
    IMG_SIZE: '~640',
    BATCH_SIZE: '32',
    PREFETCH_FRAMES: '64',
    TIME_BUDGET_S: '5',
    MAX_DETECTIONS: '80',
    RAMP_UP_FIRST_BATCH: '2',
  },
  fast: {
    IMG_SIZE: '~416',
    BATCH_SIZE: '32',
    PREFETCH_FRAMES: '128',
    TIME_BUDGET_S: '2',
    MAX_DETECTIONS: '80',
    RAMP_UP_FIRST_BATCH: '2',
  },
  'ultra-fast': {
    IMG_SIZE: '~384',
    BATCH_SIZE: '64',
    PREFETCH_FRAMES: '128',
    TIME_BUDGET_S: '1.5',
    MAX_DETECTIONS: '60',
    RAMP_UP_FIRST_BATCH: '1',
  },
  accurate: {
    IMG_SIZE: '~1024',
    BATCH_SIZE: '16',
    FRAME_STRIDE: '1',
    PREFETCH_FRAMES: '64',
    TIME_BUDGET_S: '15',
    MAX_DETECTIONS: '100',
    RAMP_UP_FIRST_BATCH: '2',
  },
};

/** Who we are and whose word we take: a slip in one of their names must not be passed over in favour of a default. */
const identityKeys: ReadonlySet<ConfigKey> = new Set<ConfigKey>([
  'AUTH',
  'ALLOWED_HOTKEYS',
  'NETUID',
  'SUBTENSOR_NETWORK',
  'SUBTENSOR_ADDRESS',
  'WALLET_NAME',
  'HOTKEY_NAME',
  'BITTENSOR_WALLET_PATH',
  'WALLET_PASSWORD',
  'MIN_STAKE_THRESHOLD',
]);

/** Values as text, empty ones left out. */
export type GivenConfig = Readonly<Partial<Record<ConfigKey, string>>>;
export type ConfigFault = readonly [variable: ConfigKey, why: string];

export interface LoadConfigOptions {
  /** Highest priority: what the command line said, by variable name. */
  readonly overrides?: Readonly<Partial<Record<ConfigKey, string>>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Places where `.env` is looked for; the first that exists is read. Default: ENV_FILE, the working directory, ~/.config/tikitaka. */
  readonly dotenvPaths?: readonly string[];
  /** What only some commands ask for: further faults, judged by the values as they were given. */
  readonly needs?: (given: GivenConfig) => readonly ConfigFault[];
}

export interface LoadedConfig {
  readonly config: Config;
  /** Which `.env` was read, or where it was looked for. */
  readonly told: string;
  /** Variables that somebody set, rather than a preset or a default. */
  readonly given: ReadonlySet<ConfigKey>;
  /** Names that resemble one of ours and are none, each with the nearest. */
  readonly warnings: readonly string[];
}

/** `readConfig` for those who need the values alone. */
export const loadConfig = (options: LoadConfigOptions = {}): Config => readConfig(options).config;

/**
 * Reads the configuration: command line over environment over `.env` over preset over defaults.
 * Throws ERR_CONFIG with *all* faults at once, each naming the variable and what was read, and where `.env` was looked for.
 */
export function readConfig(options: LoadConfigOptions = {}): LoadedConfig {
  const { overrides = {}, env = process.env, dotenvPaths, needs = () => [] } = options;
  const { path, values, told } = readDotenv({ env, paths: dotenvPaths });
  const given = { ...definedOnly(values), ...definedOnly(env), ...definedOnly(overrides) };
  const presetName = z.enum(Object.keys(presets) as [Config['PRESET']]).safeParse(given.PRESET ?? 'none');
  const merged = { ...(presetName.success ? presets[presetName.data] : {}), ...given };
  const parsed = schema.safeParse(merged);
  const invalid = parsed.error?.issues.map((issue): ConfigFault => [issue.path.join('.') as ConfigKey, issue.message]);
  const slips = [...slipsIn(values, configKeys, { path }), ...slipsIn(env, configKeys)];
  // Where the right name was given too, nothing runs on a default unseen.
  const isFault = ({ nearest }: Slip<ConfigKey>) => identityKeys.has(nearest) && given[nearest] === undefined;
  const faults = [
    ...slips.filter(isFault).map(({ text }) => text),
    ...[...(invalid ?? []), ...needs(merged)].map(
      ([key, why]) => `${key}${merged[key] === undefined ? ' is not set' : `=${JSON.stringify(merged[key])}`}: ${why}`,
    ),
  ];
  if (!parsed.success || faults.length > 0) {
    throw new TikitakaError('ERR_CONFIG', `${faults.join('\n')}\n(${told})`, { details: { faults } });
  }
  const warnings = slips.map(({ text }) => text);
  return { config: parsed.data, told, given: new Set(Object.keys(given) as ConfigKey[]), warnings };
}

/** Empty values count as not given, so that `KEY=` in a copied `.env.example` means the default. */
function definedOnly(record: Readonly<Record<string, string | undefined>>): Partial<Record<ConfigKey, string>> {
  return Object.fromEntries(configKeys.flatMap((key) => (record[key]?.trim() ? [[key, record[key]]] : [])));
}
