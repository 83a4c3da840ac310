import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OptionError, TikitakaError } from '../../../operators/index.js';
import { type ClipCodec, type ClipContainer, openVideoWriter } from '../../decode/index.js';
import { RENDERER_VERSION } from './renderer.js';
import { openRenderers } from './renderers.js';
import type { Truth, TruthFrame } from './truth.js';

export interface GenerateClipOptions {
  /** Whole number; the same seed gives the same match, pixel by pixel. */
  readonly seed: number;
  /** Length of the clip; default 30. */
  readonly seconds?: number;
  /** Even; default 1920 × 1080. */
  readonly width?: number;
  readonly height?: number;
  /** Whole frames per second; default 25. */
  readonly fps?: number;
  /** Frames from one keyframe to the next; default 50. */
  readonly gop?: number;
  /** Default 2; H.264 and HEVC only. */
  readonly bFrames?: number;
  /** Where a plain MP4 keeps its index; default `start`. */
  readonly moov?: 'start' | 'end';
  /** Default `mp4`. */
  readonly container?: ClipContainer;
  /** Default `h264`, in WebM `vp9`. */
  readonly codec?: ClipCodec;
  /** Where clips are kept between calls; default a folder below the system's temporary one. */
  readonly cacheFolder?: string;
  /** Called after every coded frame; not called when the clip was kept from before. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface GeneratedClip {
  readonly path: string;
  /** The same as `truth`, as a file. */
  readonly truthPath: string;
  readonly truth: Truth;
  /** Whether it was there already. */
  readonly cached: boolean;
}

/** A draft that nobody has written to for so long was left by a process that was killed, ms. Chosen. */
const ABANDONED_MS = 3_600_000;
const ENDINGS = { mp4: 'mp4', fmp4: 'frag.mp4', mpegts: 'ts', webm: 'webm', mkv: 'mkv' } as const;
/** Drawn at five sixths of the size and scaled up in the encoder: as soft as a broadcast lens, and a third faster. */
const DRAWN_SHARE = 5 / 6;
/** 4 Mbit/s at 1080p25, as the clips of the challenge have. */
const BITS_PER_PIXEL = 4e6 / (1920 * 1080 * 25);

const whole = (name: string, value: number, least: number, most: number): void => {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new OptionError(`${name} must be a whole number from ${least} to ${most}, not ${value}`, { [name]: value });
  }
};

/**
 * Renders a football match as broadcast from the main stand and encodes it, with the exact truth of every frame beside
 * it; a clip generated before is found again by its options. Errors: ERR_OPTION, ERR_ENCODE, ERR_RENDER, or the signal's reason.
 */
export async function generateClip(options: GenerateClipOptions): Promise<GeneratedClip> {
  const { seed, seconds = 30, width = 1920, height = 1080, fps = 25, gop = 50, bFrames = 2, moov = 'start' } = options;
  const { container = 'mp4', cacheFolder = join(tmpdir(), 'tikitaka-demo'), onProgress, signal } = options;
  const codec = options.codec ?? (container === 'webm' ? 'vp9' : 'h264');
  whole('seed', seed, 0, 2 ** 32 - 1);
  whole('width', width, 64, 7680);
  whole('height', height, 64, 4320);
  whole('fps', fps, 1, 240);
  whole('gop', gop, 1, 10_000);
  whole('bFrames', bFrames, 0, 16);
  if (!(seconds > 0 && seconds <= 3600))
    throw new OptionError(`seconds must be above 0 and at most 3600, not ${seconds}`, { seconds });
  const frameCount = Math.max(1, Math.round(seconds * fps));
  const recipe = {
    seed,
    frameCount,
    width,
    height,
    fps,
    gop,
    bFrames,
    moov,
    container,
    codec,
    version: RENDERER_VERSION,
  };
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const path = join(cacheFolder, `match-${seed}-${key}.${ENDINGS[container]}`);
  const truthPath = join(cacheFolder, `match-${seed}-${key}.truth.json`);
  signal?.throwIfAborted();
  const kept = await readTruth(path, truthPath);
  if (kept) return { path, truthPath, truth: kept, cached: true };

  const draft = `${path}.${randomUUID()}.part`;
  await mkdir(cacheFolder, { recursive: true });
  await clearAbandoned(cacheFolder);
  const even = (value: number): number => Math.max(2, Math.round((value * DRAWN_SHARE) / 2) * 2);
  const drawn = { pictureWidth: even(width), pictureHeight: even(height) };
  const renderers = openRenderers({
    seed,
    frameCount,
    fps,
    width: drawn.pictureWidth,
    height: drawn.pictureHeight,
    clipWidth: width,
    clipHeight: height,
  });
  try {
    const bitrateBps = Math.round(BITS_PER_PIXEL * width * height * fps);
    const writer = await openVideoWriter({
      path: draft,
      container,
      codec,
      width,
      height,
      framesPerSecond: { num: fps, den: 1 },
      gop,
      bFrames,
      moov,
      bitrateBps,
      ...drawn,
    });
    const frames: TruthFrame[] = [];
    try {
      for (let frame = 0; frame < frameCount; frame++) {
        const { pixels, truth, free } = await renderers.frame(frame);
        await writer.write(pixels);
        free();
        frames.push(truth);
        signal?.throwIfAborted();
        onProgress?.(frame + 1, frameCount);
      }
      await writer.finish();
    } finally {
      await writer.abort();
    }
    const truth: Truth = { width, height, fps, frames };
    await writeFile(`${draft}.truth`, JSON.stringify(truth));
    // Truth first: a clip that is there always has its truth.
    await rename(`${draft}.truth`, truthPath);
    await rename(draft, path);
    return { path, truthPath, truth, cached: false };
  } finally {
    await renderers.close();
    await rm(draft, { force: true });
    await rm(`${draft}.truth`, { force: true });
  }
}

async function clearAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/\.part(\.truth)?$/.test(name)) continue;
    const file = join(folder, name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(file, { force: true });
  }
}

async function readTruth(path: string, truthPath: string): Promise<Truth | undefined> {
  try {
    const [text] = await Promise.all([readFile(truthPath, 'utf8'), access(path)]);
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new TikitakaError('ERR_CACHE', `cannot read the kept clip ${path}`, { cause });
  }
}
