import type { SampleIndex } from '../../../src/container/index.js';
import type { Speeds } from '../../../src/plan/index.js';

export interface ClipShape {
  readonly frames: number;
  /** Frames from keyframe to keyframe; a list gives the keyframes themselves. */
  readonly gop: number | readonly number[];
  /** Disposable frames between two reference frames, in presentation order. Default 0. */
  readonly bFrames?: number;
  /** Whether the index says which frames are disposable (sdtp) or leaves that to the NAL headers. Default true. */
  readonly knowsDisposable?: boolean;
  /** Default 14.19 MB for 750 frames, as the clip of docs/measurements.md "The situation". */
  readonly totalBytes?: number;
  /** Shown from … ms on, by frame. Default 40 ms apart. */
  readonly ptsMs?: (frame: number) => number;
}

/** The index of a clip that nobody has to encode: I (B B) P (B B) P …, keyframes 8, reference frames 2 times as large as disposable ones. */
export function clipOf({
  frames,
  gop,
  bFrames = 0,
  knowsDisposable = true,
  totalBytes = 18_920 * frames,
  ptsMs = (frame) => frame * 40,
}: ClipShape): SampleIndex {
  const keys = typeof gop === 'number' ? Array.from({ length: Math.ceil(frames / gop) }, (_, i) => i * gop) : gop;
  const rows: { frame: number; kind: 'key' | 'reference' | 'disposable' }[] = [];
  for (const [i, key] of keys.entries()) {
    const end = keys[i + 1] ?? frames;
    rows.push({ frame: key, kind: 'key' });
    for (let from = key + 1; from < end; from += bFrames + 1) {
      const reference = Math.min(from + bFrames, end - 1);
      rows.push({ frame: reference, kind: 'reference' });
      for (let frame = from; frame < reference; frame++) rows.push({ frame, kind: 'disposable' });
    }
  }
  const weights = rows.map(({ kind }) => ({ key: 8, reference: 2, disposable: 1 })[kind]);
  const unit = totalBytes / weights.reduce((sum, weight) => sum + weight, 0);
  const sizeBytes = Uint32Array.from(weights, (weight) => Math.round(weight * unit));
  const offset = new Float64Array(rows.length);
  for (let row = 1; row < rows.length; row++) offset[row] = (offset[row - 1] ?? 0) + (sizeBytes[row - 1] ?? 0);
  return {
    codec: 'h264',
    width: 1920,
    height: 1080,
    sampleCount: frames,
    frameCount: frames,
    durationUs: ptsMs(frames) * 1000,
    extradata: new Uint8Array(0),
    offset,
    sizeBytes,
    dtsUs: Float64Array.from(rows, (_, row) => row * 40_000),
    ptsUs: Float64Array.from(rows, ({ frame }) => ptsMs(frame) * 1000),
    sync: Uint8Array.from(rows, ({ kind }) => (kind === 'key' ? 1 : 0)),
    disposable: Uint8Array.from(rows, ({ kind }) => (knowsDisposable && kind === 'disposable' ? 1 : 0)),
    frameNumber: Int32Array.from(rows, ({ frame }) => frame),
    framePtsUs: Float64Array.from({ length: frames }, (_, frame) => ptsMs(frame) * 1000),
    moov: { start: 0, end: 0, atEnd: false },
  };
}

/** Two CPU cores and the link of docs/measurements.md "The situation". */
export const usualSpeeds: Speeds = {
  bytesPerMs: 5000,
  rttMs: 60,
  keyMs: 12,
  referenceMs: 6,
  lateMs: 3,
  scaleMs: 2.2,
  inferMs: 15,
};

/** The kinds of clip that every planner must cope with (issue 3). */
export const clips: Readonly<Record<string, SampleIndex>> = {
  'GOP 50 with 2 B-frames, 750 frames': clipOf({ frames: 750, gop: 50, bFrames: 2 }),
  'GOP 250 with 3 B-frames, 750 frames': clipOf({ frames: 750, gop: 250, bFrames: 3, knowsDisposable: false }),
  'one keyframe only': clipOf({ frames: 750, gop: 750 }),
  'keyframes only': clipOf({ frames: 750, gop: 1, totalBytes: 60e6 }),
  'a cut every second': clipOf({ frames: 750, gop: 25, bFrames: 2 }),
  'irregular keyframes': clipOf({ frames: 600, gop: [0, 7, 8, 120, 121, 400, 590], bFrames: 2 }),
  '3 frames': clipOf({ frames: 3, gop: 250, bFrames: 2 }),
  'a still picture': clipOf({ frames: 1, gop: 1 }),
  'variable frame rate': clipOf({ frames: 500, gop: 60, bFrames: 1, ptsMs: (frame) => frame * 20 + (frame % 7) * 11 }),
  'two minutes': clipOf({ frames: 3000, gop: 50, bFrames: 2 }),
};
