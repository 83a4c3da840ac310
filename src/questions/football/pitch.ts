/** Size of the real pitch in metres: x runs along the touch line, y from the far touch line to the near one. */
export const PITCH_LENGTH_M = 105;
export const PITCH_WIDTH_M = 68;

export type PointM = readonly [number, number];

/**
 * The 32 key points on a pitch of real size, metres, [x, y], in the order of docs/protocol.md §2. Laws of the Game dimensions; points
 * 11, 12, 19, 20 (index from 1) lie where the penalty arc meets the box line (y = 34 ± 7.31 m), where the labels have them:
 * median residual 0.122 % of the diagonal against 0.445 % of the callers' cm table (docs/measurements.md "The pitch").
 */
export const PITCH_POINTS: readonly PointM[] = pitchPoints({
  length: PITCH_LENGTH_M,
  width: PITCH_WIDTH_M,
  boxDepth: 16.5,
  boxWidth: 40.32,
  goalAreaDepth: 5.5,
  goalAreaWidth: 18.32,
  arcWidth: 14.62,
  circleRadius: 9.15,
  spot: 11,
});

interface PitchSize {
  readonly length: number;
  readonly width: number;
  readonly boxDepth: number;
  readonly boxWidth: number;
  readonly goalAreaDepth: number;
  readonly goalAreaWidth: number;
  readonly arcWidth: number;
  readonly circleRadius: number;
  readonly spot: number;
}

function pitchPoints(size: PitchSize): readonly PointM[] {
  const { length, width, boxDepth, boxWidth, goalAreaDepth, goalAreaWidth, arcWidth, circleRadius, spot } = size;
  const middle = width / 2;
  const halves = (span: number): readonly [number, number] => [middle - span / 2, middle + span / 2];
  const [box1, box2] = halves(boxWidth);
  const [area1, area2] = halves(goalAreaWidth);
  const [arc1, arc2] = halves(arcWidth);
  const left: readonly PointM[] = [
    [0, 0],
    [0, box1],
    [0, area1],
    [0, area2],
    [0, box2],
    [0, width],
    [goalAreaDepth, area1],
    [goalAreaDepth, area2],
    [spot, middle],
    [boxDepth, box1],
    [boxDepth, arc1],
    [boxDepth, arc2],
    [boxDepth, box2],
  ];
  const at = (index: number): PointM => {
    const point = left[index];
    return point ? [length - point[0], point[1]] : [0, 0];
  };
  return [
    ...left,
    [length / 2, 0],
    [length / 2, middle - circleRadius],
    [length / 2, middle + circleRadius],
    [length / 2, width],
    ...[9, 10, 11, 12, 8, 6, 7, 0, 1, 2, 3, 4, 5].map(at),
    [length / 2 - circleRadius, middle],
    [length / 2 + circleRadius, middle],
  ];
}
