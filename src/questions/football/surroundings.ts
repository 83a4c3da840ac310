/** Samples looked at on each side of one: what 0.6 s hold at 60 a second. Times of frames are a stranger's; all may be one. */
const MOST_AROUND = 36;

/** For each sample of a shot the first and the last one that lie within some time of it. */
export interface Surroundings {
  readonly first: Int32Array;
  readonly last: Int32Array;
}

export function surroundingsOf(shot: readonly { readonly timeS: number }[], withinS: number): Surroundings {
  const furthest = (at: number, step: 1 | -1): number => {
    let k = at;
    while (Math.abs(k - at) < MOST_AROUND && Math.abs(shot[k + step]?.timeS - shot[at].timeS) <= withinS) k += step;
    return k;
  };
  return {
    first: Int32Array.from(shot, (_, at) => furthest(at, -1)),
    last: Int32Array.from(shot, (_, at) => furthest(at, 1)),
  };
}
