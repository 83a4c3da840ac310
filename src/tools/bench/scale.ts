/** One axis of a chart: values to px, and the values that get a line. */
export interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

export interface ScaleOptions {
  readonly values: readonly number[];
  /** Where the axis begins and ends, px; the end may be above the start. */
  readonly fromPx: number;
  readonly toPx: number;
  /** Bounds that values never pass, e.g. 0 and 1. */
  readonly least?: number;
  readonly most?: number;
}

/** An even axis with 3 to 8 round ticks that holds all values and ends at ticks. */
export function evenScale({ values, fromPx, toPx, least = -Infinity, most = Infinity }: ScaleOptions): Scale {
  const [low, high] = range(values);
  const step = roundStep((high - low || Math.abs(high) || 1) / 5);
  const first = Math.max(Math.floor(low / step + 1e-9), Math.ceil(least / step - 1e-9));
  const last = Math.max(first + 1, Math.min(Math.ceil(high / step - 1e-9), Math.floor(most / step + 1e-9)));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => tidy((first + i) * step));
  const span = (last - first) * step;
  return { ticks, at: (value) => fromPx + ((value - first * step) / span) * (toPx - fromPx) };
}

/** Values this far apart, by ratio, need an axis by powers. Chosen. */
const FAR_APART = 6;

/** An axis for times: even from 0, or by powers of 2 where the values are far apart. */
export function timeScale(options: ScaleOptions): Scale {
  const { values, fromPx, toPx } = options;
  const [low, high] = range(values);
  if (!(low > 0) || high / low < FAR_APART) return evenScale({ ...options, values: [0, ...values] });
  const first = Math.floor(Math.log2(low) + 1e-9);
  const last = Math.ceil(Math.log2(high) - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => 2 ** (first + i));
  return { ticks, at: (value) => fromPx + ((Math.log2(value) - first) / (last - first)) * (toPx - fromPx) };
}

const range = (values: readonly number[]): readonly [number, number] =>
  values.length > 0 ? [Math.min(...values), Math.max(...values)] : [0, 1];

/** The next 1, 2 or 5 × a power of ten. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5].find((digit) => digit * power >= step * (1 - 1e-9)) ?? 10) * power;
}

const tidy = (value: number): number => Number(value.toPrecision(10));
