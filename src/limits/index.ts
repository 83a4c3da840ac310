export {
  type ClipLimits,
  checkPixels,
  checkReach,
  defaultClipLimits,
  limitError,
  limitSettings,
  withDefaults,
} from './clip-limits.js';
export { createSlices, type Slices, type SlicesOptions } from './slices.js';
