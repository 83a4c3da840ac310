import assert from 'node:assert/strict';
import { PITCH_POINTS } from '../../../../src/questions/football/index.js';
import { PITCH_MARKINGS, PITCH_PAINT } from '../../../../src/questions/football/pitch-markings.js';

/** Left–right flip of docs/protocol.md §2. */
const FLIP = [
  24, 25, 26, 27, 28, 29, 22, 23, 21, 17, 18, 19, 20, 13, 14, 15, 16, 9, 10, 11, 12, 8, 6, 7, 0, 1, 2, 3, 4, 5, 31, 30,
];

describe('pitch markings', () => {
  it('has 32 key points that mirror onto each other as docs/protocol.md §2 says', () => {
    assert.equal(PITCH_POINTS.length, 32);
    PITCH_POINTS.forEach(([x, y], i) => {
      const mirrored = PITCH_POINTS[FLIP[i] ?? -1];
      assert.ok(mirrored, `${i}`);
      assert.ok(Math.abs(mirrored[0] - (105 - x)) < 1e-9 && Math.abs(mirrored[1] - y) < 1e-9, `point ${i + 1}`);
    });
  });

  const table: readonly (readonly [point: number, x: number, y: number, reason: string])[] = [
    [1, 0, 0, 'far left corner'],
    [2, 0, 13.84, 'box on the goal line: (68 − 40.32) / 2'],
    [8, 5.5, 43.16, 'goal area, near: 34 + 18.32 / 2'],
    [9, 11, 34, 'penalty spot'],
    [11, 16.5, 26.69, 'arc meets box line: 34 − √(9.15² − 5.5²)'],
    [17, 52.5, 68, 'half-way line at the near touchline'],
    [30, 105, 68, 'near right corner'],
    [31, 43.35, 34, 'centre circle, left'],
  ];
  for (const [point, x, y, reason] of table) {
    it(`puts point ${point} at ${reason}`, () => {
      const found = PITCH_POINTS[point - 1];
      assert.ok(found && Math.hypot(found[0] - x, found[1] - y) < 0.01, `${found}`);
    });
  }

  it('passes a line through every key point but the spots', () => {
    PITCH_POINTS.forEach(([x, y], i) => {
      if (i === 8 || i === 21) return;
      const nearest = Math.min(
        ...PITCH_MARKINGS.flatMap((line) =>
          line.slice(1).map((to, j) => {
            const from = line[j] ?? to;
            const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
            const share = Math.min(1, Math.max(0, ((x - from[0]) * dx + (y - from[1]) * dy) / (dx * dx + dy * dy)));
            return Math.hypot(x - from[0] - dx * share, y - from[1] - dy * share);
          }),
        ),
      );
      assert.ok(nearest < 0.02, `point ${i + 1} is ${nearest} m off`);
    });
  });

  it('paints every line 12 cm wide', () => {
    for (const { left, right } of PITCH_PAINT.slice(0, PITCH_MARKINGS.length)) {
      assert.equal(left.length, right.length);
      left.forEach((p, i) => {
        const q = right[i] ?? p;
        assert.ok(Math.abs(Math.hypot(p[0] - q[0], p[1] - q[1]) - 0.12) < 1e-9);
      });
    }
  });
});
