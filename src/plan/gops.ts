import type { SampleIndex } from '../container/index.js';

/**
 * Frames that can be decoded from one keyframe, by frame number: the unit of random access. Where a clip has very many of them,
 * a run of neighbours.
 */
export interface Gop {
  /** Row of the (first) keyframe. */
  readonly firstSample: number;
  /** Frame numbers `[firstFrame, endFrame)`. */
  readonly firstFrame: number;
  readonly endFrame: number;
  /** The picture likely changes at once here: the keyframe came earlier than the encoder's usual distance. */
  readonly startsShot: boolean;
  /** The next one starts a shot, or there is none. */
  readonly endsShot: boolean;
}

/** A GOP shorter than this share of the longest was cut off by a change of the picture (x264's `scenecut`). Chosen. */
const CUT_SHORT = 0.9;
/** More GOPs are planned in runs of neighbours, since a plan costs a step for each. Chosen: all of 40 s in which every frame is a keyframe. */
const MOST_GOPS = 1024;

export interface GopTable {
  readonly gops: readonly Gop[];
  /** Row of the index by frame number; −1 = none. */
  readonly sampleOf: Int32Array;
  /** Row of the keyframe from which a frame is decoded, by frame number: within a run the nearest one. */
  readonly startOf: Int32Array;
  /** 1 = shown before something decoded earlier (a B-frame): likely, not surely, nothing refers to it. By row. */
  readonly isLate: Uint8Array;
}

/** Splits an index at its keyframes. Frames shown before a keyframe but coded behind it belong to the GOP before. */
export function splitIntoGops(index: SampleIndex): GopTable {
  const { sampleCount, frameCount, frameNumber, sync } = index;
  const sampleOf = new Int32Array(frameCount).fill(-1);
  const startOf = new Int32Array(frameCount);
  const isLate = new Uint8Array(sampleCount);
  const keys = new Int32Array(sampleCount + 1);
  let count = 0;
  let latest = -1;
  let first = frameCount;
  for (let sample = 0, before = -1; sample < sampleCount; sample++) {
    const frame = frameNumber[sample];
    if (frame >= 0 && frame < frameCount) sampleOf[frame] = sample;
    if (frame >= 0 && frame < latest) isLate[sample] = 1;
    latest = Math.max(latest, frame);
    if (!sync[sample] || frame <= before) continue;
    if (count === 0) first = frame;
    before = frame;
    keys[count++] = sample;
  }
  // Without a keyframe at the start (or any at all) decoding still begins with the first row.
  if (first > 0 && (count === 0 || keys[0] > 0)) {
    keys.copyWithin(1, 0, count++);
    keys[0] = 0;
  }
  const firstFrameOf = (i: number) => (i === 0 ? 0 : i < count ? frameNumber[keys[i]] : frameCount);
  const lengthOf = (i: number) => firstFrameOf(i + 1) - firstFrameOf(i);
  let longest = 0;
  for (let i = 0; i < count; i++) longest = Math.max(longest, lengthOf(i));
  const isCutShort = (i: number) => lengthOf(i) < CUT_SHORT * longest;
  const leastFrames = count > MOST_GOPS ? frameCount / MOST_GOPS : 0;
  const gops: Gop[] = [];
  for (let i = 0, from = 0; i < count; i++) {
    const endFrame = firstFrameOf(i + 1);
    const firstFrame = firstFrameOf(from);
    startOf.fill(keys[i], firstFrameOf(i), endFrame);
    const isLast = i === count - 1;
    if (!isLast && endFrame - firstFrame < leastFrames) continue;
    if (endFrame > firstFrame) {
      const startsShot = from === 0 || isCutShort(from - 1);
      gops.push({ firstSample: keys[from], firstFrame, endFrame, startsShot, endsShot: isLast || isCutShort(i) });
    }
    from = i + 1;
  }
  return { gops, sampleOf, startOf, isLate };
}

/** Frames of the longest one. */
export const longestOf = (gops: readonly Pick<Gop, 'firstFrame' | 'endFrame'>[]): number =>
  gops.reduce((longest, { firstFrame, endFrame }) => Math.max(longest, endFrame - firstFrame), 0);

/** GOPs in runs that likely show one shot each. */
export function splitIntoShots<G extends Pick<Gop, 'startsShot'>>(gops: readonly G[]): G[][] {
  const shots: G[][] = [];
  for (const gop of gops) {
    const shot = shots.at(-1);
    if (shot && !gop.startsShot) shot.push(gop);
    else shots.push([gop]);
  }
  return shots;
}

/** 0 … count − 1, coarse to fine: the first, the last, then always the middle of the widest gap. */
export function bisectionOrder(count: number): number[] {
  if (count <= 2) return Array.from({ length: count }, (_, i) => i);
  const order = [0, count - 1];
  let gaps: (readonly [number, number])[] = [[0, count - 1]];
  while (gaps.length > 0) {
    const next: (readonly [number, number])[] = [];
    for (const [low, high] of gaps) {
      if (high - low < 2) continue;
      const middle = (low + high) >> 1;
      order.push(middle);
      next.push([low, middle], [middle, high]);
    }
    gaps = next;
  }
  return order;
}

/** `count` of the list, evenly spread. */
export function evenly<T>(list: readonly T[], count: number): T[] {
  if (count >= list.length) return [...list];
  const at = (i: number) => Math.round(((i + 0.5) * list.length) / count - 0.5);
  return Array.from({ length: count }, (_, i) => list[at(i)]).filter((item) => item !== undefined);
}
