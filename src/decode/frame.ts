import type { ModelPicture } from '../../models/index.js';

/**
 * One decoded picture, already scaled to the model's input, in a slot of a fixed pool. Whoever ends its journey calls
 * `release()` exactly once; a second call throws ERR_RELEASED. `pixels` must not be touched afterwards.
 */
export interface Frame extends ModelPicture {
  /** Frame number: 0-based presentation order, the `frame_number` of the answer. */
  readonly index: number;
  /** Presentation time in µs from the first frame of the clip. */
  readonly ptsUs: number;
  readonly keyframe: boolean;
  /** Marks the slot as read by a running inference: still owned, counted as lent in the pool. Idempotent. */
  lend(): void;
  release(): void;
}
