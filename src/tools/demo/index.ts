export { type GenerateClipOptions, type GeneratedClip, generateClip } from './generate.js';
export type { Truth, TruthFrame, TruthObject } from './truth.js';
