import { quantile } from '../../challenge/quantile.js';
import type { ColdWarm, Figures } from './schema.js';

/** Median and p95 of measurements in ms; undefined for none. */
export function figuresOf(runsMs: readonly number[]): Figures | undefined {
  if (runsMs.length === 0) return undefined;
  return { medianMs: rounded(quantile(runsMs, 0.5)), p95Ms: rounded(quantile(runsMs, 0.95)), runs: runsMs.length };
}

export function coldWarm(coldMs: readonly number[], warmMs: readonly number[] = []): ColdWarm {
  const [cold, warm] = [figuresOf(coldMs), figuresOf(warmMs)];
  return { ...(cold ? { cold } : {}), ...(warm ? { warm } : {}) };
}

/** Two decimals: finer than any clock that is read here. */
export const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Bytes per second of one transfer. */
export const rateOf = (bytes: number, { medianMs }: Figures): number =>
  rounded((bytes * 1000) / Math.max(medianMs, 0.01));
