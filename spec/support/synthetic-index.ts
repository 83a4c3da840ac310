import type { SampleIndex, Visit } from '../../src/container/index.js';

export interface SyntheticOptions {
  readonly samples: number;
  readonly sizeBytes: number;
  /** Bytes between two samples, default 0. */
  readonly gapBytes?: number;
  readonly gop?: number;
  readonly start?: number;
}

/** An index without B-frames over bytes that need not be video. */
export function syntheticIndex({
  samples,
  sizeBytes,
  gapBytes = 0,
  gop = 10,
  start = 0,
}: SyntheticOptions): SampleIndex {
  const rows = Array.from({ length: samples }, (_, i) => i);
  return {
    codec: 'vp9',
    width: 64,
    height: 48,
    sampleCount: samples,
    frameCount: samples,
    durationUs: samples * 40000,
    extradata: new Uint8Array(0),
    offset: Float64Array.from(rows, (i) => start + i * (sizeBytes + gapBytes)),
    sizeBytes: new Uint32Array(samples).fill(sizeBytes),
    dtsUs: Float64Array.from(rows, (i) => i * 40000),
    ptsUs: Float64Array.from(rows, (i) => i * 40000),
    sync: Uint8Array.from(rows, (i) => (i % gop === 0 ? 1 : 0)),
    disposable: new Uint8Array(samples),
    frameNumber: Int32Array.from(rows),
    framePtsUs: Float64Array.from(rows, (i) => i * 40000),
    moov: { start: 0, end: start, atEnd: false },
  };
}

export const visitOf = (firstSample: number, lastSample: number, options: Partial<Visit> = {}): Visit => ({
  firstSample,
  lastSample,
  keep: [firstSample],
  skip: 'none',
  ...options,
});

/** Bytes that tell their own offset: each aligned 4 bytes hold it. */
export function offsetBytes(length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(at, at);
  return bytes;
}
