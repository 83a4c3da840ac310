import type { ClassId, Detection, KeyPoint, ModelInput, PictureFinding } from '../contract.js';
import type { DecodeSpec } from '../layouts/index.js';
import type { PictureFormat } from '../picture-space.js';

/** Execution providers by the names that ONNX Runtime's Node binding takes. */
export type Device = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu' | 'coreml' | 'dml';

/** How the session is built and what it must fit; plain data for the control message. */
export interface LoadMessage {
  readonly type: 'load';
  readonly file: string;
  /** Tried in this order until one loads and warms up. */
  readonly devices: readonly Device[];
  readonly input: InputSpec;
  readonly decode: DecodeSpec;
  /** Largest batch wanted; the ready message says what was granted. */
  readonly batchSize: number;
  /** On CPU one run may take this long, in ms. */
  readonly runCapMs: number;
  /** The batch size is decided (a replacement): warm it up, do not choose again. */
  readonly keepBatch: boolean;
  readonly session: SessionSettings;
}

/** F22: what of the runtime is configurable. */
export interface SessionSettings {
  /** Threads of one operator; 0 = the runtime's choice. */
  readonly threads: number;
  /** Idle threads spin for work: faster on an idle machine, dearer on a shared one. Default false. */
  readonly spinning: boolean;
  readonly graphOptimization: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
  /** Keep freed memory for the next run: faster, and the process stays at its peak. */
  readonly memoryArena: boolean;
  /** Bytes that CUDA's arena may take; undefined: all there are. */
  readonly gpuMemoryBytes: number | undefined;
  /** Half precision where a device gains by it. */
  readonly fp16: boolean;
  /** Where TensorRT keeps what it has compiled; undefined: nowhere. */
  readonly engineCacheDir: string | undefined;
}

/** How the file wants its pictures; see the description. */
export interface InputSpec {
  readonly name: string | undefined;
  readonly width: number;
  readonly height: number;
  readonly layout: 'nhwc' | 'nchw';
  readonly dtype: 'uint8' | 'float32' | 'float16';
  readonly colours: 'rgb' | 'bgr';
  readonly normalise: {
    readonly divisor: number;
    readonly mean: readonly [number, number, number];
    readonly std: readonly [number, number, number];
  };
  readonly sizesName: string | undefined;
  readonly fit: ModelInput['fit'];
  /** How the pictures arrive; what is not as the file wants it is made so inside the graph. */
  readonly picture: PictureFormat;
}

/** The pictures lie one after another from `offset` in the shared file. */
export interface RunMessage {
  readonly type: 'run';
  readonly id: number;
  readonly offset: number;
  /** width, height of each original picture. */
  readonly sourceSizes: readonly (readonly [number, number])[];
}

export type ToChild = LoadMessage | RunMessage;

/** Names the device of the next attempt, so that the parent knows where a process died. */
export interface TryingMessage {
  readonly type: 'trying';
  readonly device: Device;
}

export interface PassedOver {
  readonly device: Device;
  readonly reason: string;
}

export interface ReadyMessage {
  readonly type: 'ready';
  readonly device: Device;
  /** The file that was loaded. */
  readonly file: string;
  readonly half: boolean;
  readonly passedOver: readonly PassedOver[];
  /** What was asked for and could not be had. */
  readonly notes: readonly string[];
  readonly maxBatch: number;
  /** [batch size, ms] of each warmed size, rising. */
  readonly warmMs: readonly (readonly [number, number])[];
  /** Runs always take the next warmed size: other sizes cost a compilation (accelerators) or do not exist (fixed batch). */
  readonly padded: boolean;
}

export interface FailedMessage {
  readonly type: 'failed';
  readonly code: 'ERR_MODEL_LOAD' | 'ERR_MODEL_SHAPE';
  readonly message: string;
}

export interface ResultMessage {
  readonly type: 'result';
  readonly id: number;
  /** Reading, inference and decoding, in ms of the child's clock. */
  readonly ms: number;
  readonly rssBytes: number;
  /** See `packFindings`. */
  readonly findings: Float32Array;
}

export interface ErrorMessage {
  readonly type: 'error';
  readonly id: number;
  readonly message: string;
}

export type FromChild = TryingMessage | ReadyMessage | FailedMessage | ResultMessage | ErrorMessage;

const detectionFloats = 9;
const keyPointFloats = 3;

/**
 * One float32 list for a batch: per picture `detections, keyPoints`, then per detection `class score x1 y1 x2 y2 gk
 * player referee` (roles -1 where unknown), then per key point `x y score`.
 */
export function packFindings(findings: readonly PictureFinding[]): Float32Array {
  const packed: number[] = [];
  for (const { detections, keyPoints } of findings) {
    packed.push(detections.length, keyPoints.length);
    for (const { classId, score, boxXyxyPx, roleScores = [-1, -1, -1] } of detections) {
      packed.push(classId, score, ...boxXyxyPx, ...roleScores);
    }
    for (const { xPx, yPx, score } of keyPoints) packed.push(xPx, yPx, score);
  }
  return Float32Array.from(packed);
}

export function unpackFindings(packed: Float32Array): PictureFinding[] {
  const findings: PictureFinding[] = [];
  let at = 0;
  const take = (count: number) => {
    at += count;
    return packed.subarray(at - count, at);
  };
  while (at < packed.length) {
    const [detectionCount = 0, keyPointCount = 0] = take(2);
    const detections = Array.from({ length: detectionCount }, () => toDetection(take(detectionFloats)));
    const keyPoints = Array.from({ length: keyPointCount }, () => toKeyPoint(take(keyPointFloats)));
    findings.push({ detections, keyPoints });
  }
  return findings;
}

const classes: readonly ClassId[] = [0, 1, 2, 3];

function toDetection([
  classId = 0,
  score = 0,
  x1 = 0,
  y1 = 0,
  x2 = 0,
  y2 = 0,
  gk = -1,
  player = -1,
  referee = -1,
]: Float32Array): Detection {
  return {
    classId: classes[classId] ?? 0,
    score,
    boxXyxyPx: [x1, y1, x2, y2],
    ...(gk >= 0 ? { roleScores: [gk, player, referee] } : {}),
  };
}

function toKeyPoint([xPx = 0, yPx = 0, score = 0]: Float32Array): KeyPoint {
  return { xPx, yPx, score };
}
