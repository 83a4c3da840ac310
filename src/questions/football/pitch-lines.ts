import { PITCH_LENGTH_M, PITCH_WIDTH_M, type PointM } from './pitch.js';

/** Laws of the Game, metres. */
const RADIUS_M = 9.15;
const SPOT_M = 11;
const BOX_DEPTH_M = 16.5;
const CIRCLE_STEPS = 36;

/** The painted lines of a pitch as polylines, metres; circle and arcs as 10° chords. */
export const PITCH_LINES: readonly (readonly PointM[])[] = pitchLines();

function pitchLines(): readonly (readonly PointM[])[] {
  const [length, width, middle] = [PITCH_LENGTH_M, PITCH_WIDTH_M, PITCH_WIDTH_M / 2];
  const frame = (x1: number, y1: number, x2: number, y2: number): readonly PointM[] => [
    [x1, y1],
    [x2, y1],
    [x2, y2],
    [x1, y2],
    [x1, y1],
  ];
  const left = (depth: number, across: number) => frame(0, middle - across / 2, depth, middle + across / 2);
  const right = (depth: number, across: number) =>
    frame(length - depth, middle - across / 2, length, middle + across / 2);
  const circle = (x: number, keep: (x: number) => boolean): readonly PointM[] =>
    Array.from({ length: CIRCLE_STEPS + 1 }, (_, k): PointM => {
      const angle = (2 * Math.PI * k) / CIRCLE_STEPS;
      return [x + RADIUS_M * Math.cos(angle), middle + RADIUS_M * Math.sin(angle)];
    }).filter(([px]) => keep(px));
  // The left arc's chords start behind the spot, so that the part in front of the box is one piece.
  const arc = [...circle(SPOT_M, (x) => x >= BOX_DEPTH_M)].sort((a, b) => a[1] - b[1]);
  return [
    frame(0, 0, length, width),
    [
      [length / 2, 0],
      [length / 2, width],
    ],
    circle(length / 2, () => true),
    left(BOX_DEPTH_M, 40.32),
    right(BOX_DEPTH_M, 40.32),
    left(5.5, 18.32),
    right(5.5, 18.32),
    arc,
    arc.map(([x, y]): PointM => [length - x, y]),
  ];
}
