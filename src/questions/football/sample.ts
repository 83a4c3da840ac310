import type { ClassThresholds } from '../../../models/index.js';
import type { Finding } from './answer.js';
import type { PictureSpace } from './camera.js';
import { fitHomography, type HomographyFit } from './homography.js';
import { PITCH_POINTS } from './pitch.js';

/** Ground units of the fit: near 1 for the whole pitch, so that its equations are well conditioned. */
export const FIT_UNIT_M = 50;
/** Key points below this score are not used. Measured: docs/measurements.md "The pitch", false positives 2.3 % at .25, 1.2 % at .35. */
const KEY_POINT_SCORE = 0.25;
/** Share of the picture's diagonal within which a key point agrees with the pitch. Measured on match-a: .012 keeps recall .994 and drops strays. */
const KEY_POINT_TOLERANCE = 0.012;
/** Persons and balls below this score are noise even for the second association stage, unless a threshold says otherwise. Chosen, as ByteTrack's low threshold. */
export const NOISE_SCORE = 0.12;
/** Two boxes of one sample that overlap more than this are one person. Chosen above what two crossing players reach. */
const SAME_PERSON_IOU = 0.7;

/** A box with a side farther out than this is none; an answer's frames could not hold it (see `FramePacker`). */
const MOST_PX = 1e6;
/** More balls are not looked at: the best scores stay. Measured: models find at most 8. */
const MOST_BALLS = 16;

/** Persons or balls of one sample, one entry each, in picture units; best score first. */
export interface Bodies {
  readonly count: number;
  /** Middle of the lower edge: where a person touches the ground. */
  readonly footU: Float64Array;
  readonly footV: Float64Array;
  readonly width: Float64Array;
  readonly height: Float64Array;
  readonly score: Float64Array;
  /** uint8 [count]: 1 = above the threshold of its class, so that somebody is shown for it. */
  readonly sure: Uint8Array;
  /** [count, 3]: P(goalkeeper), P(player), P(referee). */
  readonly roles: Float64Array;
  /** [count, 3]: shirt colour as weighted luma, red − luma, blue − luma; empty where it is not known. */
  readonly kits: Float64Array;
}

/** One finding, made ready for geometry; keeps nothing of the finding but its signature: a clip has hundreds of them. */
export interface Sample {
  readonly index: number;
  readonly timeS: number;
  /** See `Finding.signature`. */
  readonly signature: Uint8Array;
  /** [32, 3]: u, v, score of each key point; empty where no pitch model ran. */
  readonly keyPoints: Float64Array;
  readonly persons: Bodies;
  readonly balls: Bodies;
  /** Pitch metres / 50, origin at the centre spot → picture units; undefined without enough key points. */
  readonly fit: HomographyFit | undefined;
}

export interface SampleOptions {
  readonly space: PictureSpace;
  readonly thresholds: ClassThresholds;
  readonly skipPitch: boolean;
  /** More are not looked at: the best scores stay. */
  readonly maxPersons: number;
}

/** Prepares a finding: overlapping doubles go, the pitch is fitted to the key points. About 0.1 ms. */
export function createSample(finding: Finding, timeS: number, options: SampleOptions): Sample {
  const { space, skipPitch } = options;
  const keyPoints = new Float64Array(Math.min(finding.keyPoints.length, PITCH_POINTS.length) * 3);
  for (let k = 0; k * 3 < keyPoints.length; k++) {
    const { xPx, yPx, score } = finding.keyPoints[k];
    keyPoints.set([space.u(xPx), space.v(yPx), score], k * 3);
  }
  return {
    index: finding.index,
    timeS,
    signature: finding.signature,
    keyPoints,
    persons: bodies(finding, options, false),
    balls: bodies(finding, options, true),
    fit: skipPitch ? undefined : fitPitch(keyPoints, space),
  };
}

