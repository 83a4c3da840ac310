export { type Mp4Head, parseMp4Head, parseMp4Tail } from './mp4-index.js';
export { type Clip, HEAD_BYTES, type OpenClipOptions, openClip, type StreamFormat } from './open-clip.js';
export type { CodedSample, SampleIndex, Visit } from './sample-index.js';
export { type SampleReader, visitSamples } from './sample-reader.js';
