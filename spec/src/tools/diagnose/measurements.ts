import type { Diagnosis } from '../../../../src/tools/diagnose/index.js';
import type { Measurements } from '../../../../src/tools/diagnose/schema.js';
import type { Settings } from '../../../../src/tools/diagnose/settings.js';
import { concludeFrom } from '../../../../src/tools/diagnose/verdict.js';

export const figures = (medianMs: number, runs = 3) => ({ medianMs, p95Ms: medianMs * 1.1, runs });
export const origin = 'https://cdn.example.com';

export const settings: Settings = {
  budgetMs: 2000,
  stride: undefined,
  pooled: true,
  prewarmOrigins: [],
  keepAliveS: 30,
  downloadFirst: false,
  decoder: 'auto',
  decodeThreads: 2,
  batchSize: 32,
  widths: [960, 768, 576],
  cores: 2,
  dropUnscored: false,
};

type Part<K extends keyof Measurements> = NonNullable<Measurements[K]>;

export const connection: Part<'connection'> = {
  dns: { cold: figures(8, 1), warm: figures(1, 2) },
  tcp: { cold: figures(62) },
  tls: { cold: figures(2280) },
  firstByte: { cold: figures(66), warm: figures(64, 9) },
};
export const server: Part<'server'> = {
  httpVersion: '2',
  tlsVersion: 'TLSv1.3',
  alpn: 'h2',
  acceptsRanges: true,
  redirects: 0,
  sizeBytes: 15_000_000,
  keepAlive: { idleS: 20, closed: false },
};
/** One transfer of 4 MB at so many bytes per second, cold and warm. */
export const transfersAt = (bytesPerSecond: number): Part<'transfers'> => {
  const took = figures((4e6 / bytesPerSecond) * 1000);
  const rates = { coldBytesPerSecond: bytesPerSecond, warmBytesPerSecond: bytesPerSecond };
  return [{ bytes: 4_000_000, cold: took, warm: took, ...rates }];
};
export const container: Part<'container'> = {
  kind: 'indexed',
  format: 'mp4',
  codec: 'h264',
  width: 1920,
  height: 1080,
  frames: 750,
  durationMs: 30_000,
  keyframes: 15,
  keyframeBytes: 2_800_000,
  moov: 'start',
  indexBytes: 8000,
  bytesNeeded: 8100,
  firstFrameBytes: 280_000,
  requests: 1,
  warm: figures(70),
};
export const libav: Part<'decoders'>[number] = {
  name: 'libav',
  decodes: 'libav h264',
  loadMs: 20,
  firstFrame: { cold: figures(60, 1), warm: figures(40) },
  firstFrameBytes: 273_000,
  keyframeMs: 30,
  frames: 120,
  framesPerSecond: 150,
};
export const ffmpeg: Part<'decoders'>[number] = {
  ...libav,
  name: 'ffmpeg',
  decodes: 'ffmpeg N-47683-g0e8eb07980-static h264',
  keyframeMs: 110,
  framesPerSecond: 120,
};
/** One batch size at so many frames per second. */
export const modelsAt = (framesPerSecond: number, width = 768): Part<'models'> => ({
  loadMs: 1700,
  device: 'cpu',
  names: [`tikitaka-${width}x448`],
  input: { width, height: 448 },
  maxBatch: 1,
  passedOver: [],
  batches: [{ size: 1, firstMs: 60, steady: figures(1000 / framesPerSecond), framesPerSecond }],
});
export const answer: Part<'answer'> = {
  frames: 750,
  scene: { cold: figures(200, 1), warm: figures(60, 1) },
  encode: { cold: figures(50, 1), warm: figures(6, 1) },
  jsonBytes: 900_000,
  gzipBytes: 27_000,
};

/** The situation (docs/measurements.md "The situation") on a machine of two cores, with what a case changes of it. */
export function measurements(changes: Partial<Measurements> = {}): Measurements {
  return {
    version: 1,
    target: `${origin}/clip.mp4`,
    at: '2026-11-21T12:00:00.000Z',
    runs: 3,
    machine: { cpu: 'AMD EPYC', cores: 2, os: 'linux 6.1.0', node: 'v20.20.2', load1m: 0.3 },
    settings: { TIME_BUDGET_S: '2' },
    connection,
    server,
    transfers: transfersAt(5e6),
    container,
    decoders: [libav, ffmpeg],
    models: modelsAt(25),
    answer,
    ...changes,
  };
}

export function diagnosisOf(changes: Partial<Measurements> = {}, set: Partial<Settings> = {}): Diagnosis {
  const measured = measurements(changes);
  return { ...measured, verdict: concludeFrom(measured, { ...settings, ...set }, origin) };
}
