import { FIXED_STRIDE } from '../../plan/index.js';
import { firstPass, isSparse, usedBatch, usedDecoder } from './first-pass.js';
import type { Cost, Measurements } from './schema.js';
import type { Settings } from './settings.js';
import { showBytes, showCount, showFps, showMs, showRate } from './units.js';

/** What takes a cost away: lines of `.env` where a setting does, and in any case what to do. */
export type Mend = Pick<Cost, 'setting' | 'mend'>;

/** What is known when a mend is looked for. */
export interface Case {
  readonly measured: Measurements;
  readonly settings: Settings;
  /** Origin of the final link, e.g. `https://cdn.example.com`. */
  readonly origin: string;
  readonly costMs: number;
  /** What comes before and behind the stages that run side by side in the pipeline, ms; with and without the set-up. */
  readonly aroundMs: number;
  readonly aroundWarmMs: number;
  readonly bytesPerSecond: number | undefined;
}

/** Differences below this share are noise. Chosen. */
const WORTH = 0.1;

export function mendSetUp({ settings, origin }: Case): Mend {
  if (settings.prewarmOrigins.includes(origin))
    return {
      mend: `the origin is in PREWARM_ORIGINS: only a challenge that comes before the connection stands pays this`,
    };
  const prewarm = `PREWARM_ORIGINS=${origin}`;
  return settings.pooled
    ? { setting: prewarm, mend: 'connects at start-up and keeps the connection, before the first challenge comes' }
    : {
        setting: `USE_CONNECTION_POOL=1 ${prewarm}`,
        mend: 'keeps connections; without the pool every challenge pays the set-up',
      };
}

export const mendIndex = (): Mend => ({
  mend: 'no setting: whoever makes the clip writes the index first (ffmpeg -movflags +faststart)',
});

export function mendTransfer(one: Case): Mend | undefined {
  const { measured, settings, bytesPerSecond, costMs, aroundMs, aroundWarmMs } = one;
  const { container, server } = measured;
  const pass = firstPass(measured, settings);
  if (settings.downloadFirst)
    return {
      setting: 'STREAMING_DOWNLOAD=1 CHUNKED_STREAMING=1',
      mend: 'reads what the plan needs instead of the whole file first',
    };
  const leftMs = settings.budgetMs - aroundWarmMs;
  const link = bytesPerSecond === undefined ? '' : ` at ${showRate(bytesPerSecond)}`;
  if (isSparse(measured, settings)) {
    const need = `${showCount(pass.pictures ?? 0, 'keyframe')} are ${showBytes(pass.bytes ?? 0)}, ${showMs(costMs)}${link}`;
    if (costMs > leftMs)
      return {
        setting: `TIME_BUDGET_S=${Math.ceil((aroundMs + costMs) / 100) / 10}`,
        mend: `${need}: a budget of ${showMs(settings.budgetMs)} sees a part of them`,
      };
    const { frames = 0, keyframes = 0 } = container ?? {};
    const gop = Math.round(frames / Math.max(1, keyframes));
    if (settings.stride !== undefined && settings.stride >= gop) return undefined;
    return {
      setting: `FRAME_STRIDE=${gop}`,
      mend: `${need}; with one frame of each group nothing else is read of ${showBytes(server?.sizeBytes ?? 0)}`,
    };
  }
  if (container?.kind !== 'indexed')
    return { mend: `no setting: without an index nothing can be left out; as MP4 the clip would be read in part` };
  if (container.moov === 'end')
    return { mend: 'no setting: without Range the index, which lies behind the media data, comes last of all' };
  const fitting = Math.max(0, (leftMs / 1000) * (bytesPerSecond ?? 0));
  if (fitting >= (pass.bytes ?? 0)) return undefined;
  return {
    setting: `PARTIAL_DOWNLOAD=1 PARTIAL_DOWNLOAD_MB=${Math.max(0.1, Math.floor(fitting / 1e5 + 1e-6) / 10)}`,
    mend: `reads what the budget of ${showMs(settings.budgetMs)} has time for${link}; the rest of the answer is held`,
  };
}

export function mendDecoding({ measured, settings }: Case): Mend {
  const used = usedDecoder(measured, settings);
  const faster = measured.decoders.find(
    (other) => other.name !== used?.name && (other.framesPerSecond ?? 0) > (used?.framesPerSecond ?? 0) * (1 + WORTH),
  );
  if (faster && used)
    return {
      setting: `DECODER=${faster.name}`,
      mend: `${faster.name} decodes ${showFps(faster.framesPerSecond ?? 0)}, ${used.name} ${showFps(used.framesPerSecond ?? 0)}`,
    };
  if (settings.decodeThreads < settings.cores)
    return {
      setting: `DECODE_THREADS=${settings.cores}`,
      mend: `this machine has ${settings.cores} cores, the decoder uses ${settings.decodeThreads}`,
    };
  const stride = Math.max(2, (settings.stride ?? FIXED_STRIDE) * 2);
  return {
    setting: `FRAME_STRIDE=${stride}`,
    mend: `all ${settings.cores} cores decode already: fewer frames, or USE_NVDEC=1 where there is a card`,
  };
}

export function mendInference({ measured, settings }: Case): Mend {
  const { models } = measured;
  const used = usedBatch(measured, settings);
  const [best] = [...(models?.batches ?? [])].sort((a, b) => b.framesPerSecond - a.framesPerSecond);
  if (best && used && best.size !== used.size && best.framesPerSecond > used.framesPerSecond * (1 + WORTH))
    return {
      setting: `BATCH_SIZE=${best.size}`,
      mend: `batches of ${showCount(best.size, 'frame')} run ${showFps(best.framesPerSecond)}, of ${showCount(used.size, 'frame')} ${showFps(used.framesPerSecond)}`,
    };
  const width = models?.input.width ?? 0;
  const smaller = Math.max(0, ...settings.widths.filter((other) => other < width));
  if (smaller > 0)
    return {
      setting: `IMG_SIZE=${smaller}`,
      mend: `${smaller} pixels wide instead of ${width} pixels: ${Math.round((1 - (smaller / width) ** 2) * 100)} % less to compute, for some accuracy`,
    };
  const stride = (settings.stride ?? FIXED_STRIDE) * 2;
  return {
    setting: `FRAME_STRIDE=${stride}`,
    mend: `the smallest model runs on ${models?.device ?? 'this device'} already: fewer frames, or a faster device`,
  };
}

export function mendAnswer({ settings }: Case): Mend | undefined {
  if (settings.dropUnscored) return undefined;
  return { setting: 'DROP_UNSCORED=1', mend: 'leaves out boxes that callers drop anyway' };
}
