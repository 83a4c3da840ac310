import { assign } from './assignment.js';

/** What a row gains by a column; above 0. */
export interface Offer {
  readonly row: number;
  readonly column: number;
  readonly gain: number;
}

export interface Offers {
  readonly rows: number;
  readonly columns: number;
  /** In ascending order of rows. */
  readonly offers: readonly Offer[];
}

/** Rows² · columns of one assignment: what takes some milliseconds. Chosen above what matches come to. */
const MOST_STEPS = 4e6;
/** Offers that are looked at before the caller may pause. Chosen: some 10 µs. */
const OFFERS_A_STEP = 256;

/**
 * Pairs rows with columns so that the sum of gains is largest, in each group that hangs together by offers. A group too large
 * for one assignment is settled in pieces, earlier rows first. Returns int32 [rows]: the column of each row, −1 = none. A
 * generator, so that the caller may pause.
 */
export function* pairUp(all: Offers): Generator<undefined, Int32Array> {
  const columnOf = new Int32Array(all.rows).fill(-1);
  const taken = new Uint8Array(all.columns);
  const pair = ({ row, column }: Omit<Offer, 'gain'>) => {
    columnOf[row] = column;
    taken[column] = 1;
  };
  for (const group of yield* groupsOf(all)) {
    if (group.length === 1) pair(group[0]);
    for (let from = 0, to = 0; from < group.length && group.length > 1; from = to) {
      to = endOfPiece(group, from);
      const open = to - from === group.length ? group : group.slice(from, to).filter((offer) => !taken[offer.column]);
      for (const found of yield* settle(open)) pair(found);
    }
  }
  return columnOf;
}

/** Offers that share a row or a column belong to one group; each keeps their order. */
function* groupsOf({ rows, columns, offers }: Offers): Generator<undefined, Iterable<readonly Offer[]>> {
  const sets = new DisjointSets(rows + columns);
  for (let n = 0; n < offers.length; n++) {
    sets.join(offers[n].row, rows + offers[n].column);
    if (n % OFFERS_A_STEP === OFFERS_A_STEP - 1) yield;
  }
  const groups = new Map<number, Offer[]>();
  for (let n = 0; n < offers.length; n++) {
    const set = sets.of(offers[n].row);
    const group = groups.get(set);
    if (group) group.push(offers[n]);
    else groups.set(set, [offers[n]]);
    if (n % OFFERS_A_STEP === OFFERS_A_STEP - 1) yield;
  }
  return groups.values();
}

/** Where the rows end that one assignment can take from `from` on, at least one. */
function endOfPiece(group: readonly Offer[], from: number): number {
  const columns = new Set<number>();
  let rows = 0;
  for (let n = from; n < group.length; n++) {
    if (n === from || group[n].row !== group[n - 1].row) {
      if (rows ** 2 * columns.size >= MOST_STEPS) return n;
      rows++;
    }
    columns.add(group[n].column);
  }
  return group.length;
}

function* settle(offers: readonly Offer[]): Generator<undefined, readonly Omit<Offer, 'gain'>[]> {
  const rows = new Map<number, number>();
  const columns = new Map<number, number>();
  for (let n = 0; n < offers.length; n++) {
    const { row, column } = offers[n];
    if (!rows.has(row)) rows.set(row, rows.size);
    if (!columns.has(column)) columns.set(column, columns.size);
    if (n % OFFERS_A_STEP === OFFERS_A_STEP - 1) yield;
  }
  const gain = new Float64Array(rows.size * columns.size);
  for (let n = 0; n < offers.length; n++) {
    const { row, column } = offers[n];
    gain[(rows.get(row) ?? 0) * columns.size + (columns.get(column) ?? 0)] = offers[n].gain;
    if (n % OFFERS_A_STEP === OFFERS_A_STEP - 1) yield;
  }
  const places = yield* assign({ gain, rows: rows.size, columns: columns.size });
  const columnAt = [...columns.keys()];
  return [...rows].flatMap(([row, r]) => (places[r] < 0 ? [] : [{ row, column: columnAt[places[r]] }]));
}

/** Which numbers hang together (union–find with halved paths). */
class DisjointSets {
  private readonly parents: Int32Array;

  constructor(count: number) {
    this.parents = new Int32Array(count);
    for (let i = 0; i < count; i++) this.parents[i] = i;
  }

  /** The number that stands for the set. */
  of(member: number): number {
    const { parents } = this;
    let at = member;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]];
      at = parents[at];
    }
    return at;
  }

  join(one: number, other: number): void {
    this.parents[this.of(one)] = this.of(other);
  }
}
