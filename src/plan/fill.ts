/**
 * Distance in frames (squared) at which a frame filled by linear interpolation is worth half a measured one. Interpolation
 * errs by ½·acceleration·a·b at a frames behind one sample and b before the next, so the error of a gap grows with its
 * square; but a lost frame cannot be lost more than once. Measured, share of the persons' F1 lost over a gap of 25, 50 and
 * 100 frames: match-a (a slow camera) .006, .05, .23, the demo clip (a fast one) .26, .73, .92; this: .15, .38, .65.
 */
const HALF_WORTH_BETWEEN = 25 ** 2;
/** The same for a frame that repeats its only neighbour: in 8 frames a running player leaves his box. Measured, 9–14 frames away: .31 and .98 lost; this: .67. */
const HALF_WORTH_HELD = 8 ** 2;

/** In a longer gap each further frame is as good as lost. Chosen: two frames of it in a hundred are worth anything. */
const LONGEST_SUMMED = 512;

/** Sums over the frames of a gap, by its length. */
const between = sums((gap) => {
  let lost = 0;
  for (let a = 1; a <= gap; a++) {
    const interpolated = a * (gap + 1 - a);
    const repeated = Math.min(a, gap + 1 - a) ** 2;
    // Far from one of its samples a frame is better off repeating the other.
    lost += Math.min(interpolated / (interpolated + HALF_WORTH_BETWEEN), repeated / (repeated + HALF_WORTH_HELD));
  }
  return lost;
});
let heldSoFar = 0;
const held = sums((gap) => {
  heldSoFar += gap ** 2 / (gap ** 2 + HALF_WORTH_HELD);
  return heldSoFar;
});

function sums(lossOf: (gap: number) => number): Float64Array {
  return Float64Array.from({ length: LONGEST_SUMMED + 1 }, (_, gap) => lossOf(gap));
}

const at = (table: Float64Array, gap: number): number =>
  table[gap] ?? (table[LONGEST_SUMMED] ?? 0) + gap - LONGEST_SUMMED;

/** What filling a gap of so many frames between two visited ones costs, in measured frames' worth (docs/protocol.md §3). */
export const lossBetween = (gap: number): number => at(between, gap);

/** The same where the gap has one neighbour only, whose content is repeated. */
export const lossHeld = (gap: number): number => at(held, gap);
