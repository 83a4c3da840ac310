import type { ModelPicture } from '../../../models/index.js';
import { TikitakaError } from '../../../operators/index.js';
import { coldWarm, figuresOf, rounded } from './figures.js';
import { type Measuring, repeat, timed } from './measuring.js';
import { type ClipProbe, type ClipSample, type ProbedClip, takeSample } from './probe-clip.js';
import type { DecoderProbe } from './probe-decoder.js';
import type { Diagnosis } from './schema.js';

/** Opens the container over the link, and brings coded frames into memory. */
export async function measureContainer(probe: ClipProbe, url: URL, measuring: Measuring): Promise<ClipSample> {
  const { measured, runs } = measuring;
  const openings: number[] = [];
  let kept: ProbedClip | undefined;
  try {
    await measuring.run('container open', () => probe.warm(url));
    await repeat(runs, async () => {
      kept?.close();
      const opened = await measuring.run('container open', (signal) => probe.open(url, signal));
      kept = opened;
      openings.push(opened.openMs);
      measured.container = describeContainer(opened, openings);
      await measuring.run('sample bytes', (signal) => opened.settle(signal));
    });
    const opened = kept;
    if (!opened) throw new TikitakaError('ERR_INTERNAL', 'no clip was opened');
    return await measuring.run('sample bytes', (signal) => takeSample(opened, signal));
  } finally {
    kept?.close();
  }
}

function describeContainer(opened: ProbedClip, openings: readonly number[]): NonNullable<Diagnosis['container']> {
  const { clip, bytesRead, requests } = opened;
  const warm = figuresOf(openings) ?? { medianMs: 0, p95Ms: 0, runs: 1 };
  if (clip.kind === 'stream') return { kind: 'stream', format: clip.format, requests, warm };
  const { index } = clip;
  const rows = [...index.sync.keys()].filter((sample) => index.sync[sample] && (index.frameNumber[sample] ?? -1) >= 0);
  const sizeOf = (sample: number) => index.sizeBytes[sample] ?? 0;
  const first = rows[0] ?? 0;
  const bytesNeeded = index.moov.atEnd ? bytesRead : index.moov.end;
  const firstFrameBytes = index.moov.atEnd
    ? bytesNeeded + sizeOf(first)
    : Math.max(index.moov.end, (index.offset[first] ?? 0) + sizeOf(first));
  return {
    kind: 'indexed',
    format: 'mp4',
    codec: index.codec,
    width: index.width,
    height: index.height,
    frames: index.frameCount,
    durationMs: rounded(index.durationUs / 1000),
    keyframes: rows.length,
    keyframeBytes: rows.reduce((sum, sample) => sum + sizeOf(sample), 0),
    moov: index.moov.atEnd ? 'end' : 'start',
    indexBytes: index.moov.end - index.moov.start,
    bytesNeeded,
    firstFrameBytes,
    requests,
    warm,
  };
}

/** Pictures kept for the models. Chosen: batches are filled with them in turn. */
const PICTURES = 4;

/**
 * Measures each decoder on the same coded frames; one that does not load here is told as such. Gives back a few pictures at
 * the size of the models, copied out of their slots.
 */
export async function measureDecoders(
  probes: readonly DecoderProbe[],
  sample: ClipSample,
  measuring: Measuring,
): Promise<readonly ModelPicture[]> {
  const { measured } = measuring;
  const pictures: ModelPicture[] = [];
  for (const probe of probes) {
    const decoder: Diagnosis['decoders'][number] = { name: probe.name };
    measured.decoders.push(decoder);
    try {
      await measureDecoder(probe, { sample, measuring, decoder, pictures });
    } catch (error) {
      if (!(error instanceof TikitakaError) || error.code !== 'ERR_DECODER_UNAVAILABLE') throw error;
      decoder.unavailable = error.message;
    }
  }
  return pictures;
}

interface DecoderRun {
  readonly sample: ClipSample;
  readonly measuring: Measuring;
  readonly decoder: Diagnosis['decoders'][number];
  readonly pictures: ModelPicture[];
}

async function measureDecoder(probe: DecoderProbe, { sample, measuring, decoder, pictures }: DecoderRun) {
  const { measured, runs } = measuring;
  decoder.loadMs = rounded(await timed(() => probe.load()));
  const firsts: number[] = [];
  await repeat(runs + 1, async () => {
    const { name, ms } = await measuring.run('first frame', (signal) => probe.decode(sample, 'first', signal));
    firsts.push(ms);
    decoder.decodes = name;
    const [cold = 0, ...warm] = firsts;
    decoder.firstFrame = coldWarm([cold], warm);
  });
  const bytes = sample.kind === 'indexed' ? sample.samples[0]?.bytes.length : undefined;
  if (bytes !== undefined) decoder.firstFrameBytes = bytes;
  if (sample.kind === 'indexed') {
    const keys = await measuring.run('full decode', (signal) => probe.decode(sample, 'keyframe', signal));
    decoder.keyframeMs = rounded(keys.ms / Math.max(1, keys.frames));
  }
  const keep = ({ pixels, sourceWidth, sourceHeight }: ModelPicture) => {
    if (pictures.length < PICTURES) pictures.push({ pixels: pixels.slice(), sourceWidth, sourceHeight });
  };
  const all = await measuring.run('full decode', (signal) => probe.decode(sample, 'all', signal, keep));
  decoder.frames = all.frames;
  decoder.framesPerSecond = rounded((all.frames * 1000) / Math.max(all.ms, 0.01));
  if (sample.kind === 'stream' && measured.container) describeStream(sample, all.frames, pictures, measuring);
}

/** What only decoding tells of a clip without an index; behind the sample its length is inferred from its bytes. */
function describeStream(
  sample: Extract<ClipSample, { kind: 'stream' }>,
  frames: number,
  [picture]: readonly ModelPicture[],
  { measured }: Measuring,
): void {
  const { container, server } = measured;
  if (!container) return;
  const whole = sample.partial ? (server?.sizeBytes ?? sample.bytes) / sample.bytes : 1;
  container.frames = Math.min(sample.maxFrames, Math.round(frames * whole));
  if (picture) Object.assign(container, { width: picture.sourceWidth, height: picture.sourceHeight });
}
