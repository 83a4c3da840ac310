import { Camera } from './camera.js';
import { solve } from './linear.js';
import { identity, type Mat3 } from './mat3.js';
import type { Bodies, Sample } from './sample.js';

/** A person's height in metres and how much the ground is foreshortened, for pictures in which no pitch was recognised. Chosen. */
const PERSON_M = 1.8;
const FORESHORTENING = 0.35;
/** Height of a person in half picture widths where nobody is seen. */
const USUAL_HEIGHT = 0.06;
/** A key point counts as seen from this score on (see `sample.ts`). */
const SEEN = 0.3;
/** The surest persons of a sample vote on how the picture moved: both teams, the officials and some more. The cost is their fourth power. Chosen: 1 ms. */
const MOST_VOTERS = 24;

/** A flat ground of about the right scale, so that tracks can be followed without a pitch: metres by the height of the persons. */
export function standInCamera(sample: Sample): Camera | undefined {
  const heights = sample.persons.height.slice().sort();
  const perMetre = (heights[heights.length >> 1] || USUAL_HEIGHT) / PERSON_M;
  return Camera.of(Float64Array.of(perMetre, 0, 0, 0, perMetre * FORESHORTENING, 0, 0, 0, 1), false);
}

/**
 * How the picture moved from one sample to the next, by the key points that both show (shift, turn and zoom) or, with fewer
 * than three, by the shift that brings most persons onto persons; the identity where neither says anything.
 */
export function pictureMotion(a: Sample, b: Sample): Mat3 {
  return byKeyPoints(a, b) ?? byPersons(a.persons, b.persons) ?? identity();
}

function byKeyPoints(a: Sample, b: Sample): Mat3 | undefined {
  const normal = new Float64Array(16);
  const right = new Float64Array(4);
  let count = 0;
  for (let k = 0; k < Math.min(a.keyPoints.length, b.keyPoints.length); k += 3) {
    if (a.keyPoints[k + 2] < SEEN || b.keyPoints[k + 2] < SEEN) continue;
    const [x, y] = a.keyPoints.subarray(k);
    // to = [p −q; q p] · from + [s t]
    for (const [row, value] of [
      [[x, -y, 1, 0], b.keyPoints[k]],
      [[y, x, 0, 1], b.keyPoints[k + 1]],
    ] as const) {
      for (let i = 0; i < 4; i++) {
        right[i] += row[i] * value;
        for (let j = 0; j < 4; j++) normal[i * 4 + j] += row[i] * row[j];
      }
    }
    count++;
  }
  if (count < 3 || !solve(normal, right, 4)) return undefined;
  const [p, q, s, t] = right;
  return Float64Array.of(p, -q, s, q, p, t, 0, 0, 1);
}

function byPersons(a: Bodies, b: Bodies): Mat3 | undefined {
  const shift: Shift = { x: 0, y: 0 };
  let best: readonly [number, number] | undefined;
  let most = 0;
  for (let i = 0; i < Math.min(a.count, MOST_VOTERS); i++) {
    for (let j = 0; j < Math.min(b.count, MOST_VOTERS); j++) {
      shift.x = b.footU[j] - a.footU[i];
      shift.y = b.footV[j] - a.footV[i];
      const votes = votesFor({ a, b, shift, atLeast: most });
      if (votes > most) {
        most = votes;
        best = [shift.x, shift.y];
      }
    }
  }
  return best && most >= 2 ? Float64Array.of(1, 0, best[0], 0, 1, best[1], 0, 0, 1) : undefined;
}

interface Shift {
  x: number;
  y: number;
}

interface Vote {
  readonly a: Bodies;
  readonly b: Bodies;
  readonly shift: Readonly<Shift>;
  /** Who cannot win more is not counted to the end. */
  readonly atLeast: number;
}

/** How many persons of `a`, shifted, come to lie on one of `b`: 1 for a perfect hit, less beside it; far shifts must win clearly. */
function votesFor({ a, b, shift: { x, y }, atLeast }: Vote): number {
  const voters = Math.min(a.count, MOST_VOTERS);
  const places = Math.min(b.count, MOST_VOTERS);
  let votes = -Math.hypot(x, y);
  for (let i = 0; i < voters && votes + voters - i > atLeast; i++) {
    const u = a.footU[i] + x;
    const v = a.footV[i] + y;
    let nearest = Number.POSITIVE_INFINITY;
    for (let j = 0; j < places; j++) nearest = Math.min(nearest, (b.footU[j] - u) ** 2 + (b.footV[j] - v) ** 2);
    votes += Math.max(0, 1 - Math.sqrt(nearest) / a.height[i]);
  }
  return votes;
}
