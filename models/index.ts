export type {
  BoxXyxyPx,
  ClassId,
  Detection,
  KeyPoint,
  ModelInput,
  ModelPicture,
  ModelRunner,
  PictureFinding,
} from './contract.js';
export { type ModelDescription, parseDescription, readDescription, type Thresholds } from './description.js';
export { letterboxGrey, type PictureRect, pictureRect } from './picture-space.js';
export { type DeviceChoice, type DeviceReport, reportLine } from './runtime/devices.js';
export { type ModelRunnerOptions, openModelRunner, type ProcessModelRunner } from './runtime/model-runner.js';
