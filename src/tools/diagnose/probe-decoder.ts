import type { ModelInput } from '../../../models/index.js';
import { TikitakaError } from '../../../operators/index.js';
import type { CodedSample, Visit } from '../../container/index.js';
import {
  choosePacketDecoder,
  chooseStreamDecoder,
  createFramePool,
  type DecoderChoice,
  type Frame,
  warmUpDecoder,
} from '../../decode/index.js';
import type { ClipLimits } from '../../limits/index.js';
import type { ClipSample } from './probe-clip.js';

export interface DecoderProbeOptions {
  readonly choice: DecoderChoice;
  readonly input: ModelInput;
  /** `DECODE_THREADS`. */
  readonly threads: number;
  readonly limits: ClipLimits;
}

export type DecodeKind = 'first' | 'keyframe' | 'all';

export interface Decoded {
  /** What decoded, e.g. `libav h264`. */
  readonly name: string;
  readonly frames: number;
  /** Opening to the last frame, ms. */
  readonly ms: number;
}

/** One decoder, measured on coded frames in memory. Errors: ERR_DECODER_UNAVAILABLE, ERR_DECODE, ERR_ABORTED. */
export interface DecoderProbe {
  readonly name: 'libav' | 'ffmpeg';
  /** Loads the library, or finds the program; takes long only once. */
  load(): Promise<void>;
  /** Opens the decoder, brings out the first frame, the keyframes one by one, or all frames, and closes it. */
  decode(sample: ClipSample, kind: DecodeKind, signal: AbortSignal, onFrame?: (frame: Frame) => void): Promise<Decoded>;
}

const SLOTS = 8;
/** Keyframes that are decoded one by one. Chosen: enough for a mean. */
const KEYFRAMES = 8;

export function createDecoderProbe({ choice, input, threads, limits }: DecoderProbeOptions): DecoderProbe {
  const { decoder: name } = choice;
  if (name === 'auto') throw new TikitakaError('ERR_OPTION', 'a probe measures one decoder');
  const pool = createFramePool({ slots: SLOTS, bytesPerSlot: input.width * input.height * 3 });
  return {
    name,
    load: () => warmUpDecoder(choice),
    async decode(sample, kind, signal, onFrame = () => {}) {
      const startMs = performance.now();
      let frames = 0;
      const take = (frame: Frame) => {
        frames++;
        onFrame(frame);
        frame.release();
      };
      const common = { input, pool, threads, limits };
      if (sample.kind === 'indexed') {
        const { index } = sample;
        const { decoder } = await choosePacketDecoder(choice, { ...common, index });
        try {
          for (const visit of visitsOf(sample, kind))
            for await (const frame of decoder.run(visit, samplesOf(sample, visit), { signal })) take(frame);
          return { name: decoder.name, frames, ms: performance.now() - startMs };
        } finally {
          await decoder.close();
        }
      }
      const source = { chunks: each(sample.chunks), format: sample.format };
      const { decoder } = await chooseStreamDecoder(choice, { ...common, source, signal });
      try {
        for await (const frame of decoder.frames(signal)) {
          take(frame);
          if (kind !== 'all') break;
        }
        return { name: decoder.name, frames, ms: performance.now() - startMs };
      } finally {
        await decoder.close();
      }
    },
  };
}

function visitsOf({ index, visit }: Extract<ClipSample, { kind: 'indexed' }>, kind: DecodeKind): Visit[] {
  if (kind === 'all') return [visit];
  const keys: Visit[] = [];
  const most = kind === 'first' ? 1 : KEYFRAMES;
  for (let sample = 0; sample <= visit.lastSample && keys.length < most; sample++) {
    const frame = index.frameNumber[sample] ?? -1;
    if (index.sync[sample] && frame >= 0)
      keys.push({ firstSample: sample, lastSample: sample, keep: [frame], skip: 'nokey' });
  }
  return keys;
}

async function* samplesOf(
  { samples }: Extract<ClipSample, { kind: 'indexed' }>,
  { firstSample, lastSample }: Visit,
): AsyncGenerator<CodedSample> {
  for (const one of samples) if (one.sample >= firstSample && one.sample <= lastSample) yield one;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
