export {
  chooseModel,
  chooseRoleModel,
  type ImageSize,
  type ModelChoice,
  type ModelRole,
  shippedModels,
  userModel,
} from './catalogue.js';
export type {
  BoxXyxyPx,
  ClassId,
  ClassName,
  ClassThresholds,
  Detection,
  KeyPoint,
  ModelInput,
  ModelPicture,
  ModelRunner,
  PictureFinding,
} from './contract.js';
export { type ModelDescription, parseDescription, provides, readDescription, type Thresholds } from './description.js';
export type { PrecisionFigures } from './evaluation/average-precision.js';
export { type DatasetOptions, type LabelledImage, readDataset } from './evaluation/dataset.js';
export { type Evaluation, type EvaluationOptions, evaluate, forEvaluation } from './evaluation/evaluate.js';
export type { FitPitch, KeyPointFigures, PointPx } from './evaluation/key-points.js';
export { classNames } from './layouts/index.js';
export { type GraphFacts, readGraph } from './onnx/graph.js';
export { letterboxGrey, type PictureFormat, type PictureRect, pictureRect, type SourceSize } from './picture-space.js';
export { childEnvironment, childFlags } from './runtime/child-environment.js';
export { type DeviceChoice, type DeviceReport, reportLine } from './runtime/devices.js';
export { type ModelRunnerOptions, openModelRunner, type ProcessModelRunner } from './runtime/model-runner.js';
export { type ModelFile, type ModelSet, type ModelSetOptions, openModelSet } from './runtime/model-set.js';
export type { ModelNotice } from './runtime/session-pair.js';
