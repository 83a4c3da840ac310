import type { Box } from './labels.js';
import type { Scale } from './scale.js';
import type { Shape } from './shapes.js';

export interface AxesOptions {
  readonly x: Scale;
  readonly y: Scale;
  readonly plot: Box;
  /** Of both axes, with units. */
  readonly titles: readonly [x: string, y: string];
  readonly sizePx: number;
  readonly colour: string;
}

type Points = Extract<Shape, { readonly kind: 'line' }>['points'];

/** Axes, ticks with their values, grid and titles of a chart. */
export function axisShapes({ x, y, plot, titles, sizePx, colour }: AxesOptions): Shape[] {
  const { left, top, right, bottom } = plot;
  const text = { kind: 'text', sizePx, colour } as const;
  const line = (stroke: string, points: Points): Shape => ({ kind: 'line', points, colour: stroke, widthPx: 1 });
  const grid = (points: Points) => line('#e4e4e4', points);
  const across = x.ticks.flatMap((tick): Shape[] => {
    const at = x.at(tick);
    const lines = grid([
      [at, top],
      [at, bottom],
    ]);
    return [lines, { ...text, x: at, y: bottom + 20, text: String(tick), anchor: 'middle' }];
  });
  const up = y.ticks.flatMap((tick): Shape[] => {
    const at = y.at(tick);
    const lines = grid([
      [left, at],
      [right, at],
    ]);
    return [lines, { ...text, x: left - 8, y: at + 4, text: String(tick), anchor: 'end' }];
  });
  const frame = line(colour, [
    [left, top],
    [left, bottom],
    [right, bottom],
  ]);
  return [
    ...across,
    ...up,
    frame,
    { ...text, x: (left + right) / 2, y: bottom + 46, text: titles[0], anchor: 'middle' },
    { ...text, x: 24, y: (top + bottom) / 2, text: titles[1], anchor: 'middle', isUpright: true },
  ];
}
