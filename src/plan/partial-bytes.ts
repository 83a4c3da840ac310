import { OptionError } from '../../operators/index.js';

export interface PartialBytesOptions {
  /** Frames per second of the clip. */
  readonly fps: number;
  /** Every n-th frame is used. */
  readonly stride: number;
  readonly budgetMs: number;
  /** Of the coded video; from the index where it is known (bytes of all samples / duration). */
  readonly bytesPerSecond: number;
  /** Default 1.5. Chosen. */
  readonly safety?: number;
}

/**
 * How much of a clip to download when only its beginning is wanted (`PARTIAL_DOWNLOAD=1` without a size), by the operators'
 * published rule: frames = fps / stride × budget × safety, bytes = frames / fps × bit rate. It takes the
 * models to keep up with the clip at that stride; the anytime plan (see `createPlanner`) measures instead. Throws ERR_OPTION
 * where an option is not a positive number.
 */
export function partialBytes(options: PartialBytesOptions): { readonly frames: number; readonly bytes: number } {
  const { fps, stride, budgetMs, bytesPerSecond, safety = 1.5 } = options;
  for (const [name, value] of Object.entries({ fps, stride, budgetMs, bytesPerSecond, safety })) {
    if (!(value > 0)) throw new OptionError(`${name} must be a positive number`, { name, value });
  }
  const frames = Math.ceil((fps / stride) * (budgetMs / 1000) * safety);
  return { frames, bytes: Math.ceil((frames / fps) * bytesPerSecond) };
}
