export type {
  Answerer,
  AnswererEvent,
  Challenge,
  ChallengeRecord,
  EncodedAnswer,
  Progress,
  RunReport,
} from './answerer.js';
export { type AppDeps, createApp, type ServerApp, type StatusState } from './app.js';
export {
  type Auth,
  type AuthOptions,
  type AuthSession,
  createAuth,
  type Member,
  type SignedAuthOptions,
} from './auth.js';
export { toPythonJson } from './canonical-json.js';
export type { ServerLog } from './challenge-route.js';
export type { DoorOptions } from './door.js';
export type { GaugeSource } from './metrics.js';
export { challengePath } from './openapi.js';
export type { RefusedReason, RefusedRequest } from './refusals.js';
export type { Readiness } from './schema.js';
export { type RunningServer, type ServeOptions, serve } from './serve.js';
export { type SignalTarget, shutdownOnSignals } from './shutdown.js';
export {
  type SignedField,
  type SigningScheme,
  type SignRequestOptions,
  signRequest,
  soccerSigning,
} from './signing.js';
