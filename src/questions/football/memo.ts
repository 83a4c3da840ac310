interface Entry<V> {
  readonly inputs: readonly unknown[];
  readonly value: V;
}

/**
 * Keeps what was computed from the same inputs (compared by identity), so that a new finding costs only its neighbourhood.
 * What nobody asked for between two sweeps is forgotten.
 */
export class Memo<V> {
  private kept = new Map<number, Entry<V>>();
  private used = new Map<number, Entry<V>>();

  /** The value under `key`, made anew where one of `inputs` is not the one of last time. */
  get(key: number, inputs: readonly unknown[], make: () => V): V {
    const entry = this.used.get(key) ?? this.kept.get(key);
    if (entry && same(entry.inputs, inputs)) {
      this.used.set(key, entry);
      return entry.value;
    }
    const value = make();
    this.used.set(key, { inputs, value });
    return value;
  }

  /** The same for work that may be paused. */
  *steps(key: number, inputs: readonly unknown[], make: () => Generator<undefined, V>): Generator<undefined, V> {
    const entry = this.used.get(key) ?? this.kept.get(key);
    const value = entry && same(entry.inputs, inputs) ? entry.value : yield* make();
    this.used.set(key, { inputs, value });
    return value;
  }

  sweep(): void {
    this.kept = this.used;
    this.used = new Map();
  }
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
