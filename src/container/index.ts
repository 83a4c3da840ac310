export { type Clip, HEAD_BYTES, type OpenClipOptions, openClip, type StreamFormat } from './open-clip.js';
export { orderByTime } from './presentation-order.js';
export type { CodedSample, SampleIndex, Visit } from './sample-index.js';
export { type SampleReader, visitSamples } from './sample-reader.js';
