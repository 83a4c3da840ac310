/** Knots on each side that shape a slope; those further off change it by less than 2 %. */
export const SPLINE_REACH = 3;

const MOST_KNOTS = 2 * SPLINE_REACH + 1;
const MOST_COMPONENTS = 8;
const upper = new Float64Array(MOST_KNOTS);
const right = new Float64Array(MOST_KNOTS * MOST_COMPONENTS);

/**
 * Slope at knot `at` of the smooth curve (natural cubic spline) through the knots around it: on camera motions and players' ways
 * it leaves half the error between samples that slopes from the two neighbours leave (measured on rendered clips).
 * `times`: float64 [knots], ascending; `places`: float64 [knots, components], components = `out.length` ≤ 8. Writes one slope per
 * component; zeros for a single knot.
 */
export function splineSlope(times: Float64Array, places: Float64Array, at: number, out: Float64Array): void {
  const first = Math.max(0, at - SPLINE_REACH);
  const last = Math.min(times.length - 1, at + SPLINE_REACH);
  const count = last - first + 1;
  const components = out.length;
  out.fill(0);
  if (count < 2) return;
  // Tridiagonal system for the slopes (continuous second derivative, none at the ends), solved forwards then backwards.
  for (let i = 0; i < count; i++) {
    const k = first + i;
    const before = i > 0 ? 1 / (times[k] - times[k - 1]) : 0;
    const after = i < count - 1 ? 1 / (times[k + 1] - times[k]) : 0;
    const pivot = 2 * (before + after) - (i > 0 ? before * upper[i - 1] : 0);
    upper[i] = after / pivot;
    for (let c = 0; c < components; c++) {
      const place = places[k * components + c];
      let sum = 0;
      if (i > 0) {
        sum += 3 * before * before * (place - places[(k - 1) * components + c]);
        sum -= before * right[(i - 1) * components + c];
      }
      if (i < count - 1) sum += 3 * after * after * (places[(k + 1) * components + c] - place);
      right[i * components + c] = sum / pivot;
    }
  }
  for (let c = 0; c < components; c++) {
    let slope = right[(count - 1) * components + c];
    for (let i = count - 2; first + i >= at; i--) slope = right[i * components + c] - upper[i] * slope;
    out[c] = slope;
  }
}
