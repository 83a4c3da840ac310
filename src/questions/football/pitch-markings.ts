import { PITCH_LENGTH_M, PITCH_WIDTH_M } from './pitch.js';

/** A point on the ground in metres: x 0..105 from the left goal line, y 0..68 from the far touchline, seen from the main stand. */
export type GroundPoint = readonly [xM: number, yM: number];

const LINE_WIDTH_M = 0.12; // Laws of the Game, law 1: at most 12 cm
const CIRCLE_RADIUS_M = 9.15;
const BOX_DEPTH_M = 16.5;
const BOX_WIDTH_M = 40.32;
const GOAL_AREA_DEPTH_M = 5.5;
const GOAL_AREA_WIDTH_M = 18.32;
const PENALTY_SPOT_M = 11;
export const GOAL_WIDTH_M = 7.32;
export const GOAL_HEIGHT_M = 2.44;
const MIDDLE_Y = PITCH_WIDTH_M / 2;

const straight = (from: GroundPoint, to: GroundPoint): readonly GroundPoint[] => {
  const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / 4));
  return Array.from({ length: steps + 1 }, (_, i) => [
    from[0] + ((to[0] - from[0]) * i) / steps,
    from[1] + ((to[1] - from[1]) * i) / steps,
  ]);
};

const arc = (centre: GroundPoint, radius: number, from: number, to: number): readonly GroundPoint[] => {
  const steps = Math.max(3, Math.ceil((Math.abs(to - from) * radius) / 0.6));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = from + ((to - from) * i) / steps;
    return [centre[0] + radius * Math.cos(angle), centre[1] + radius * Math.sin(angle)];
  });
};

/** Centre lines of every marking as open polylines in metres, dense enough (≤ 4 m) to be projected point by point. */
export const PITCH_MARKINGS: readonly (readonly GroundPoint[])[] = (() => {
  const [length, width] = [PITCH_LENGTH_M, PITCH_WIDTH_M];
  const lines = [
    straight([0, 0], [length, 0]),
    straight([0, width], [length, width]),
    straight([length / 2, 0], [length / 2, width]),
    arc([length / 2, MIDDLE_Y], CIRCLE_RADIUS_M, 0, 2 * Math.PI),
  ];
  for (const side of [0, 1] as const) {
    const x = (fromGoalLine: number): number => (side === 0 ? fromGoalLine : length - fromGoalLine);
    lines.push(straight([x(0), 0], [x(0), width]));
    for (const [depth, span] of [
      [BOX_DEPTH_M, BOX_WIDTH_M],
      [GOAL_AREA_DEPTH_M, GOAL_AREA_WIDTH_M],
    ] as const) {
      const [far, near] = [MIDDLE_Y - span / 2, MIDDLE_Y + span / 2];
      lines.push(
        straight([x(0), far], [x(depth), far]),
        straight([x(depth), far], [x(depth), near]),
        straight([x(depth), near], [x(0), near]),
      );
    }
    const reach = Math.acos((BOX_DEPTH_M - PENALTY_SPOT_M) / CIRCLE_RADIUS_M);
    const turn = side === 0 ? 0 : Math.PI;
    lines.push(arc([x(PENALTY_SPOT_M), MIDDLE_Y], CIRCLE_RADIUS_M, turn - reach, turn + reach));
    for (const y of [0, width] as const) {
      const start = side === 0 ? (y === 0 ? 0 : -Math.PI / 2) : y === 0 ? Math.PI / 2 : Math.PI;
      lines.push(arc([x(0), y], 1, start, start + Math.PI / 2));
    }
  }
  return lines;
})();

const offsetLine = (line: readonly GroundPoint[], half: number): readonly GroundPoint[] =>
  line.map((point, i) => {
    const before = line[Math.max(0, i - 1)] ?? point;
    const after = line[Math.min(line.length - 1, i + 1)] ?? point;
    const [dx, dy] = [after[0] - before[0], after[1] - before[1]];
    const length = Math.hypot(dx, dy) || 1;
    return [point[0] - (dy / length) * half, point[1] + (dx / length) * half];
  });

/** One painted area: its two edges, point by point beside each other, so that any run of pairs can be filled on its own. */
export interface PaintBand {
  readonly left: readonly GroundPoint[];
  readonly right: readonly GroundPoint[];
}

const spot = (centre: GroundPoint): PaintBand => ({
  left: arc(centre, 0.12, 0, Math.PI),
  right: arc(centre, 0.12, 0, -Math.PI),
});

/** Everything that is painted white on the grass: 12 cm wide lines and the three spots. */
export const PITCH_PAINT: readonly PaintBand[] = [
  ...PITCH_MARKINGS.map((line) => ({
    left: offsetLine(line, LINE_WIDTH_M / 2),
    right: offsetLine(line, -LINE_WIDTH_M / 2),
  })),
  spot([PENALTY_SPOT_M, MIDDLE_Y]),
  spot([PITCH_LENGTH_M - PENALTY_SPOT_M, MIDDLE_Y]),
  spot([PITCH_LENGTH_M / 2, MIDDLE_Y]),
];
