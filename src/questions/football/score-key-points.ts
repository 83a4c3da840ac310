import { isShown } from './compare.js';
import { fitHomography, type HomographyFit } from './homography.js';
import { PITCH_POINTS, type PointM } from './pitch.js';
import { PITCH_LINES } from './pitch-lines.js';
import type { ClipTruth, TruthFrame, WireAnswer, WireFrame } from './wire.js';

/** The callers' own table of key points, cm on a pitch of 12000 × 7000 (docs/protocol.md §2). For the estimate only. */
const CALLER_POINTS: readonly PointM[] = [
  [0, 0],
  [0, 1450],
  [0, 2584],
  [0, 4416],
  [0, 5550],
  [0, 7000],
  [550, 2584],
  [550, 4416],
  [1100, 3500],
  [2015, 1450],
  [2015, 2584],
  [2015, 4416],
  [2015, 5550],
  [6000, 0],
  [6000, 2585],
  [6000, 4415],
  [6000, 7000],
  [9985, 1450],
  [9985, 2584],
  [9985, 4416],
  [9985, 5550],
  [10900, 3500],
  [11450, 2584],
  [11450, 4416],
  [12000, 0],
  [12000, 1450],
  [12000, 2584],
  [12000, 4416],
  [12000, 5550],
  [12000, 7000],
  [5085, 3500],
  [6915, 3500],
];
/** Callers use key points only this far apart, px, and from this many on (docs/protocol.md §3). */
const LEAST_APART_PX = 25;
const LEAST_POINTS = 4;
const PITCH_CM = [12000, 7000] as const;

/** Parts of the callers' key-point score; `score` 0..1, the others as they are called in docs/protocol.md §3. */
export interface KeyPointScore {
  readonly score: number;
  /** 0..100 */
  readonly kp: number;
  /** 0..1 each */
  readonly online: number;
  readonly inside: number;
  readonly segmentStability: number;
  /** 0..100 */
  readonly player: number;
  readonly stability: number;
  /** Share of the frames from whose key points a homography follows. */
  readonly homographies: number;
}

/**
 * The callers' score of the key points (docs/protocol.md §3). Where they detect pitch lines in the picture, the projected lines of the
 * truth stand in; their scale ratio, which docs/protocol.md leaves open, counts as 1.
 */
export function scoreKeyPoints(answer: WireAnswer, truth: ClipTruth, frames: readonly number[]): KeyPointScore {
  const byNumber = new Map(answer.frames.map((frame) => [frame.frame_number, frame]));
  const sums = {
    kp: new Mean(),
    online: new Mean(),
    inside: new Mean(),
    segments: new Mean(),
    far: new Mean(),
    jump: new Mean(),
  };
  const stability = new Mean();
  let homographies = 0;
  let before: { readonly n: number; readonly frame: WireFrame | undefined } | undefined;
  for (const n of frames) {
    const expected = truth.frames[n];
    const frame = byNumber.get(expected.frame_number);
    const successive = before?.n === n - 1;
    stability.add(successive ? steadiness(before?.frame, frame, truth) : 1);
    const fit = frame && callerFit(frame, truth);
    if (fit) homographies++;
    sums.kp.add(fit ? agreement(frame, fit, truth) : 0);
    if (frame) {
      const distance = lineDistance(frame, expected, truth);
      if (distance !== undefined) sums.online.add(onLine(distance));
      if (fit) for (const { bbox } of frame.objects) sums.inside.add(isInside(bbox, fit, truth) ? 1 : 0);
      if (successive && before?.frame) compareSteps(before.frame, frame, sums);
    }
    before = { n, frame };
  }
  const share = frames.length > 0 ? homographies / frames.length : 0;
  const parts = {
    kp: sums.kp.value(),
    online: sums.online.value(),
    inside: sums.inside.value(),
    segmentStability: Math.exp(-10 * sums.segments.value()),
    player: (100 * sums.far.value() + 100 * sums.jump.value()) / 2,
    stability: stability.value(),
    homographies: share,
  };
  const raw = 0.25 * parts.kp + 40 * parts.online + 20 * parts.inside + 5 * parts.segmentStability + 0.1 * parts.player;
  const reach = (1 + Math.min(1, share / 0.4)) / 2;
  return { ...parts, score: (raw * parts.stability * (homographies > 0 ? reach : 0)) / 100 };
}

