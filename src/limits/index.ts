export {
  type ClipLimits,
  checkPixels,
  defaultClipLimits,
  limitError,
  limitSettings,
  withDefaults,
} from './clip-limits.js';
export { createSlices, type Slices, type SlicesOptions } from './slices.js';
