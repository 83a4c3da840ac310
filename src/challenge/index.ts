export {
  type AnswerEvent,
  type AnswerOptions,
  type AnswerPorts,
  answerClip,
  type OpenedClip,
  type StoppedBy,
} from './answer.js';
export { type ClipFrames, clipFramesOf } from './clip-frames.js';
export type { ClipFacts, Eye, Question, Understanding } from './question.js';
export { type AnswerReport, isPartial, type Provenance } from './report.js';
export { createTimeline, type Timeline, toChromeTrace, waterfall } from './timeline.js';