class Mean {
  private sum = 0;
  private count = 0;
  add(value: number): void {
    this.sum += value;
    this.count++;
  }
  value(): number {
    return this.count > 0 ? this.sum / this.count : 0;
  }
}

/** Share of a distance's credit (docs/protocol.md §3): .5 at 2 % of the picture, nearly nothing at 4 %. */
function onLine(distance: number): number {
  return 1 / (1 + Math.exp((distance - 0.02) / 0.0037));
}

/** Key points that callers use: shown, inside, each far enough from those before it. */
function usable({ keypoints }: WireFrame, { width, height }: ClipTruth): number[] {
  const used: number[] = [];
  keypoints.forEach((point, k) => {
    if (!isShown(point) || point[0] < 0 || point[1] < 0 || point[0] >= width || point[1] >= height) return;
    const near = used.some((u) => Math.hypot(keypoints[u][0] - point[0], keypoints[u][1] - point[1]) < LEAST_APART_PX);
    if (!near) used.push(k);
  });
  return used;
}

/** A caller's point in the plane that they fit to: cm scaled to x·W/7000, y·H/12000, then in units of W. */
function callerTarget(k: number, { width, height }: ClipTruth): PointM {
  const [x, y] = CALLER_POINTS[k];
  return [x / 7000, (y * height) / 12000 / width];
}

/** Picture (in units of its width) → callers' plane. */
function callerFit(frame: WireFrame, truth: ClipTruth): HomographyFit | undefined {
  const used = usable(frame, truth);
  if (used.length < LEAST_POINTS) return undefined;
  const column = (of: (k: number) => number) => Float64Array.from(used, of);
  return fitHomography(
    {
      fromX: column((k) => frame.keypoints[k][0] / truth.width),
      fromY: column((k) => frame.keypoints[k][1] / truth.width),
      toX: column((k) => callerTarget(k, truth)[0]),
      toY: column((k) => callerTarget(k, truth)[1]),
      weight: column(() => 1),
    },
    { tolerance: Math.max(12, 0.01 * truth.width) / truth.width },
  );
}

function project({ map }: HomographyFit, x: number, y: number): PointM {
  const depth = map[6] * x + map[7] * y + map[8];
  return [(map[0] * x + map[1] * y + map[2]) / depth, (map[3] * x + map[4] * y + map[5]) / depth];
}

/** (100 · share of inliers + (100 − mean error in px, at least 0)) / 2. */
function agreement(frame: WireFrame, fit: HomographyFit, truth: ClipTruth): number {
  const used = usable(frame, truth);
  const error = new Mean();
  for (const k of used) {
    const [x, y] = project(fit, frame.keypoints[k][0] / truth.width, frame.keypoints[k][1] / truth.width);
    const target = callerTarget(k, truth);
    error.add(Math.hypot(x - target[0], y - target[1]) * truth.width);
  }
  return (100 * (fit.inliers / used.length) + Math.max(0, 100 - error.value())) / 2;
}

function isInside(bbox: readonly number[], fit: HomographyFit, { width, height }: ClipTruth): boolean {
  const [x, y] = project(fit, (bbox[0] + bbox[2]) / 2 / width, bbox[3] / width);
  const [xCm, yCm] = [x * 7000, (y * width * 12000) / height];
  return xCm >= 0 && yCm >= 0 && xCm <= PITCH_CM[0] && yCm <= PITCH_CM[1];
}

