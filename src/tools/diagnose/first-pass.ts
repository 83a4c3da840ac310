import { FIXED_STRIDE } from '../../plan/index.js';
import type { Measurements } from './schema.js';
import type { Settings } from './settings.js';

type Batch = NonNullable<Measurements['models']>['batches'][number];
export type Decoder = Measurements['decoders'][number];

/**
 * The first pass over a clip, the coarse answer that everything later refines: what it takes of each stage. It has one picture
 * of each group, but no more than this machine can decode and understand within the budget. Undefined = not measured.
 */
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
  const inferMs = times(pictures, batch && 1000 / batch.framesPerSecond);
  const share = Math.min(1, settings.budgetMs / Math.max(decodeMs ?? 0, inferMs ?? 0, 1));
  const bytes = isSparse(measured, settings) ? container?.keyframeBytes : server?.sizeBytes;
  const indexBytes = isSparse(measured, settings) ? (container?.bytesNeeded ?? 0) : 0;
  return {
    pictures: pictures && Math.max(1, Math.round(pictures * share)),
    bytes: bytes && indexBytes + bytes * share,
    decodeMs: times(share, decodeMs),
    inferMs: times(share, inferMs),
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
