/**
 * Solves A·X = B in place for a small dense system. `a`: float64 [n, n], rows first, destroyed; `b`: float64 [n, columns],
 * rows first, replaced by X. Returns false where A is singular. Gaussian elimination with partial pivoting on typed arrays.
 */
export function solve(a: Float64Array, b: Float64Array, n: number): boolean {
  const columns = b.length / n;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++) {
      if (Math.abs(a[row * n + column]) > Math.abs(a[pivot * n + column])) pivot = row;
    }
    const head = a[pivot * n + column];
    if (!(Math.abs(head) > 1e-14)) return false;
    if (pivot !== column) {
      swapRows(a, n, column, pivot);
      swapRows(b, columns, column, pivot);
    }
    for (let row = column + 1; row < n; row++) {
      const factor = a[row * n + column] / head;
      if (factor === 0) continue;
      for (let k = column; k < n; k++) a[row * n + k] -= factor * a[column * n + k];
      for (let k = 0; k < columns; k++) b[row * columns + k] -= factor * b[column * columns + k];
    }
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = 0; k < columns; k++) {
      let value = b[row * columns + k];
      for (let other = row + 1; other < n; other++) value -= a[row * n + other] * b[other * columns + k];
      b[row * columns + k] = value / a[row * n + row];
    }
  }
  return true;
}

function swapRows(m: Float64Array, columns: number, one: number, other: number): void {
  for (let k = 0; k < columns; k++) {
    const keep = m[one * columns + k];
    m[one * columns + k] = m[other * columns + k];
    m[other * columns + k] = keep;
  }
}

/** Inverse of a small matrix, float64 [n, n]; undefined where it is singular. `a` is kept. */
export function inverseOf(a: Float64Array, n: number): Float64Array | undefined {
  const out = new Float64Array(n * n);
  for (let k = 0; k < n; k++) out[k * n + k] = 1;
  return solve(a.slice(), out, n) ? out : undefined;
}