/** Mean distance of the answered key points to the nearest true pitch line, both axes normalised to 0..1. */
function lineDistance(frame: WireFrame, expected: TruthFrame, { width, height }: ClipTruth): number | undefined {
  const real = [...expected.keypoints.keys()].filter((k) => k < 32 && isShown(expected.keypoints[k]));
  const column = (of: (k: number) => number) => Float64Array.from(real, of);
  const fit = fitHomography(
    {
      fromX: column((k) => PITCH_POINTS[k][0] / 50),
      fromY: column((k) => PITCH_POINTS[k][1] / 50),
      toX: column((k) => expected.keypoints[k][0] / width),
      toY: column((k) => expected.keypoints[k][1] / width),
      weight: column(() => 1),
    },
    { tolerance: 0.02 },
  );
  if (!fit) return undefined;
  const pieces = projectedPieces(fit, width / height);
  const distance = new Mean();
  let shown = 0;
  for (const point of frame.keypoints) {
    if (!isShown(point)) continue;
    shown++;
    let nearest = Number.POSITIVE_INFINITY;
    for (const piece of pieces) nearest = Math.min(nearest, toPiece(point[0] / width, point[1] / height, piece));
    distance.add(nearest);
  }
  return shown > 0 && pieces.length > 0 ? distance.value() : undefined;
}

type Piece = readonly [x1: number, y1: number, x2: number, y2: number];

/** The parts of the pitch lines in front of the camera, in pieces of a few metres. */
function projectedPieces(fit: HomographyFit, aspect: number): Piece[] {
  const pieces: Piece[] = [];
  for (const line of PITCH_LINES) {
    for (let i = 1; i < line.length; i++) {
      const steps = Math.ceil(Math.hypot(line[i][0] - line[i - 1][0], line[i][1] - line[i - 1][1]) / 4);
      let last: PointM | undefined;
      for (let s = 0; s <= steps; s++) {
        const x = (line[i - 1][0] + ((line[i][0] - line[i - 1][0]) * s) / steps) / 50;
        const y = (line[i - 1][1] + ((line[i][1] - line[i - 1][1]) * s) / steps) / 50;
        const ahead = fit.map[6] * x + fit.map[7] * y + fit.map[8] > 1e-6;
        const [u, v] = project(fit, x, y);
        if (ahead && last) pieces.push([last[0], last[1], u, v * aspect]);
        last = ahead ? [u, v * aspect] : undefined;
      }
    }
  }
  return pieces;
}

function toPiece(x: number, y: number, [x1, y1, x2, y2]: Piece): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const share = Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x1 + share * dx - x, y1 + share * dy - y);
}

/** How far the key points moved since the frame before, as the callers' STAB judges it. */
function steadiness(a: WireFrame | undefined, b: WireFrame | undefined, { width, height }: ClipTruth): number {
  if (a?.keypoints.length !== 32 || b?.keypoints.length !== 32) return 0;
  if (!a.keypoints.some(isShown) && !b.keypoints.some(isShown)) return 1;
  const shift = new Mean();
  let shared = 0;
  a.keypoints.forEach((p, k) => {
    const q = b.keypoints[k];
    if (!isShown(p) || !isShown(q)) return;
    shared++;
    shift.add(Math.hypot(q[0] - p[0], q[1] - p[1]) / Math.hypot(width, height));
  });
  return shared > 0 ? onLine(shift.value()) : 0;
}

/** Relative change of the distances between key points, and how far persons moved, from one frame to the next. */
function compareSteps(
  a: WireFrame,
  b: WireFrame,
  sums: { readonly segments: Mean; readonly far: Mean; readonly jump: Mean },
): void {
  const both = [...a.keypoints.keys()].filter((k) => isShown(a.keypoints[k]) && isShown(b.keypoints[k]));
  const length = ({ keypoints }: WireFrame, i: number, j: number) =>
    Math.hypot(keypoints[i][0] - keypoints[j][0], keypoints[i][1] - keypoints[j][1]);
  both.forEach((i, place) => {
    for (const j of both.slice(place + 1)) {
      const before = length(a, i, j);
      if (before > 0) sums.segments.add(Math.abs(length(b, i, j) - before) / before);
    }
  });
  const places = new Map(a.objects.filter((o) => o.class_id === 2).map((o) => [o.id, o.bbox]));
  for (const { id, class_id, bbox } of b.objects) {
    const from = places.get(id);
    if (class_id !== 2 || !from) continue;
    const moved = Math.hypot(bbox[0] + bbox[2] - from[0] - from[2], bbox[1] + bbox[3] - from[1] - from[3]) / 2;
    sums.far.add(moved <= 30 ? 1 : 0);
    sums.jump.add(moved > 2 && moved <= 10 ? 0.5 : 1);
  }
}
