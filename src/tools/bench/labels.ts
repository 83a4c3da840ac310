import { textWidthPx } from './shapes.js';

/** A rectangle in px. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface LabelWanted {
  /** Point that the label belongs to, px. */
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface PlacedLabel extends LabelWanted {
  /** Where its box lies; the base line is a fifth of its height above the lower edge. */
  readonly box: Box;
  /** Whether it lies so far off that it needs a line to its point. */
  readonly isFar: boolean;
}

export interface LabelOptions {
  /** The most important first: those behind them find less room. */
  readonly labels: readonly LabelWanted[];
  readonly sizePx: number;
  readonly within: Box;
  /** What no label may cover. */
  readonly taken: readonly Box[];
}

const GAP_PX = 9;
/** Rings around the point that are tried, from near to far, and directions on each. Chosen. */
const RINGS = [1, 2.5, 4, 6, 9];
const DIRECTIONS = 16;

export const overlaps = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Puts each label near its point without covering another or anything taken; one that finds no room is left out. */
export function placeLabels({ labels, sizePx, within, taken }: LabelOptions): PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  for (const label of labels) {
    const place = candidates(label, sizePx).find(
      ({ box }) =>
        isInside(box, within) &&
        !taken.some((other) => overlaps(box, other)) &&
        !placed.some((other) => overlaps(box, other.box)),
    );
    if (place) placed.push({ ...label, ...place });
  }
  return placed;
}

function candidates({ x, y, text }: LabelWanted, sizePx: number): { readonly box: Box; readonly isFar: boolean }[] {
  const [width, height] = [textWidthPx(text, sizePx), sizePx * 1.2];
  return RINGS.flatMap((ring) =>
    Array.from({ length: DIRECTIONS }, (_, i) => {
      const angle = (i / DIRECTIONS) * 2 * Math.PI;
      const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
      const middleX = x + dx * (ring * GAP_PX + width / 2);
      const middleY = y + dy * (ring * GAP_PX + height / 2);
      const [left, top] = [middleX - width / 2, middleY - height / 2];
      return { box: { left, top, right: left + width, bottom: top + height }, isFar: ring > 1 };
    }),
  );
}

const isInside = (box: Box, { left, top, right, bottom }: Box): boolean =>
  box.left >= left && box.top >= top && box.right <= right && box.bottom <= bottom;
