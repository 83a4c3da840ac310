import { escapeMarkup } from '../../app/escape-markup.js';

/** What a small chart is drawn of; coordinates in px from the upper left corner. */
export type Shape =
  | {
      readonly kind: 'line';
      readonly points: readonly (readonly [x: number, y: number])[];
      readonly colour: string;
      readonly widthPx: number;
    }
  | {
      readonly kind: 'dot';
      readonly x: number;
      readonly y: number;
      readonly radiusPx: number;
      readonly fill: string;
      readonly stroke: string;
    }
  | {
      readonly kind: 'text';
      /** Of the anchor on the base line. */
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly sizePx: number;
      readonly anchor: 'start' | 'middle' | 'end';
      readonly colour: string;
      readonly isUpright?: boolean;
    };

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly Shape[];
}

/** Mean width of a letter by its height, for sans-serif; measured wide rather than narrow. */
const LETTER = 0.56;

export const textWidthPx = (text: string, sizePx: number): number => text.length * LETTER * sizePx;

export function toSvg({ width, height, shapes }: Picture): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...shapes.map(element),
    '</svg>\n',
  ].join('\n');
}

function element(shape: Shape): string {
  if (shape.kind === 'line') {
    const points = shape.points.map(([x, y]) => `${px(x)},${px(y)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${shape.colour}" stroke-width="${shape.widthPx}"/>`;
  }
  const at = (x: string, y: string) => `${x}="${px(shape.x)}" ${y}="${px(shape.y)}"`;
  if (shape.kind === 'dot')
    return `<circle ${at('cx', 'cy')} r="${shape.radiusPx}" fill="${shape.fill}" stroke="${shape.stroke}" stroke-width="1.5"/>`;
  const { text, sizePx, anchor, colour, isUpright } = shape;
  const turn = isUpright ? ` transform="rotate(-90 ${px(shape.x)} ${px(shape.y)})"` : '';
  return `<text ${at('x', 'y')} font-size="${sizePx}" text-anchor="${anchor}" fill="${colour}"${turn}>${escapeMarkup(text)}</text>`;
}

const px = (value: number): string => String(Math.round(value * 10) / 10);
