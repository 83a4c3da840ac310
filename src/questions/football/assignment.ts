/**
 * Pairs rows with columns so that the sum of gains is largest (Hungarian method with shortest augmenting paths,
 * Jonker & Volgenant 1987). `gain`: float64 [rows, columns], rows first; only gains above 0 make a pair. Returns
 * int32 [rows]: the column of each row, −1 = none. 25 × 25 takes about 20 µs.
 */
export function assign(gain: Float64Array, rows: number, columns: number): Int32Array {
  const result = new Int32Array(rows).fill(-1);
  if (rows === 0 || columns === 0) return result;
  if (rows > columns) {
    const turned = new Float64Array(gain.length);
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = gain[r * columns + c];
    assign(turned, columns, rows).forEach((row, column) => {
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
        const cost = -Math.max(0, gain[(current - 1) * columns + column - 1]);
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
    } while (rowOf[at] !== 0);
    while (at !== 0) {
      rowOf[at] = rowOf[cameFrom[at]];
      at = cameFrom[at];
    }
  }
  for (let column = 1; column <= columns; column++) {
    const row = rowOf[column] - 1;
    if (row >= 0 && gain[row * columns + column - 1] > 0) result[row] = column - 1;
  }
  return result;
}
