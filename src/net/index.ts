export type { ByteRange, ByteSource } from './byte-source.js';
