import type { TruthFrame } from './truth.js';

/** What a render worker is started with: it draws the frames `first`, `first + every`, … of the clip. */
export interface RenderJob {
  readonly seed: number;
  readonly frameCount: number;
  readonly fps: number;
  readonly first: number;
  readonly every: number;
  /** Size of the drawn picture. */
  readonly width: number;
  readonly height: number;
  /** Size of the coded picture, in whose pixels the truth is told. */
  readonly clipWidth: number;
  readonly clipHeight: number;
  /** `SLOTS` pictures of width × height × 4 bytes; frame k of this worker goes to slot k mod `SLOTS`. */
  readonly pictures: SharedArrayBuffer;
}

/** Pictures that a worker may be ahead of the encoder. */
export const SLOTS = 3;

/** From the worker: this frame lies in its slot. */
export interface RenderedFrame {
  readonly truth: TruthFrame;
}

/** To the worker: the encoder has read one more of its pictures. */
export type SlotFreed = 'freed';
