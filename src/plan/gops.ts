import type { SampleIndex } from '../container/index.js';

/** Frames that can be decoded from one keyframe, by frame number: the unit of random access. */
export interface Gop {
  /** Row of the keyframe. */
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

export interface GopTable {
  readonly gops: readonly Gop[];
  /** Row of the index by frame number; −1 = none. */
  readonly sampleOf: Int32Array;
  /** 1 = shown before something decoded earlier (a B-frame): likely, not surely, nothing refers to it. By row. */
  readonly isLate: Uint8Array;
}

/** Splits an index at its keyframes. Frames shown before a keyframe but coded behind it belong to the GOP before. */
export function splitIntoGops(index: SampleIndex): GopTable {
  const { sampleCount, frameCount, frameNumber, sync } = index;
  const sampleOf = new Int32Array(frameCount).fill(-1);
  const isLate = new Uint8Array(sampleCount);
  const starts: { sample: number; frame: number }[] = [];
  let latest = -1;
  for (let sample = 0; sample < sampleCount; sample++) {
    const frame = frameNumber[sample] ?? -1;
    if (frame >= 0 && frame < frameCount) sampleOf[frame] = sample;
    if (frame >= 0 && frame < latest) isLate[sample] = 1;
    latest = Math.max(latest, frame);
    const previous = starts.at(-1);
    if (sync[sample] && frame >= 0 && (!previous || frame > previous.frame)) starts.push({ sample, frame });
  }
  const first = starts[0];
  // Without a keyframe at the start (or any at all) decoding still begins with the first row.
  if (!first) starts.push({ sample: 0, frame: 0 });
  else if (first.frame > 0 && first.sample > 0) starts.unshift({ sample: 0, frame: 0 });
  else if (first.frame > 0) starts[0] = { sample: first.sample, frame: 0 };
  const gops = starts
    .map(({ sample, frame }, i) => ({
      firstSample: sample,
      firstFrame: frame,
      endFrame: starts[i + 1]?.frame ?? frameCount,
    }))
    .filter(({ firstFrame, endFrame }) => endFrame > firstFrame);
  const usual = CUT_SHORT * Math.max(...gops.map(({ firstFrame, endFrame }) => endFrame - firstFrame));
  const isCutShort = gops.map(({ firstFrame, endFrame }) => endFrame - firstFrame < usual);
  const isLast = (i: number) => i === gops.length - 1;
  const marked = gops.map((gop, i) => ({
    ...gop,
    startsShot: i === 0 || isCutShort[i - 1] === true,
    endsShot: isLast(i) || isCutShort[i] === true,
  }));
  return { gops: marked, sampleOf, isLate };
}

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
