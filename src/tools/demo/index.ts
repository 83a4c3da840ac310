export { drawLettering, letteringWidth } from './block-letters.js';
export {
  type ClipCodec,
  type ClipContainer,
  type FrameRate,
  openVideoWriter,
  type PlanarPicture,
  type VideoWriter,
  type VideoWriterOptions,
} from './encode.js';
export { type GenerateClipOptions, type GeneratedClip, generateClip } from './generate.js';
export { type GroundPoint, PITCH_LINES } from './pitch-markings.js';
export type { Truth, TruthFrame, TruthObject } from './truth.js';
