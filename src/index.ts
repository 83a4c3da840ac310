export { OptionError, TikitakaError } from '../operators/index.js';
export { type Config, type ConfigKey, loadConfig, presets } from './app/config.js';
export { type AnswerRequest, createEngine, type Engine, type EngineEvent, type FinishedAnswer } from './app/engine.js';
export { createLogger, type Logger } from './app/log.js';
export {
  type AnswerEvent,
  type AnswerOptions,
  type AnswerPorts,
  answerClip,
  type ClipFacts,
  type ClipFrames,
  type Eye,
  type OpenedClip,
  type Question,
  type StoppedBy,
  type Understanding,
} from './challenge/index.js';
export { createTimeline, type Timeline, toChromeTrace, waterfall } from './challenge/timeline.js';
export { type Clip, openClip, type SampleIndex, type SampleReader, type Visit } from './container/index.js';
export { createFramePool, type Frame, type FramePool, openPacketDecoder, type PacketDecoder } from './decode/index.js';
export { type ClipLimits, defaultClipLimits } from './limits/index.js';
export { type ByteSource, createLinkPolicy, createPool, openByteSource, type Pool } from './net/index.js';
export {
  type Answer,
  type AnswerFrame,
  createAnswerEncoder,
  createScene,
  type Finding,
  footballQuestion,
  type Scene,
} from './questions/football/index.js';
export { type GenerateClipOptions, type GeneratedClip, generateClip } from './tools/demo/generate.js';
