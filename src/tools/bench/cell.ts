import { median, quantile } from '../../challenge/quantile.js';
import { hasFairBoxes, totalScore } from '../../questions/football/index.js';
import type { Setting } from './setting.js';

/** How good one answer was, against the truth; shares of 1 (`tikitaka evaluate`, docs/protocol.md §3). */
export interface Quality {
  readonly personF1: number;
  readonly idf1: number;
  readonly keyPointRecall: number;
  /** The callers' score of the boxes, of the key points, and their mean. */
  readonly boxes: number;
  readonly keyPoints: number;
  readonly quality: number;
}

/** One answer. */
export interface Run {
  /** Request → body encoded, ms. */
  readonly timeMs: number;
  /** Frames that models saw, and frames of the answer. */
  readonly measured: number;
  readonly frames: number;
  readonly firstTouchMs: number;
  readonly stoppedBy: 'end' | 'plan' | 'budget' | 'error';
  readonly quality?: Quality | undefined;
}

/** A setting with its answers and those of the reference before, between and behind them. */
export interface Measured {
  readonly setting: Setting;
  /** Frames per batch that the device takes of `setting.batch`. */
  readonly batch: number;
  readonly runs: readonly Run[];
  readonly neighbours: readonly Run[];
  readonly peakBytes?: number | undefined;
}

/** What a setting is worth; medians over its runs, speeds as if the machine had always been as fast as in the median. */
export interface Cell {
  readonly setting: Setting;
  readonly batch: number;
  readonly runs: number;
  readonly timeS: number;
  /** Frames that models saw, by second of `timeS`. */
  readonly fps: number;
  /** `fps` : that of the reference beside it. */
  readonly ratio: number;
  /** How much slower (> 1) or faster (< 1) than usual the machine was, by the reference beside it. */
  readonly load: number;
  readonly measured: number;
  readonly frames: number;
  readonly firstTouchS: number;
  readonly stoppedBy: Run['stoppedBy'];
  readonly peakBytes?: number | undefined;
  readonly quality?: (Quality & { readonly speed: number; readonly score: number }) | undefined;
}

export const fpsOf = ({ measured, timeMs }: Run): number => measured / (timeMs / 1000);

/** How steady the reference was: its median, and half the way from the 10th to the 90th percentile as a share of it. */
export interface Steadiness {
  readonly runs: number;
  readonly fps: number;
  readonly spread: number;
  /** The same of its score, not as a share; 0 without truth. */
  readonly scoreSpread: number;
}

const halfSpread = (values: readonly number[]): number => (quantile(values, 0.9) - quantile(values, 0.1)) / 2;

/** `fastestS`: see `CellOptions`. */
export function steadinessOf(references: readonly Run[], fastestS = Number.POSITIVE_INFINITY): Steadiness {
  const all = references.map(fpsOf);
  const fps = median(all);
  const scores = references.flatMap(({ quality, timeMs }) =>
    quality ? totalScore({ ...quality, timeS: timeMs / 1000, fastestS }).total : [],
  );
  const scoreSpread = scores.length > 0 ? halfSpread(scores) : 0;
  return { runs: all.length, fps, spread: halfSpread(all) / fps, scoreSpread };
}

export interface CellOptions {
  readonly measured: readonly Measured[];
  /** All answers of the reference setting. */
  readonly references: readonly Run[];
  /** Time of the fastest server with fair boxes, s. Default: of the fastest cell that has some. */
  readonly fastestS?: number | undefined;
}

export function cellsOf({ measured, references, fastestS }: CellOptions): Cell[] {
  const { fps } = steadinessOf(references);
  const cells = measured.map((one) => plainCell(one, fps));
  const fastest = fastestS ?? fastestFair(cells);
  return cells.map(({ quality, ...cell }) => {
    if (!quality) return cell;
    const { speed, total } = totalScore({ ...quality, timeS: cell.timeS, fastestS: fastest });
    return { ...cell, quality: { ...quality, speed, score: total } };
  });
}

/** Time of the fastest cell with fair boxes, s; Infinity where none has some. */
export function fastestFair(
  cells: readonly { readonly timeS: number; readonly quality?: Quality | undefined }[],
): number {
  return Math.min(...cells.flatMap(({ quality, timeS }) => (quality && hasFairBoxes(quality.boxes) ? timeS : [])));
}

function plainCell({ setting, batch, runs, neighbours, peakBytes }: Measured, usualFps: number) {
  const of = (figure: (run: Run) => number) => median(runs.map(figure));
  const load = neighbours.length > 0 ? usualFps / mean(neighbours.map(fpsOf)) : 1;
  // A budget ends an answer on time however slow the machine is; it then holds fewer frames.
  const timeS = median(runs.map(({ timeMs, stoppedBy }) => timeMs / 1000 / (stoppedBy === 'end' ? load : 1)));
  const fps = of(fpsOf) * load;
  return {
    setting,
    batch,
    runs: runs.length,
    timeS,
    fps,
    ratio: fps / usualFps,
    load,
    measured: Math.round(of((run) => run.measured)),
    frames: Math.round(of((run) => run.frames)),
    firstTouchS: of((run) => run.firstTouchMs) / 1000,
    stoppedBy: runs.find(({ stoppedBy }) => stoppedBy !== 'end')?.stoppedBy ?? 'end',
    ...(peakBytes === undefined ? {} : { peakBytes }),
    quality: qualityOf(runs),
  };
}

function qualityOf(runs: readonly Run[]): Quality | undefined {
  const all = runs.flatMap(({ quality }) => quality ?? []);
  if (all.length === 0) return undefined;
  const of = (name: keyof Quality) => median(all.map((quality) => quality[name]));
  return {
    personF1: of('personF1'),
    idf1: of('idf1'),
    keyPointRecall: of('keyPointRecall'),
    boxes: of('boxes'),
    keyPoints: of('keyPoints'),
    quality: of('quality'),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
