import { FIXED_STRIDE } from '../plan/index.js';
import type { Measurements } from './schema.js';
import type { Settings } from './settings.js';

type Batch = NonNullable<Measurements['models']>['batches'][number];
export type Decoder = Measurements['decoders'][number];

/** The first pass over a clip, the coarse answer that everything later refines: what it takes of each stage. Undefined = not measured. */
export interface FirstPass {
  /** Keyframes of an indexed clip, every `stride`-th frame of another. */
  readonly pictures: number | undefined;
  readonly bytes: number | undefined;
  readonly decodeMs: number | undefined;
  readonly inferMs: number | undefined;
}

export function firstPass(measured: Measurements, settings: Settings): FirstPass {
  const { container, server } = measured;
  const pictures = picturesOf(measured, settings);
  const decoder = usedDecoder(measured, settings);
  const batch = usedBatch(measured, settings);
  const decodeMs =
    container?.kind === 'indexed'
      ? times(pictures, decoder?.keyframeMs)
      : times(container?.frames, decoder?.framesPerSecond && 1000 / decoder.framesPerSecond);
  return {
    pictures,
    bytes: isSparse(measured, settings)
      ? (container?.keyframeBytes ?? 0) + (container?.bytesNeeded ?? 0)
      : server?.sizeBytes,
    decodeMs,
    inferMs: times(pictures, batch && 1000 / batch.framesPerSecond),
  };
}

/** Whether only the bytes that the plan wants are read: that takes ranges, an index, and leave to do so. */
export function isSparse({ container, server }: Measurements, { downloadFirst }: Settings): boolean {
  return container?.kind === 'indexed' && server?.acceptsRanges === true && !downloadFirst;
}

/** The decoder that the configuration takes (`auto`: libav where it loads). */
export function usedDecoder({ decoders }: Measurements, { decoder }: Settings): Decoder | undefined {
  const named = (name: Decoder['name']) =>
    decoders.find((one) => one.name === name && one.framesPerSecond !== undefined);
  if (decoder !== 'auto') return named(decoder);
  return named('libav') ?? named('ffmpeg');
}

/** The batch of the configuration, or the largest that was measured below it. */
export function usedBatch({ models }: Measurements, { batchSize }: Settings): Batch | undefined {
  const fitting = models?.batches.filter(({ size }) => size <= batchSize) ?? [];
  return fitting.reduce<Batch | undefined>((best, one) => (best && best.size >= one.size ? best : one), undefined);
}

function picturesOf({ container }: Measurements, { stride }: Settings): number | undefined {
  if (container?.kind === 'indexed') return container.keyframes;
  return container?.frames === undefined ? undefined : Math.ceil(container.frames / (stride ?? FIXED_STRIDE));
}

const times = (count: number | undefined, eachMs: number | undefined): number | undefined =>
  count === undefined || eachMs === undefined ? undefined : count * eachMs;
