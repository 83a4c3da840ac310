import type { PictureSpace, Point } from './camera.js';
import { displacement } from './camera-track.js';
import { log, type Mat3, multiply } from './mat3.js';
import type { Sample } from './sample.js';
import { SIGNATURE_COLUMNS, SIGNATURE_ROWS } from './signature.js';

/** What the container says about where shots may begin. */
export interface CutHints {
  readonly keyframes: Keyframes;
  /** Coded size of frame n in bytes; empty where unknown. */
  readonly frameBytes: ArrayLike<number>;
}

/**
 * Encoders put a keyframe on a cut. Where keyframes stand at unequal distances, one that comes early speaks for a cut, and none
 * at all against it. Where all distances are equal, the encoder was told not to look, and nothing follows.
 */
export class Keyframes {
  private readonly longest: number = 0;
  private readonly shortest: number = Number.POSITIVE_INFINITY;

  /** `frames`: frame numbers, ascending. */
  constructor(private readonly frames: readonly number[]) {
    for (let k = 1; k < frames.length; k++) {
      this.longest = Math.max(this.longest, this.distance(k));
      this.shortest = Math.min(this.shortest, this.distance(k));
    }
  }

  /** Log odds of a cut behind frame `from`, up to `to`. */
  odds(from: number, to: number): number {
    if (this.frames.length < 3 || this.shortest === this.longest) return 0;
    const earliest = this.earliest(from, to);
    if (earliest < 0) return -3;
    return this.distance(earliest) < this.longest ? 2.5 : -1.5;
  }

  /** The keyframe behind `from`, up to `to`, that comes earliest after its predecessor; undefined = none. */
  likeliest(from: number, to: number): number | undefined {
    return this.frames[this.earliest(from, to)];
  }

  /** Place of that keyframe; −1 = none. */
  private earliest(from: number, to: number): number {
    let best = -1;
    for (let k = Math.max(1, this.firstBehind(from)); k < this.frames.length && this.frames[k] <= to; k++) {
      if (best < 0 || this.distance(k) < this.distance(best)) best = k;
    }
    return best;
  }

  private firstBehind(frame: number): number {
    let [low, high] = [0, this.frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle] <= frame) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private distance(k: number): number {
    return this.frames[k] - this.frames[k - 1];
  }
}

/** Log odds of a cut between two samples before the pictures are looked at: one shot in ten seconds. */
const CUTS_PER_S = 0.1;
/** Without a common camera motion, pictures are compared under shifts up to these shares of the grid. */
const MOST_COLUMNS = 8;
const MOST_ROWS = 4;

export interface CutQuestion {
  readonly a: Sample;
  readonly b: Sample;
  readonly space: PictureSpace;
  readonly hints: CutHints;
}

/**
 * Log odds that a cut lies between two samples: how alike the pictures are where they overlap (after undoing the camera's
 * motion where the pitch gives it away), how fast the camera would have had to move, and what the keyframes say.
 * Measured on match-a and on the labelled frames of data/football: alike ≥ .92 within a shot, ≤ .87 across cuts.
 */
export function cutOdds({ a, b, space, hints }: CutQuestion): number {
  const spanS = b.timeS - a.timeS;
  const prior = Math.log(Math.expm1(CUTS_PER_S * spanS));
  const odds = prior + hints.keyframes.odds(a.index, b.index);
  const motion = a.fit && b.fit && log(multiply(b.fit.map, a.fit.inverse));
  const speed = motion ? displacement(motion, space) / spanS : 0;
  const speedOdds = motion ? Math.min(6, Math.max(-0.5, (speed - 1.2) * 4)) : 0;
  const overlap = a.fit && b.fit ? compareMoved(a, b, multiply(a.fit.map, b.fit.inverse), space) : undefined;
  if (overlap && overlap.share > 0.2) {
    const moved = odds + speedOdds + pictureOdds(overlap);
    if (moved <= 0) return moved;
    // One wrong fit of the pitch looks like a jump of the camera: pictures that are alike without it tell better.
    return Math.min(moved, odds + pictureOdds(compareShifted(a, b)));
  }
  return odds + speedOdds + pictureOdds(compareShifted(a, b));
}

interface Likeness {
  /** Correlation of the colours over the overlap, −1..1. */
  readonly correlation: number;
  /** Mean difference of the colours, 0..255. */
  readonly difference: number;
  /** Share of the picture that both show. */
  readonly share: number;
}

function pictureOdds({ correlation, difference }: Likeness): number {
  const byCorrelation = (0.89 - correlation) * 40;
  const byDifference = (difference - 10) * 0.5;
  return Math.min(7, Math.max(-7, byCorrelation)) + Math.min(4, Math.max(-4, byDifference));
}

/** Compares cells of b with the place in a that shows the same ground. `map`: picture of b → picture of a. */
function compareMoved(a: Sample, b: Sample, map: Mat3, space: PictureSpace): Likeness {
  const place: Point = { x: 0, y: 0 };
  const compare = new Comparison();
  for (let row = 0; row < SIGNATURE_ROWS; row++) {
    for (let column = 0; column < SIGNATURE_COLUMNS; column++) {
      const u = ((column + 0.5) / SIGNATURE_COLUMNS) * 2 - 1;
      const v = (((row + 0.5) / SIGNATURE_ROWS) * 2 - 1) * space.bottom;
      const depth = map[6] * u + map[7] * v + map[8];
      if (!(depth > 1e-6)) continue;
      place.x = (((map[0] * u + map[1] * v + map[2]) / depth + 1) / 2) * SIGNATURE_COLUMNS - 0.5;
      place.y = (((map[3] * u + map[4] * v + map[5]) / depth / space.bottom + 1) / 2) * SIGNATURE_ROWS - 0.5;
      if (place.x < 0 || place.y < 0 || place.x > SIGNATURE_COLUMNS - 1 || place.y > SIGNATURE_ROWS - 1) continue;
      compare.add(a.signature, place, b.signature, row * SIGNATURE_COLUMNS + column);
    }
  }
  return compare.result();
}

