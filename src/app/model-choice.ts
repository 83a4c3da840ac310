import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  chooseModel,
  chooseRoleModel,
  type ModelFile,
  type ModelSet,
  type ModelSetOptions,
  openModelSet,
  shippedModels,
} from '../../models/index.js';
import { NOISE_SCORE } from '../questions/football/index.js';
import { cacheFolder } from './cache-folder.js';
import type { Config } from './config.js';
import type { Logger } from './log.js';

/** Frames that an anytime answer wants to see before larger pictures pay. Measured: README, "Configuration". */
const WANTED_FRAMES = 40;
/** What opening takes of the budget, ms: a round trip, the first bytes, the first keyframe. */
const OPENING_MS = 250;
/** Decoder and models share the cores: docs/measurements.md "Inference". */
export const CONTENTION = 1.4;

/**
 * Loads and warms the models. Where nothing says how large their input is, and this machine, as just measured, sees too few
 * frames within the budget at the full size, they are the family's next smaller ones. With `spare`, a second process waits
 * for the first one's death. Errors: ERR_MODEL_*, ERR_OPTION.
 */
export async function openModels(config: Config, log: Logger, spare = true): Promise<ModelSet> {
  let models = await openModelSet({ ...modelSetOptions(config, log), spare });
  const imageSize = smallerSize(config);
  if (imageSize && isTooSlow(config, models)) {
    log.info({ width: imageSize.width, instead: models.input.width }, 'smaller pictures: the budget is short here');
    await models.close();
    models = await openModelSet({ ...modelSetOptions({ ...config, IMG_SIZE: imageSize }, log), spare });
  }
  await models.warmSpare();
  return models;
}

/** The configuration with the size that `openModels` would choose, for tools that tell or vary it. Errors as there. */
export async function withImageSize(config: Config, log: Logger): Promise<Config> {
  if (!smallerSize(config)) return config;
  const models = await openModels(config, log, false);
  await models.close();
  return { ...config, IMG_SIZE: { width: models.input.width, nearest: false, tell: false } };
}

/** The next smaller size of a shipped model. A fixed plan is the same on every machine, and who names a size, a stride or own models has chosen. */
function smallerSize(config: Config): Config['IMG_SIZE'] {
  const { MODEL, IMG_SIZE, PLAN, FRAME_STRIDE, PLAYER_MODEL, PITCH_MODEL, BALL_MODEL } = config;
  const chosen = IMG_SIZE ?? PLAYER_MODEL ?? PITCH_MODEL ?? BALL_MODEL;
  if (chosen !== undefined || PLAN === 'fixed' || FRAME_STRIDE !== 'auto') return undefined;
  const [, smaller] = shippedModels().filter(({ description }) => description.family === MODEL);
  return smaller && { width: smaller.description.input.width, nearest: false, tell: false };
}

function isTooSlow({ TIME_BUDGET_S }: Config, { maxBatch, predictMs }: ModelSet): boolean {
  const perFrameMs = (predictMs(maxBatch) / maxBatch) * CONTENTION;
  return (TIME_BUDGET_S * 1000 - OPENING_MS) / perFrameMs < WANTED_FRAMES;
}

export interface ChosenModels {
  readonly files: readonly ModelFile[];
  /** What is taken where no model has the width that `IMG_SIZE` names; undefined where one has, or about that width was asked for. */
  readonly sizeNotice: string | undefined;
}

/** Finds the models that the configuration names; loads none. Errors, thrown at call: ERR_OPTION, ERR_MODEL_DESCRIPTION, ERR_MODEL_LOAD. */
export function chosenModels(config: Config): ChosenModels {
  const { PLAYER_MODEL, PITCH_MODEL, BALL_MODEL, IMG_SIZE, CONF_THRESHOLD, MAX_DETECTIONS } = config;
  const choice = {
    ...(MAX_DETECTIONS === undefined ? {} : { maxDetections: MAX_DETECTIONS }),
    ...(IMG_SIZE === undefined ? {} : { imageSize: IMG_SIZE }),
    ...(CONF_THRESHOLD === undefined ? {} : { confThreshold: CONF_THRESHOLD }),
  };
  const roles = { player: PLAYER_MODEL, pitch: PITCH_MODEL, ball: BALL_MODEL } as const;
  const own = (['player', 'pitch', 'ball'] as const).flatMap((role) => {
    const model = roles[role];
    return model === undefined ? [] : [chooseRoleModel(role, { ...choice, model })];
  });
  const files = own.length > 0 ? own : [chooseModel({ ...choice, model: config.MODEL })];
  return { files, sizeNotice: IMG_SIZE?.tell ? sizeNotice(IMG_SIZE.width, files) : undefined };
}

function sizeNotice(width: number, files: readonly ModelFile[]): string | undefined {
  const others = new Set(
    files.flatMap(({ description: { input } }) => (input.width === width ? [] : `${input.width}×${input.height}`)),
  );
  if (others.size === 0) return undefined;
  return `IMG_SIZE=${width}: no model has this width, the nearest is taken: ${[...others].join(' and ')}`;
}

/** What the configuration says of the models. Errors, thrown at call: as `chosenModels`. */
export function modelSetOptions(config: Config, log: Logger): ModelSetOptions {
  const { files, sizeNotice } = chosenModels(config);
  if (sizeNotice) log.info(sizeNotice);
  return {
    models: files,
    // Weaker boxes than the thresholds never stand alone but confirm tracks (ByteTrack).
    weakest: NOISE_SCORE,
    skipPitch: config.SKIP_PITCH,
    batchSize: config.BATCH_SIZE,
    ...sessionSettings(config),
    // One core is the decoder's: with a thread on each, the models wait for themselves (measured: two cores, 39 frames in 2 s instead of 33).
    threads: config.ORT_THREADS === 'auto' ? Math.max(1, availableParallelism() - 1) : config.ORT_THREADS,
    onNotice: ({ level, message, details }) => log[level](details, message),
  };
}

/** What the configuration says of any session, whatever model it runs. */
export function sessionSettings(config: Config) {
  const { MODEL_MEMORY_MB, GPU_MEMORY_MB, TENSORRT_CACHE_DIR = join(cacheFolder(), 'tensorrt') } = config;
  return {
    device: config.DEVICE,
    fp16: config.FP16,
    graphOptimization: config.ORT_GRAPH_OPTIMIZATION,
    memoryArena: config.ORT_MEMORY_ARENA,
    ...(MODEL_MEMORY_MB === undefined ? {} : { maxRssBytes: MODEL_MEMORY_MB * 1e6 }),
    ...(GPU_MEMORY_MB === undefined ? {} : { gpuMemoryBytes: GPU_MEMORY_MB * 1e6 }),
    ...(TENSORRT_CACHE_DIR === 'off' ? {} : { engineCacheDir: TENSORRT_CACHE_DIR }),
  } satisfies Partial<ModelSetOptions>;
}
