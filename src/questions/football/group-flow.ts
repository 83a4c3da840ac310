import type { Station, Tracklet } from './tracklets.js';

/** Fewer persons seen at both moments say nothing about the others. Chosen. */
const LEAST_PERSONS = 4;

/** How the teams shifted between two samples: where somebody out of sight went meanwhile. */
export class GroupFlow {
  /** For each sample the persons that it shows: number of the person → body. */
  private readonly seen: readonly Map<number, number>[];
  private readonly kept = new Map<number, readonly [number, number] | undefined>();
  private persons = 0;

  constructor(private readonly shot: readonly Station[]) {
    this.seen = shot.map(() => new Map());
  }

  /** Adds a person: the first of joined tracklets. */
  add(first: Tracklet): void {
    for (let part: Tracklet | undefined = first; part; part = part.next) {
      for (const [n, k] of part.samples.entries()) this.seen[k].set(this.persons, part.bodies[n]);
    }
    this.persons++;
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
    const [start, end] = [this.shot[from].places, this.shot[to].places];
    for (const [person, body] of this.seen[to]) {
      const before = this.seen[from].get(person);
      if (before === undefined) continue;
      x.push(end.x[body] - start.x[before]);
      y.push(end.y[body] - start.y[before]);
    }
    return x.length < LEAST_PERSONS ? undefined : [median(x), median(y)];
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