/** The best likeness under all shifts of a few cells. */
function compareShifted(a: Sample, b: Sample): Likeness {
  let best: Likeness | undefined;
  for (let dy = -MOST_ROWS; dy <= MOST_ROWS; dy++) {
    for (let dx = -MOST_COLUMNS; dx <= MOST_COLUMNS; dx++) {
      const compare = new Comparison();
      const cells = SIGNATURE_COLUMNS - Math.abs(dx);
      for (let row = Math.max(0, -dy); row < Math.min(SIGNATURE_ROWS, SIGNATURE_ROWS - dy); row++) {
        const cell = row * SIGNATURE_COLUMNS + Math.max(0, -dx);
        compare.addRun(a.signature, cell + dy * SIGNATURE_COLUMNS + dx, b.signature, cell, cells);
      }
      const likeness = compare.result();
      if (!best || likeness.correlation > best.correlation) best = likeness;
    }
  }
  return best ?? { correlation: 1, difference: 0, share: 0 };
}

/** Sums over cell pairs, from which correlation and difference follow. */
class Comparison {
  private count = 0;
  private readonly a = new Float64Array(3);
  private readonly b = new Float64Array(3);
  private aa = 0;
  private bb = 0;
  private ab = 0;
  private apart = 0;

  /** Cell of `b` against the place (x, y, in cells) of `a`, bilinear. */
  add(a: Uint8Array, { x, y }: Point, b: Uint8Array, cell: number): void {
    const column = Math.min(SIGNATURE_COLUMNS - 2, Math.floor(x));
    const row = Math.min(SIGNATURE_ROWS - 2, Math.floor(y));
    const fx = x - column;
    const fy = y - row;
    const at = (row * SIGNATURE_COLUMNS + column) * 3;
    const below = at + SIGNATURE_COLUMNS * 3;
    this.count++;
    for (let c = 0; c < 3; c++) {
      const upper = a[at + c] * (1 - fx) + a[at + 3 + c] * fx;
      const lower = a[below + c] * (1 - fx) + a[below + 3 + c] * fx;
      const one = upper * (1 - fy) + lower * fy;
      const other = b[cell * 3 + c];
      this.a[c] += one;
      this.b[c] += other;
      this.aa += one * one;
      this.bb += other * other;
      this.ab += one * other;
      this.apart += Math.abs(one - other);
    }
  }

  /** So many cells of a row of `b` against as many of `a`. */
  addRun(a: Uint8Array, fromA: number, b: Uint8Array, fromB: number, cells: number): void {
    let { aa, bb, ab, apart } = this;
    for (let c = 0; c < 3; c++) {
      let sumA = 0;
      let sumB = 0;
      for (let i = c; i < cells * 3; i += 3) {
        const one = a[fromA * 3 + i];
        const other = b[fromB * 3 + i];
        sumA += one;
        sumB += other;
        aa += one * one;
        bb += other * other;
        ab += one * other;
        apart += Math.abs(one - other);
      }
      this.a[c] += sumA;
      this.b[c] += sumB;
    }
    this.aa = aa;
    this.bb = bb;
    this.ab = ab;
    this.apart = apart;
    this.count += cells;
  }

  result(): Likeness {
    const n = this.count;
    if (n === 0) return { correlation: 0, difference: 0, share: 0 };
    let { aa, bb, ab } = this;
    for (let c = 0; c < 3; c++) {
      aa -= (this.a[c] * this.a[c]) / n;
      bb -= (this.b[c] * this.b[c]) / n;
      ab -= (this.a[c] * this.b[c]) / n;
    }
    const flat = aa < n && bb < n;
    return {
      correlation: flat ? 1 : ab / Math.sqrt(aa * bb + 1),
      difference: this.apart / (3 * n),
      share: n / (SIGNATURE_COLUMNS * SIGNATURE_ROWS),
    };
  }
}

/**
 * The first frame of the new shot when a cut lies between two samples: on the keyframe that comes earliest after its
 * predecessor, else on the frame that weighs most for its surroundings, else in the middle.
 */
export function cutFrame(from: number, to: number, { keyframes, frameBytes }: CutHints): number {
  const keyframe = keyframes.likeliest(from, to);
  if (keyframe !== undefined) return keyframe;
  let best = -1;
  let heaviest = 0;
  for (let n = from + 1; n <= to; n++) {
    const around =
      (frameBytes[n - 2] ?? 0) + (frameBytes[n - 1] ?? 0) + (frameBytes[n + 1] ?? 0) + (frameBytes[n + 2] ?? 0);
    const weight = (frameBytes[n] ?? 0) / (around + 1);
    if (weight > heaviest) {
      heaviest = weight;
      best = n;
    }
  }
  return heaviest > 1 ? best : Math.ceil((from + to + 1) / 2);
}
