export type { Answer, AnswerFrame, AnswerObject, Finding, Provenance } from './answer.js';
export {
  type AnswerEncoder,
  type AnswerEncoderOptions,
  type AnswerFields,
  createAnswerEncoder,
} from './encode-answer.js';
export { createFrameWriter } from './frame-json.js';
export { createScene, type Scene, type SceneClip, type SceneOptions } from './scene.js';
export { describeFinding, kitColours, pictureSignature, type SampledPicture } from './signature.js';
