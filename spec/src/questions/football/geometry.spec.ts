import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fitHomography } from '../../../../src/questions/football/homography.js';
import {
  determinant,
  exp,
  identity,
  invert,
  log,
  type Mat3,
  multiply,
} from '../../../../src/questions/football/mat3.js';
import { PITCH_POINTS } from '../../../../src/questions/football/pitch.js';
import { splineSlope } from '../../../../src/questions/football/spline.js';

const near = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number) => {
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) assert.ok(Math.abs(a[i] - b[i]) <= tolerance, `[${i}] ${a[i]} is not ${b[i]}`);
};

describe('plane motions', () => {
  const motion = fc
    .array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 8, maxLength: 8 })
    .map((values) => Float64Array.from(values));

  it('log undoes exp', () => {
    fc.assert(fc.property(motion, (m) => near(log(exp(m)) ?? [], m, 1e-8)));
  });

  it('exp of a motion has determinant 1, and its inverse is exp of the opposite motion', () => {
    fc.assert(
      fc.property(motion, (m) => {
        assert.ok(Math.abs(determinant(exp(m)) - 1) < 1e-9);
        near(multiply(exp(m), exp(m.map((v) => -v))), identity(), 1e-8);
      }),
    );
  });

  for (const [what, map] of [
    ['a mirrored plane', [-1, 0, 0, 0, 1, 0, 0, 0, 1]],
    ['a collapsed plane', [1, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['a half turn', [-1, 0, 0, 0, -1, 0, 0, 0, 1]],
  ] as const) {
    it(`log gives nothing for ${what}`, () => assert.equal(log(Float64Array.from(map)), undefined));
  }

  it('invert gives nothing for a singular matrix', () => assert.equal(invert(new Float64Array(9)), undefined));
});

/** Key points of a pitch, in units of the fit, seen through a map; `change` spoils some. */
function pairsOf(map: Mat3, use: readonly number[], change: (k: number) => readonly [number, number] = () => [0, 0]) {
  const from = use.map((k) => [(PITCH_POINTS[k][0] - 52.5) / 50, (PITCH_POINTS[k][1] - 34) / 50]);
  const to = from.map(([x, y], i) => {
    const depth = map[6] * x + map[7] * y + map[8];
    const [dx, dy] = change(use[i]);
    return [(map[0] * x + map[1] * y + map[2]) / depth + dx, (map[3] * x + map[4] * y + map[5]) / depth + dy];
  });
  return {
    fromX: Float64Array.from(from, ([x]) => x),
    fromY: Float64Array.from(from, ([, y]) => y),
    toX: Float64Array.from(to, ([x]) => x),
    toY: Float64Array.from(to, ([, y]) => y),
    weight: new Float64Array(use.length).fill(1),
  };
}

describe('fitHomography', () => {
  const map = Float64Array.of(1.1, 0.3, 0.1, 0.02, 0.5, 0.05, 0.02, -0.4, 1.2);
  const truth = map.map((value) => value / Math.cbrt(determinant(map)));
  const middle = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 30, 31];

  it('finds the map behind clean points', () => {
    const fit = fitHomography(pairsOf(map, middle), { tolerance: 0.02 });
    near(fit?.map ?? [], truth, 1e-6);
    assert.equal(fit?.inliers, middle.length);
  });

  it('leaves out a third of wrong points', () => {
    const wrong = new Set([10, 14, 17, 31]);
    const pairs = pairsOf(map, middle, (k) => (wrong.has(k) ? [0.4 - k / 50, 0.2 + k / 90] : [0, 0]));
    const fit = fitHomography(pairs, { tolerance: 0.02 });
    near(fit?.map ?? [], truth, 1e-5);
    assert.deepEqual(
      [...(fit?.inlier ?? [])],
      middle.map((k) => (wrong.has(k) ? 0 : 1)),
    );
  });

  it('is the same for the same points', () => {
    const pairs = pairsOf(map, middle, (k) => (k % 3 === 0 ? [0.3, 0.3] : [0.001 * k, 0]));
    const [a, b] = [fitHomography(pairs, { tolerance: 0.02 }), fitHomography(pairs, { tolerance: 0.02 })];
    assert.deepEqual(a, b);
  });

  for (const [what, use] of [
    ['three points', [9, 12, 13]],
    ['points on one line', [0, 1, 2, 3, 4, 5]],
  ] as const) {
    it(`gives nothing for ${what}`, () => {
      assert.equal(fitHomography(pairsOf(map, use), { tolerance: 0.02 }), undefined);
    });
  }

  it('gives nothing for points on one line that tremble', () => {
    const shaken = pairsOf(map, [0, 1, 2, 3, 4, 5], (k) => [0.002 * Math.sin(k * 7), 0.002 * Math.cos(k * 5)]);
    assert.equal(fitHomography(shaken, { tolerance: 0.02 }), undefined);
  });

  it('gives nothing for a mirrored pitch', () => {
    const mirrored = multiply(Float64Array.of(-1, 0, 0, 0, 1, 0, 0, 0, 1), map);
    assert.equal(fitHomography(pairsOf(mirrored, middle), { tolerance: 0.02 }), undefined);
  });
});

describe('splineSlope', () => {
  const slopeAt = (times: readonly number[], of: (t: number) => number, at: number) => {
    const out = new Float64Array(1);
    splineSlope(Float64Array.from(times), Float64Array.from(times, of), at, out);
    return out[0];
  };

  for (const [what, times] of [
    ['even', [0, 1, 2, 3, 4]],
    ['uneven', [0, 0.1, 2, 2.5, 7]],
    ['two', [1, 3]],
  ] as const) {
    it(`is exact for a straight way with ${what} knots`, () => {
      for (const at of times.keys()) assert.ok(Math.abs(slopeAt(times, (t) => 3 * t - 1, at) - 3) < 1e-9);
    });
  }

  it('is nearer to a smooth way than the step between its neighbours', () => {
    const times = [0, 1, 2, 3, 4, 5, 6];
    const error = Math.abs(slopeAt(times, Math.sin, 3) - Math.cos(3));
    assert.ok(error < Math.abs((Math.sin(4) - Math.sin(2)) / 2 - Math.cos(3)) / 4);
  });

  it('is nothing for a single knot', () => assert.equal(slopeAt([1], Math.sin, 0), 0));
});
