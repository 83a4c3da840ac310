/** 3 × 3 matrix, rows first: [a b c; d e f; g h i]. Plane maps (homographies) act on column vectors (x, y, 1). */
export type Mat3 = Float64Array;

/**
 * Coordinates of a plane motion near the identity: [shift x, shift y, zoom, turn, stretch, shear, keystone x, keystone y],
 * the Lie algebra sl(3). A point (x, y) moves by `motionAt(x, y)` · coordinates, to first order.
 */
export type Motion = Float64Array;
export const MOTION_SIZE = 8;

/** p · q; `out` may be neither of them. */
export function multiply(p: Mat3, q: Mat3, out: Mat3 = new Float64Array(9)): Mat3 {
  for (let row = 0; row < 9; row += 3) {
    const a = p[row];
    const b = p[row + 1];
    const c = p[row + 2];
    out[row] = a * q[0] + b * q[3] + c * q[6];
    out[row + 1] = a * q[1] + b * q[4] + c * q[7];
    out[row + 2] = a * q[2] + b * q[5] + c * q[8];
  }
  return out;
}

export function determinant(m: Mat3): number {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
}

/** Undefined where the matrix is singular. */
export function invert(m: Mat3): Mat3 | undefined {
  const d = determinant(m);
  if (!(Math.abs(d) > 1e-300)) return undefined;
  const s = 1 / d;
  return Float64Array.of(
    (m[4] * m[8] - m[5] * m[7]) * s,
    (m[2] * m[7] - m[1] * m[8]) * s,
    (m[1] * m[5] - m[2] * m[4]) * s,
    (m[5] * m[6] - m[3] * m[8]) * s,
    (m[0] * m[8] - m[2] * m[6]) * s,
    (m[2] * m[3] - m[0] * m[5]) * s,
    (m[3] * m[7] - m[4] * m[6]) * s,
    (m[1] * m[6] - m[0] * m[7]) * s,
    (m[0] * m[4] - m[1] * m[3]) * s,
  );
}

const IDENTITY: Mat3 = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);

export function identity(): Mat3 {
  return IDENTITY.slice();
}

function combine(a: number, p: Mat3, b: number, q: Mat3): Mat3 {
  const out = new Float64Array(9);
  for (let i = 0; i < 9; i++) out[i] = a * p[i] + b * q[i];
  return out;
}

function toMatrix(m: Motion): Mat3 {
  const zoom = m[2] / 3;
  return Float64Array.of(zoom + m[4], m[5] - m[3], m[0], m[3] + m[5], zoom - m[4], m[1], -m[6], -m[7], -2 * zoom);
}

function toMotion(x: Mat3): Motion {
  return Float64Array.of(
    x[2],
    x[5],
    -1.5 * x[8],
    (x[3] - x[1]) / 2,
    (x[0] - x[4]) / 2,
    (x[1] + x[3]) / 2,
    -x[6],
    -x[7],
  );
}

const MOST_HALVINGS = 64;
const powers = [new Float64Array(9), new Float64Array(9)] as const;

/** The plane map that a steady motion reaches after one unit of time (matrix exponential, determinant 1). */
export function exp(motion: Motion): Mat3 {
  const x = toMatrix(motion);
  let halvings = 0;
  // What no camera does has no limit either: times of frames are a stranger's, and may make a speed infinite.
  for (let size = norm(x); size > 0.25 && halvings < MOST_HALVINGS; size /= 2) halvings++;
  if (halvings > 0) for (let i = 0; i < 9; i++) x[i] /= 2 ** halvings;
  // Taylor series; a camera moves little from sample to sample, so that a few terms reach the limits of the arithmetic.
  let out = identity();
  let term = x;
  for (let k = 2; k <= 12; k++) {
    for (let i = 0; i < 9; i++) out[i] += term[i];
    if (norm(term) < 1e-12) break;
    term = multiply(term, x, powers[k % 2]);
    for (let i = 0; i < 9; i++) term[i] /= k;
  }
  for (let k = 0; k < halvings; k++) out = multiply(out, out);
  return out;
}

/** The steady motion that reaches a plane map in one unit of time; undefined where none does, or none that a camera makes. */
export function log(map: Mat3): Motion | undefined {
  const d = determinant(map);
  if (!(d > 0)) return undefined;
  let root = combine(1 / Math.cbrt(d), map, 0, map);
  let doublings = 0;
  while (norm(combine(1, root, -1, IDENTITY)) > 0.3) {
    const next = doublings < 8 ? squareRoot(root) : undefined;
    if (!next) return undefined;
    root = next;
    doublings++;
  }
  // log((I + Z)/(I − Z)) = 2(Z + Z³/3 + Z⁵/5 + …) with Z = (M − I)(M + I)⁻¹.
  const inverse = invert(combine(1, root, 1, IDENTITY));
  if (!inverse) return undefined;
  const z = multiply(combine(1, root, -1, IDENTITY), inverse);
  const square = multiply(z, z);
  let sum = combine(1 / 9, square, 1 / 7, IDENTITY);
  for (const term of [1 / 5, 1 / 3, 1]) sum = combine(1, multiply(square, sum), term, IDENTITY);
  return toMotion(combine(2 ** (doublings + 1), multiply(z, sum), 0, z));
}

/** Denman–Beavers iteration; undefined where it does not settle (a negative eigenvalue: a map that turns the plane over). */
function squareRoot(m: Mat3): Mat3 | undefined {
  let y = m;
  let z = identity();
  for (let step = 0; step < 20; step++) {
    const yi = invert(y);
    const zi = invert(z);
    if (!yi || !zi) return undefined;
    const next = combine(0.5, y, 0.5, zi);
    z = combine(0.5, z, 0.5, yi);
    const change = norm(combine(1, next, -1, y));
    y = next;
    if (change < 1e-12) return y;
  }
  return undefined;
}

function norm(m: Mat3): number {
  let sum = 0;
  for (let i = 0; i < 9; i++) sum += m[i] * m[i];
  return Math.sqrt(sum);
}
