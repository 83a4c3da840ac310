export {
  type ClipCodec,
  type ClipContainer,
  type FrameRate,
  openVideoWriter,
  type PlanarPicture,
  type VideoWriter,
  type VideoWriterOptions,
} from './clip-writer.js';
export type {
  DecodeProblems,
  PacketDecoder,
  PacketDecoderOptions,
  RunOptions,
  StreamDecoder,
  StreamDecoderOptions,
} from './decoder.js';
export { type FfmpegBinary, type FindFfmpegOptions, findFfmpeg } from './ffmpeg.js';
export type { Frame } from './frame.js';
export { createFramePool, type FrameFacts, type FramePool, type FramePoolOptions, type Slot } from './frame-pool.js';
export {
  type Chosen,
  choosePacketDecoder,
  chooseStreamDecoder,
  type DecoderChoice,
  loadDecoder,
  nvdecFault,
  warmUpDecoder,
} from './open-decoder.js';
export { openPacketDecoder } from './packet-decoder.js';
export { openPictureReader, type PictureReader, type RgbaPicture } from './picture-reader.js';
export { openStreamDecoder } from './stream-decoder.js';
