import { chooseModel, chooseRoleModel, type ModelSetOptions } from '../models/index.js';
import type { Config } from './config.js';
import type { Logger } from './log.js';

/** Detections weaker than CONF_THRESHOLD never stand alone but confirm tracks (ByteTrack); below this they are noise (measured on rendered clips). */
const WEAK_THRESHOLD = 0.12;

/** What the configuration says of the models. Errors, thrown at call: ERR_OPTION, ERR_MODEL_DESCRIPTION, ERR_MODEL_LOAD. */
export function modelSetOptions(config: Config, log: Logger): ModelSetOptions {
  const { PLAYER_MODEL, PITCH_MODEL, BALL_MODEL, IMG_SIZE, CONF_THRESHOLD, MAX_DETECTIONS } = config;
  const choice = {
    maxDetections: MAX_DETECTIONS,
    ...(IMG_SIZE === undefined ? {} : { imageSize: IMG_SIZE }),
    confThreshold: Math.min(WEAK_THRESHOLD, CONF_THRESHOLD ?? 1),
  };
  const roles = { player: PLAYER_MODEL, pitch: PITCH_MODEL, ball: BALL_MODEL } as const;
  const own = (['player', 'pitch', 'ball'] as const).flatMap((role) => {
    const model = roles[role];
    return model === undefined ? [] : [chooseRoleModel(role, { ...choice, model })];
  });
  return {
    models: own.length > 0 ? own : [chooseModel({ ...choice, model: config.MODEL })],
    skipPitch: config.SKIP_PITCH,
    device: config.DEVICE,
    batchSize: config.BATCH_SIZE,
    fp16: config.FP16,
    ...(config.ORT_THREADS === 'auto' ? {} : { threads: config.ORT_THREADS }),
    ...(config.TENSORRT_CACHE_DIR === undefined ? {} : { engineCacheDir: config.TENSORRT_CACHE_DIR }),
    onNotice: (message, details) => log.warn(details, message),
  };
}
