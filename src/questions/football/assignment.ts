export interface Gains {
  /** float64 [rows, columns], rows first. */
  readonly gain: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Comparisons that are made before the caller may pause. Chosen: a fraction of a millisecond. */
const STEPS_A_SLICE = 1e5;

/**
 * Pairs rows with columns so that the sum of gains is largest (Hungarian method with shortest augmenting paths, Jonker &
 * Volgenant 1987); only gains above 0 make a pair. Returns int32 [rows]: the column of each row, −1 = none. 25 × 25 takes about
 * 20 µs, the most is rows² · columns; a generator, so that the caller may pause.
 */
export function* assign({ gain, rows, columns }: Gains): Generator<undefined, Int32Array> {
  const result = new Int32Array(rows).fill(-1);
  if (rows === 0 || columns === 0) return result;
  if (rows > columns) {
    const turned = new Float64Array(gain.length);
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = gain[r * columns + c];
    const rowOf = yield* assign({ gain: turned, rows: columns, columns: rows });
    rowOf.forEach((row, column) => {
      if (row >= 0) result[row] = column;
    });
    return result;
  }
  // Indices from 1; column 0 stands for the row that is being placed.
  const rowOf = new Int32Array(columns + 1);
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const cameFrom = new Int32Array(columns + 1);
  const shortest = new Float64Array(columns + 1);
  const done = new Uint8Array(columns + 1);
  let steps = 0;
  for (let row = 1; row <= rows; row++) {
    rowOf[0] = row;
    shortest.fill(Number.POSITIVE_INFINITY);
    done.fill(0);
    let at = 0;
    do {
      done[at] = 1;
      const current = rowOf[at];
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let column = 1; column <= columns; column++) {
        if (done[column]) continue;
        const value = gain[(current - 1) * columns + column - 1];
        // What is no finite number counts as no gain: a path through it would never end.
        const cost = value > 0 && value < Number.POSITIVE_INFINITY ? -value : 0;
        const reduced = cost - rowPotential[current] - columnPotential[column];
        if (reduced < shortest[column]) {
          shortest[column] = reduced;
          cameFrom[column] = at;
        }
        if (shortest[column] < delta) {
          delta = shortest[column];
          next = column;
        }
      }
      for (let column = 0; column <= columns; column++) {
        if (done[column]) {
          rowPotential[rowOf[column]] += delta;
          columnPotential[column] -= delta;
        } else {
          shortest[column] -= delta;
        }
      }
      at = next;
      steps += columns;
    } while (rowOf[at] !== 0);
    while (at !== 0) {
      rowOf[at] = rowOf[cameFrom[at]];
      at = cameFrom[at];
    }
    if (steps < STEPS_A_SLICE) continue;
    steps = 0;
    yield;
  }
  for (let column = 1; column <= columns; column++) {
    const row = rowOf[column] - 1;
    if (row >= 0 && gain[row * columns + column - 1] > 0) result[row] = column - 1;
  }
  return result;
}
