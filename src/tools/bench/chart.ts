import { axisShapes } from './axes.js';
import type { Cell } from './cell.js';
import { type Box, type PlacedLabel, placeLabels } from './labels.js';
import { paretoFront, worthOf } from './ranking.js';
import { evenScale, timeScale } from './scale.js';
import { isSame, type Setting, shortName } from './setting.js';
import type { Picture, Shape } from './shapes.js';

export interface ChartOptions {
  readonly cells: readonly Cell[];
  readonly reference: Setting;
  readonly recommended?: Setting | undefined;
  /** Over the chart: clip and machine. */
  readonly title: string;
}

const [WIDTH, HEIGHT] = [960, 600];
const PLOT: Box = { left: 84, top: 76, right: WIDTH - 30, bottom: HEIGHT - 64 };
const INK = '#222222';
const TEXT_PX = 13;
const RADIUS_PX = 5.5;
const STEP_PX = 3;

/** What a cell is in the chart, from the least to the most important. */
const roles = ['other', 'front', 'reference', 'recommended'] as const;
type Role = (typeof roles)[number];
const colours: Readonly<Record<Role, string>> = {
  other: '#b4bec8',
  front: '#1466b8',
  reference: '#d9541a',
  recommended: '#1d8a3a',
};
const meanings: Readonly<Record<Role, string>> = {
  other: 'beaten by another in both',
  front: 'Pareto front',
  reference: 'present setting',
  recommended: 'recommended',
};

/** Time against quality (without truth: against the frames that models saw), with the cells that no other beats joined. */
export function benchChart({ cells, reference, recommended, title }: ChartOptions): Picture {
  const hasTruth = cells.some(({ quality }) => quality !== undefined);
  const x = timeScale({ values: cells.map(({ timeS }) => timeS), fromPx: PLOT.left, toPx: PLOT.right, least: 0 });
  const bounds = hasTruth ? { least: 0, most: 1 } : { least: 0 };
  const y = evenScale({ values: cells.map(worthOf), fromPx: PLOT.bottom, toPx: PLOT.top, ...bounds });
  const front = paretoFront(cells);
  const roleOf = ({ setting }: Cell): Role => {
    if (recommended && isSame(setting, recommended)) return 'recommended';
    if (isSame(setting, reference)) return 'reference';
    return front.some((cell) => isSame(cell.setting, setting)) ? 'front' : 'other';
  };
  const points = cells
    .map((cell) => ({ cell, role: roleOf(cell), x: x.at(cell.timeS), y: y.at(worthOf(cell)) }))
    .sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
  const line = front.map((cell) => [x.at(cell.timeS), y.at(worthOf(cell))] as const);
  const named = points.filter(({ role }) => role !== 'other').reverse();
  const labels = placeLabels({
    labels: named.map((point) => ({ x: point.x, y: point.y, text: shortName(point.cell.setting, reference) })),
    sizePx: TEXT_PX,
    within: PLOT,
    taken: [...points.map((point) => square(point.x, point.y)), ...alongLine(line)],
  });
  const heights = hasTruth ? 'quality as callers score it, 0 to 1' : 'frames that models saw';
  return {
    width: WIDTH,
    height: HEIGHT,
    shapes: [
      { kind: 'text', x: PLOT.left, y: 28, text: title, sizePx: 16, anchor: 'start', colour: INK },
      ...legend(),
      ...axisShapes({ x, y, plot: PLOT, titles: ['time to the answer, s', heights], sizePx: TEXT_PX, colour: INK }),
      { kind: 'line', points: line, colour: colours.front, widthPx: 1.5 },
      ...points.map((point) => dot(point.x, point.y, point.role)),
      ...labels.flatMap(labelShapes),
    ],
  };
}

const square = (x: number, y: number): Box => ({
  left: x - RADIUS_PX - 1,
  top: y - RADIUS_PX - 1,
  right: x + RADIUS_PX + 1,
  bottom: y + RADIUS_PX + 1,
});

/** Small boxes that cover a line, so that no label lies over it. */
function alongLine(points: readonly (readonly [number, number])[]): Box[] {
  return points.slice(1).flatMap(([toX, toY], i) => {
    const [fromX, fromY] = points[i] ?? [toX, toY];
    const steps = Math.ceil(Math.hypot(toX - fromX, toY - fromY) / STEP_PX);
    return Array.from({ length: steps + 1 }, (_, step) => {
      const share = steps === 0 ? 0 : step / steps;
      const [x, y] = [fromX + (toX - fromX) * share, fromY + (toY - fromY) * share];
      return { left: x - 2, top: y - 2, right: x + 2, bottom: y + 2 };
    });
  });
}

const dot = (x: number, y: number, role: Role): Shape => ({
  kind: 'dot',
  x,
  y,
  radiusPx: RADIUS_PX,
  fill: colours[role],
  stroke: '#ffffff',
});

function legend(): Shape[] {
  return [...roles].reverse().flatMap((role, i): Shape[] => {
    const x = PLOT.left + RADIUS_PX + i * 200;
    return [
      dot(x, 52, role),
      { kind: 'text', x: x + 12, y: 56, text: meanings[role], sizePx: TEXT_PX, anchor: 'start', colour: INK },
    ];
  });
}

function labelShapes({ x, y, text, box, isFar }: PlacedLabel): Shape[] {
  const base = box.bottom - 0.3 * TEXT_PX;
  const label: Shape = { kind: 'text', x: box.left, y: base, text, sizePx: TEXT_PX, anchor: 'start', colour: INK };
  if (!isFar) return [label];
  const end = [clamp(x, box.left, box.right), clamp(y, box.top, box.bottom)] as const;
  return [{ kind: 'line', points: [[x, y], end], colour: '#8a8a8a', widthPx: 0.8 }, label];
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
