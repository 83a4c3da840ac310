export type { DecodeProblems, PacketDecoder, PacketDecoderOptions, RunOptions } from './decoder.js';
export type { Frame } from './frame.js';
export { createFramePool, type FrameFacts, type FramePool, type FramePoolOptions, type Slot } from './frame-pool.js';
export { openPacketDecoder } from './packet-decoder.js';
