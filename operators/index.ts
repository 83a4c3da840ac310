export { type AsyncProducerOptions, asyncProducer } from './async-producer.js';
export { type BoundedMapOptions, boundedMap } from './bounded-map.js';
export { type DeadlineBatchOptions, deadlineBatch } from './deadline-batch.js';
export { OptionError, TikitakaError, type TikitakaErrorOptions } from './error.js';
export { type EndedBy, hardCut } from './hard-cut.js';
export { type Producer, type PullOptions, pull } from './pull.js';
export { type RampBatchOptions, rampBatch } from './ramp-batch.js';
export { softCut } from './soft-cut.js';
export { type StrideOptions, stride } from './stride.js';
