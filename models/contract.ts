import type { Observable } from 'rxjs';

/** 0 ball, 1 goalkeeper, 2 player, 3 referee (docs/protocol.md §2). */
export type ClassId = 0 | 1 | 2 | 3;
export type ClassName = 'ball' | 'goalkeeper' | 'player' | 'referee';
/** Scores 0..1 above which a box of each class counts by itself. */
export type ClassThresholds = Readonly<Record<ClassName, number>>;

/** x1, y1, x2, y2 in pixels of the original picture, x1 < x2, y1 < y2, inside the picture. */
export type BoxXyxyPx = readonly [number, number, number, number];

export interface Detection {
  readonly classId: ClassId;
  /** Confidence 0..1 that something of this class is here. */
  readonly score: number;
  readonly boxXyxyPx: BoxXyxyPx;
  /** Persons only: P(goalkeeper), P(player), P(referee), summing to 1; lets tracks vote on the class over time. */
  readonly roleScores?: readonly [number, number, number];
}

/** One of the 32 pitch key points; its place in the list is its identity (docs/protocol.md §2 order). `score` 0 = not seen. */
export interface KeyPoint {
  /** Pixels of the original picture. */
  readonly xPx: number;
  readonly yPx: number;
  readonly score: number;
}

/** What the models say about one picture. */
export interface PictureFinding {
  readonly detections: readonly Detection[];
  /** Exactly 32 entries, or empty where no pitch model ran. */
  readonly keyPoints: readonly KeyPoint[];
}

/** How a picture must be prepared before it is handed to a runner. */
export interface ModelInput {
  readonly width: number;
  readonly height: number;
  readonly fit: 'stretch' | 'letterbox';
  /** Scaling filter of the decoder. Ours is trained on `area`. */
  readonly filter: 'point' | 'fast-bilinear' | 'bilinear' | 'bicubic' | 'area';
}

/** One picture for the models. */
export interface ModelPicture {
  /** uint8 [height, width, 3], NHWC without N, RGB, 0..255, rows contiguous; size = the runner's `input`. */
  readonly pixels: Uint8Array;
  /** Size of the original picture in pixels: boxes come back in this space. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
}

/** Something that answers batches of pictures: our child-process runtime, a fake in virtual time, a remote service. */
export interface ModelRunner {
  readonly input: ModelInput;
  /** Largest batch that `run` accepts (on CPU chosen at warm-up so that one run stays under the cap of 150 ms). */
  readonly maxBatch: number;
  /** The execution provider that really runs, e.g. `cpu`, `cuda`; for logs and the result. */
  readonly device: string;
  /** Predicted duration of one run of `batchSize` pictures in ms, from warm-up and the runs since. */
  predictMs(batchSize: number): number;
  /**
   * Cold: subscribing starts one run; emits one list, as long as `pictures` and in its order, then completes.
   * Unsubscribing abandons the result at once; the run itself may go on in its process. `onReturn` is called exactly
   * once, when the runtime no longer reads the pictures' memory: at the end of the run, or of its process, or at once
   * if the run never started. Errors: ERR_INFERENCE (retryable when the process was replaced), ERR_RELEASED after close.
   */
  run(pictures: readonly ModelPicture[], onReturn: () => void): Observable<readonly PictureFinding[]>;
  /** Ends the processes; resolves when they are gone. Idempotent. */
  close(): Promise<void>;
}
