export type { ByteRange, ByteSource } from './byte-source.js';
export {
  type Dialled,
  type DialOptions,
  type DialStep,
  dial,
  type Resolve,
  type ResolvedAddress,
  type SetUpTimes,
  systemResolve,
} from './dial.js';
export { downloadToFile, openFileSource } from './file-source.js';
export { type RangeAnswer, readRangeAnswer } from './http-answer.js';
export { type HttpSourceOptions, openHttpSource } from './http-source.js';
export { limitBytes } from './limit-bytes.js';
export { createLinkPolicy, type LinkPolicy, type LinkPolicyOptions, shown } from './link-policy.js';
export { type ByteSourceOptions, openByteSource } from './open-source.js';
export {
  createPool,
  type Lane,
  type Pool,
  type PoolOptions,
  type PoolRequest,
  type PoolResponse,
  type WarmOrigin,
} from './pool.js';
export { directLink } from './share-links.js';
export { type Reading, stallIn } from './silence.js';
export { createTransport, type Transport, type TransportResponse } from './transport.js';
export { type LinkedSignal, linkSignals, type WithinOptions, within } from './within.js';
