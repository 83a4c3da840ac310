export type { Answer, AnswerFrame, AnswerObject, Finding } from './answer.js';
export { type BoxQuality, type Comparison, compareWithTruth } from './compare.js';
export {
  type AnswerEncoder,
  type AnswerEncoderOptions,
  type AnswerFields,
  createAnswerEncoder,
} from './encode-answer.js';
export { createFrameWriter } from './frame-json.js';
export { findMismatches } from './mismatch.js';
export { partialWarning } from './partial-warning.js';
export { PITCH_LENGTH_M, PITCH_POINTS, PITCH_WIDTH_M } from './pitch.js';
export { type GroundPoint, PITCH_MARKINGS } from './pitch-markings.js';
export { type PitchProjection, projectPitch } from './pitch-projection.js';
export { previewFrame } from './preview.js';
export { type FootballOptions, footballQuestion } from './question.js';
export { NOISE_SCORE } from './sample.js';
export { createScene, type Scene, type SceneOptions } from './scene.js';
export { estimateScore, hasFairBoxes, type ScoreEstimate, type ScoreOptions, totalScore } from './score.js';
export { describeFinding, kitColours, pictureSignature, type SampledPicture } from './signature.js';
export {
  type ClipTruth,
  parseAnswer,
  parseTruth,
  type TruthFrame,
  type WireAnswer,
  type WireFrame,
  type WireObject,
} from './wire.js';
