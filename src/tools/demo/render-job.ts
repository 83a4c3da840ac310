import { Camera } from './camera.js';
import { recordMatch } from './match-track.js';
import { createRenderer } from './renderer.js';
import { stage, type TruthFrame, truthOf } from './truth.js';

/** A clip to draw. */
export interface ClipJob {
  readonly seed: number;
  readonly frameCount: number;
  readonly fps: number;
  /** Size of the drawn picture. */
  readonly width: number;
  readonly height: number;
  /** Size of the coded picture, in whose pixels the truth is told. */
  readonly clipWidth: number;
  readonly clipHeight: number;
}

/** What a render worker is started with: it draws the frames `first`, `first + every`, … of the clip. */
export interface RenderJob extends ClipJob {
  readonly first: number;
  readonly every: number;
  /** `SLOTS` pictures of width × height × 4 bytes; frame k of this worker goes to slot k mod `SLOTS`. */
  readonly pictures: SharedArrayBuffer;
}

/** Pictures that a worker may be ahead of the encoder. */
export const SLOTS = 3;

/** Draws frames of a clip: RGBA, 8 bits, rows contiguous, with their truth. */
export function createFrameDrawer({ seed, frameCount, fps, width, height, clipWidth, clipHeight }: ClipJob) {
  const match = recordMatch({ seed, seconds: frameCount / fps });
  const renderer = createRenderer({ seed, match, width, height });
  return (frame: number): { readonly pixels: Uint8ClampedArray; readonly truth: TruthFrame } => {
    const moment = match.momentAt(frame / fps);
    const camera = new Camera(moment.camera, clipWidth, clipHeight);
    return { pixels: renderer.render(frame / fps), truth: truthOf(frame, stage(match.people, moment, camera), camera) };
  };
}