function fitPitch(keyPoints: Float64Array, space: PictureSpace): HomographyFit | undefined {
  const used: number[] = [];
  for (let k = 0; k * 3 < keyPoints.length; k++) if (keyPoints[k * 3 + 2] >= KEY_POINT_SCORE) used.push(k);
  const column = (of: (k: number) => number) => Float64Array.from(used, of);
  const diagonal = Math.hypot(2, 2 * space.bottom);
  return fitHomography(
    {
      fromX: column((k) => (PITCH_POINTS[k][0] - 52.5) / FIT_UNIT_M),
      fromY: column((k) => (PITCH_POINTS[k][1] - 34) / FIT_UNIT_M),
      toX: column((k) => keyPoints[k * 3]),
      toY: column((k) => keyPoints[k * 3 + 1]),
      weight: column((k) => keyPoints[k * 3 + 2]),
    },
    { tolerance: KEY_POINT_TOLERANCE * diagonal },
  );
}

function bodies(finding: Finding, { space, thresholds, maxPersons }: SampleOptions, balls: boolean): Bodies {
  const most = balls ? MOST_BALLS : maxPersons;
  const above = [thresholds.ball, thresholds.goalkeeper, thresholds.player, thresholds.referee] as const;
  const order: number[] = [];
  finding.detections.forEach((detection, i) => {
    const sane = detection.boxXyxyPx.every((side) => Math.abs(side) <= MOST_PX);
    if (
      sane &&
      (detection.classId === 0) === balls &&
      detection.score >= Math.min(NOISE_SCORE, above[detection.classId])
    )
      order.push(i);
  });
  order.sort((a, b) => finding.detections[b].score - finding.detections[a].score || a - b);
  const kept: number[] = [];
  for (const i of order) {
    if (kept.length === most) break;
    const box = finding.detections[i].boxXyxyPx;
    if (!kept.some((k) => iou(box, finding.detections[k].boxXyxyPx) > SAME_PERSON_IOU)) kept.push(i);
  }
  const column = (of: (d: Finding['detections'][number]) => number) =>
    Float64Array.from(kept, (i) => of(finding.detections[i]));
  const roles = new Float64Array(kept.length * 3);
  kept.forEach((i, place) => {
    const { roleScores, classId } = finding.detections[i];
    roles.set(roleScores ?? [1, 2, 3].map((role) => (role === classId ? 1 : 0)), place * 3);
  });
  const kits = new Float64Array(finding.kitColours && !balls ? kept.length * 3 : 0);
  if (kits.length > 0) for (const [place, i] of kept.entries()) kits.set(kitOf(finding, i), place * 3);
  return {
    count: kept.length,
    footU: column((d) => space.u((d.boxXyxyPx[0] + d.boxXyxyPx[2]) / 2)),
    footV: column((d) => space.v(d.boxXyxyPx[3])),
    width: column((d) => (d.boxXyxyPx[2] - d.boxXyxyPx[0]) / space.unitPx),
    height: column((d) => (d.boxXyxyPx[3] - d.boxXyxyPx[1]) / space.unitPx),
    score: column((d) => d.score),
    // Above, not at: a threshold of 1 lets nothing through, though a float32 sigmoid does reach 1.
    sure: Uint8Array.from(column((d) => (d.score > above[d.classId] ? 1 : 0))),
    roles,
    kits,
  };
}

/** Shirt colour as [luma, red − luma, blue − luma]; shade weighs less than hue: half the pitch may lie in the sun. */
function kitOf({ kitColours }: Finding, i: number): readonly [number, number, number] {
  const [red, green, blue] = kitColours?.subarray(i * 3, i * 3 + 3) ?? [0, 0, 0];
  const luma = 0.3 * red + 0.59 * green + 0.11 * blue;
  return [0.7 * luma, 1.5 * (red - luma), 1.5 * (blue - luma)];
}

/** Intersection over union of two boxes x1, y1, x2, y2. */
export function iou(a: readonly number[], b: readonly number[]): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (!(width > 0 && height > 0)) return 0;
  const both = width * height;
  return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}
