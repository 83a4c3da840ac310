import type { BoxXyxyPx, ClassId, PictureFinding } from '../../../models/index.js';
import type { Provenance } from '../../challenge/index.js';

/** What the models said about one frame of the clip, and what its picture looks like. */
export interface Finding extends PictureFinding {
  /** Frame number. */
  readonly index: number;
  readonly ptsUs: number;
  /** Coarse picture signature for the detection of cuts (see `pictureSignature`); same length for every frame. */
  readonly signature: Uint8Array;
  /** uint8 [detections, 3], RGB: colour of each person's shirt (see `kitColours`); tracks tell players apart by it. */
  readonly kitColours?: Uint8Array;
}

export interface AnswerObject {
  /** Stable over the clip; unique within a frame. */
  readonly id: number;
  readonly classId: ClassId;
  readonly boxXyxyPx: BoxXyxyPx;
  readonly source: Provenance;
  readonly score: number;
}

export interface AnswerFrame {
  readonly index: number;
  readonly source: Provenance;
  /** 32 × [x, y] in pixels of the original, [0, 0] = not visible. */
  readonly keyPoints: readonly (readonly [number, number])[];
  readonly objects: readonly AnswerObject[];
}

/** Whole-clip answer at one moment: one entry for every frame of the clip, in order. */
export interface Answer {
  readonly width: number;
  readonly height: number;
  readonly frames: readonly AnswerFrame[];
  readonly counts: Readonly<Record<Provenance, number>>;
}
