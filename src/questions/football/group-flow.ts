import type { Station, Tracklet } from './tracklets.js';

/** Fewer persons seen at both moments say nothing about the others. Chosen. */
const LEAST_PERSONS = 4;

/** How the teams shifted between two samples: where somebody out of sight went meanwhile. */
export class GroupFlow {
  /** One entry per joined person: float64 [samples, 2] places, NaN where there is none. */
  private readonly ways: Float64Array[] = [];
  private readonly kept = new Map<number, readonly [number, number] | undefined>();

  constructor(shot: readonly Station[], tracklets: readonly Tracklet[]) {
    for (const tracklet of tracklets) {
      if (tracklet.previous) continue;
      const way = new Float64Array(shot.length * 2).fill(Number.NaN);
      for (let part: Tracklet | undefined = tracklet; part; part = part.next) {
        part.samples.forEach((k, n) => {
          way[k * 2] = shot[k].places.x[part.bodies[n]];
          way[k * 2 + 1] = shot[k].places.y[part.bodies[n]];
        });
      }
      this.ways.push(way);
    }
  }

  /** Median step in metres of those seen in both samples; undefined where they are too few. */
  between(from: number, to: number): readonly [number, number] | undefined {
    const key = from * 2 ** 20 + to;
    if (!this.kept.has(key)) this.kept.set(key, this.measure(from, to));
    return this.kept.get(key);
  }

  private measure(from: number, to: number): readonly [number, number] | undefined {
    const x: number[] = [];
    const y: number[] = [];
    for (const way of this.ways) {
      const dx = way[to * 2] - way[from * 2];
      if (Number.isNaN(dx)) continue;
      x.push(dx);
      y.push(way[to * 2 + 1] - way[from * 2 + 1]);
    }
    return x.length < LEAST_PERSONS ? undefined : [median(x), median(y)];
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
