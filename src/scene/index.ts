export type { Answer, AnswerFrame, AnswerObject, Finding, Provenance } from './answer.js';
