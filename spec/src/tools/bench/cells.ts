import type { Cell, Quality, Run } from '../../../../src/tools/bench/cell.js';
import type { Setting } from '../../../../src/tools/bench/setting.js';

/** The reference of these specs. */
export const reference: Setting = {
  batch: 32,
  stride: 'auto',
  model: 'fast',
  widthPx: 768,
  budgetS: 2,
  pitch: true,
};

/** An answer of 2 s in which models saw 40 of 750 frames. */
export const runOf = (more: Partial<Run> = {}): Run => ({
  timeMs: 2000,
  measured: 40,
  frames: 750,
  firstTouchMs: 200,
  stoppedBy: 'budget',
  ...more,
});

export const qualityOf = (quality: number, boxes = quality): Quality => ({
  personF1: quality,
  idf1: quality,
  keyPointRecall: quality,
  boxes,
  keyPoints: quality,
  quality,
});

export interface CellFacts {
  readonly setting?: Partial<Setting>;
  readonly timeS?: number;
  readonly fps?: number;
  readonly measured?: number;
  readonly stoppedBy?: Run['stoppedBy'];
  /** Quality and score alike. */
  readonly score?: number;
}

export function cellOf({ setting, timeS = 2, fps = 20, measured = 40, stoppedBy = 'budget', score }: CellFacts): Cell {
  const quality = score === undefined ? undefined : { ...qualityOf(score), speed: 1, score };
  return {
    setting: { ...reference, ...setting },
    batch: 4,
    runs: 3,
    timeS,
    fps,
    ratio: fps / 20,
    load: 1,
    measured,
    frames: 750,
    firstTouchS: 0.2,
    stoppedBy,
    peakBytes: 700e6,
    quality,
  };
}
