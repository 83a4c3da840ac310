/**
 * Distance in frames (squared) at which a frame filled by linear interpolation is worth half a measured one. Chosen: 20 frames
 * are 0.8 s, in which a player turns. Interpolation errs by ½·acceleration·a·b at a frames behind one sample and b before the
 * next, so the error of a gap grows with its square; but a lost frame cannot be lost more than once.
 */
const HALF_WORTH_BETWEEN = 20 ** 2;
/** The same for a frame that repeats its only neighbour. Chosen: in 8 frames a running player leaves his box. */
const HALF_WORTH_HELD = 8 ** 2;

/** What filling costs, in measured frames' worth, by the length of the gap; `held` where the gap has one neighbour only. */
export interface FillLoss {
  readonly between: Float64Array;
  readonly held: Float64Array;
}

/** In a longer gap each further frame is as good as lost. Chosen: the table stays small for a clip of hours. */
const LONGEST_SUMMED = 512;

/** Tables for gaps of 0 … `longest` frames; see PROTOCOL §3 for why filled frames are worth so much more than none. */
export function fillLoss(longest: number): FillLoss {
  const between = new Float64Array(longest + 1);
  const held = new Float64Array(longest + 1);
  for (let gap = 1; gap <= longest; gap++) {
    if (gap > LONGEST_SUMMED) between[gap] = (between[gap - 1] ?? 0) + 1;
    else {
      for (let a = 1; a <= gap; a++) {
        const interpolated = a * (gap + 1 - a);
        const repeated = Math.min(a, gap + 1 - a) ** 2;
        // Far from one of its samples a frame is better off repeating the other.
        between[gap] =
          (between[gap] ?? 0) +
          Math.min(interpolated / (interpolated + HALF_WORTH_BETWEEN), repeated / (repeated + HALF_WORTH_HELD));
      }
    }
    held[gap] = (held[gap - 1] ?? 0) + gap ** 2 / (gap ** 2 + HALF_WORTH_HELD);
  }
  return { between, held };
}
