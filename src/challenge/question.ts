import type { Observable } from 'rxjs';
import type { ModelInput } from '../../models/index.js';
import type { Frame } from '../decode/index.js';
import type { ClipFrames } from './clip-frames.js';

/** Looks at pictures, and says of each what it found. */
export interface Eye<Finding> {
  /** How pictures must be prepared. */
  readonly input: ModelInput;
  /** Largest batch that `look` takes. */
  readonly maxBatch: number;
  /** What it runs on, e.g. `cpu`, `cuda`; for logs and the result. */
  readonly device: string;
  /** Predicted duration of one look at so many pictures, ms; must not fall when there are more. */
  predictMs(batchSize: number): number;
  /**
   * Cold: emits one list, as long as `frames` and in its order, then completes. Unsubscribing abandons the result. The frames are
   * their owner's again when this has ended *and* `onReturn` was called, exactly once: whatever runs elsewhere reads on until then.
   */
  look(frames: readonly Frame[], onReturn: () => void): Observable<readonly Finding[]>;
}

/** What is known of one clip, made of findings. The answer depends on the set of findings alone, not on their order. */
export interface Understanding<Finding, Answer> {
  /** Takes findings in any order; cheap. */
  add(findings: readonly Finding[]): void;
  /** Works a few milliseconds on what `add` left; false = more is left. */
  refresh(): boolean;
  /** Whole-clip answer from all findings so far, or where that takes longer than `withinMs`, the last one that was complete. */
  snapshot(withinMs: number): Answer;
}

/** What a clip is, once its header is read. */
export interface ClipFacts {
  /** Size of the original picture in pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames of the clip; undefined where the container does not say, and then learnt when its last frame has come. */
  readonly frameCount: number | undefined;
  /** Times, keyframes and sizes of its frames, as far as they are known now. */
  readonly frames: ClipFrames;
}

/** What is asked of a clip: an eye that looks, and an understanding that answers. */
export interface Question<Finding, Answer> {
  readonly eye: Eye<Finding>;
  begin(clip: ClipFacts): Understanding<Finding, Answer>;
}
