export type { CodedSample, SampleIndex, Visit } from './sample-index.js';
