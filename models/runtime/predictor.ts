/** Weight of the newest run in the running mean (chosen: follows a change of load within about five runs). */
const newest = 0.3;
/** One hiccup (a page fault, a stolen core) must not stop all batches: a run counts as at most this much slower or faster. */
const maxRatio = 4;

/** Says how long a run of n pictures will take: measured at warm-up, then scaled by how runs compare with that. */
export class Predictor {
  #load = 1;

  /** `warmMs`: [batch size, ms], rising and not empty. `padded`: a run always takes the next warmed size. */
  constructor(
    readonly warmMs: readonly (readonly [number, number])[],
    readonly padded: boolean,
  ) {}

  predictMs(batchSize: number): number {
    return this.#warmMs(batchSize) * this.#load;
  }

  observe(batchSize: number, ms: number): void {
    const ratio = ms / Math.max(1e-3, this.#warmMs(batchSize) * this.#load);
    const bounded = Math.min(maxRatio, Math.max(1 / maxRatio, ratio));
    this.#load *= 1 - newest + newest * bounded;
  }

  /** Linear between the warmed sizes, proportional beyond them. */
  #warmMs(batchSize: number): number {
    const above = this.warmMs.findIndex(([size]) => size >= batchSize);
    const [aboveSize = 1, aboveMs = 0] = this.warmMs[above === -1 ? this.warmMs.length - 1 : above] ?? [];
    const [belowSize = 0, belowMs = 0] = above > 0 ? (this.warmMs[above - 1] ?? []) : [];
    if (this.padded && above !== -1) return aboveMs;
    if (above <= 0) return (aboveMs * batchSize) / aboveSize;
    return belowMs + ((aboveMs - belowMs) * (batchSize - belowSize)) / (aboveSize - belowSize);
  }
}
