import type { Run } from './cell.js';
import type { Baseline } from './result.js';

/** A warmed process that answers under one setting. */
export interface BenchProcess {
  /** Largest batch that its device takes. */
  readonly maxBatch: number;
  readonly device: string;
  /** One answer. Errors as `Engine.answer`, ERR_INTERRUPTED. */
  answer(): Promise<Run>;
  /** The sequential baseline; no frame is begun later than `limitS`. */
  baseline(limitS: number): Promise<Baseline>;
  /** Highest sum over its processes so far; undefined where the system does not tell. */
  readonly peakBytes: number | undefined;
  close(): Promise<void>;
}
