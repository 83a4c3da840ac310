export type { ByteRange, ByteSource } from './byte-source.js';
export type { Resolve, ResolvedAddress, SetUpTimes } from './dial.js';
export { downloadToFile, openFileSource } from './file-source.js';
export { type HttpSourceOptions, openHttpSource } from './http-source.js';
export { limitBytes } from './limit-bytes.js';
export { createLinkPolicy, type LinkPolicy, type LinkPolicyOptions } from './link-policy.js';
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
