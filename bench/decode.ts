/**
 * `npx tsx bench/decode.ts [FILE]`: the own index and packets against libav's demuxer over the same clip, and against the
 * ffmpeg child, interleaved in one run. Prints CPU-ms and wall-ms (median, p95) for 250 frames and for the first frame.
 */
import { execFileSync } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { cpus } from 'node:os';
import type { ModelInput } from '../models/index.js';
import { makeClip } from '../spec/support/make-clip.js';
import { memorySource } from '../spec/support/memory-source.js';
import { openClip, type SampleIndex, type Visit } from '../src/container/index.js';
import {
  choosePacketDecoder,
  createFramePool,
  type DecoderChoice,
  type Frame,
  openStreamDecoder,
} from '../src/decode/index.js';

const FRAMES = 250;
const STRIDE = 5;
const ROUNDS = 5;
const input: ModelInput = { width: 640, height: 360, fit: 'stretch', filter: 'area' };

interface Taken {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly firstMs: number;
  readonly frames: number;
}

async function measure(open: () => Promise<{ frames: AsyncIterable<Frame>; close(): Promise<void> }>): Promise<Taken> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const { frames, close } = await open();
  let count = 0;
  let firstMs = 0;
  for await (const frame of frames) {
    if (count++ === 0) firstMs = performance.now() - startMs;
    frame.release();
  }
  await close();
  const used = process.cpuUsage(cpu);
  return { cpuMs: (used.user + used.system) / 1000, wallMs: performance.now() - startMs, firstMs, frames: count };
}

const pool = createFramePool({ slots: 16, bytesPerSlot: input.width * input.height * 3 });

const packets =
  (bytes: Uint8Array, decoder: DecoderChoice['decoder'], visitOf: (index: SampleIndex) => Visit[]) => () =>
    measure(async () => {
      const clip = await openClip(memorySource(bytes, { chunkBytes: 65536 }));
      if (clip.kind !== 'indexed') throw new RangeError('the clip has no index');
      const { index, reader } = clip;
      const chosen = await choosePacketDecoder({ decoder }, { index, input, pool });
      async function* frames() {
        for (const visit of visitOf(index)) yield* chosen.decoder.run(visit, reader.samples(visit));
      }
      const close = async () => {
        clip.close();
        await chosen.decoder.close();
      };
      return { frames: frames(), close };
    });

const demuxed = (bytes: Uint8Array) => () =>
  measure(async () => {
    const chunks = memorySource(bytes, { chunkBytes: 65536 }).read({ start: 0 });
    const source = { chunks, format: 'mp4' as const };
    const decoder = await openStreamDecoder({ source, input, pool, keep: (frame) => frame % STRIDE === 0 });
    async function* frames() {
      for await (const frame of decoder.frames()) {
        yield frame;
        if (frame.index >= FRAMES - STRIDE) return;
      }
    }
    return { frames: frames(), close: decoder.close };
  });

const everyFifth = (index: SampleIndex): Visit[] => {
  const keep = Array.from({ length: Math.ceil(Math.min(FRAMES, index.frameCount) / STRIDE) }, (_, i) => i * STRIDE);
  return [{ firstSample: 0, lastSample: Math.min(FRAMES + 10, index.sampleCount) - 1, keep, skip: 'none' }];
};
const keyframes = (index: SampleIndex): Visit[] =>
  [...index.sync.keys()]
    .filter((sample) => index.sync[sample] && sample < FRAMES)
    .map((sample) => ({
      firstSample: sample,
      lastSample: sample,
      keep: [index.frameNumber[sample] ?? 0],
      skip: 'nokey',
    }));

const [file] = process.argv.slice(2);
const bytes = file
  ? new Uint8Array(await (await openAsBlob(file)).arrayBuffer())
  : await makeClip({ frames: 300, width: 1920, height: 1080, gop: 50, movflags: 'faststart' });

const contenders = {
  'own index': packets(bytes, 'libav', everyFifth),
  'libav demuxer': demuxed(bytes),
  'ffmpeg child': packets(bytes, 'ffmpeg', everyFifth),
  'keyframes only': packets(bytes, 'libav', keyframes),
};
const taken = new Map<string, Taken[]>();
for (let round = 0; round <= ROUNDS; round++)
  for (const [name, run] of Object.entries(contenders)) {
    const result = await run();
    // The first round loads the libraries and is not counted.
    if (round > 0) taken.set(name, [...(taken.get(name) ?? []), result]);
  }

const quantile = (values: readonly number[], q: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? 0;
const revision = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
console.log(
  `${cpus()[0]?.model ?? ''} × ${cpus().length}, Node ${process.version}, ${revision}; ${file ?? 'own clip, 1080p'}`,
);
console.log('CPU of this process only: the ffmpeg child’s own is not in it; first frame from open, library loaded');
for (const [name, all] of taken) {
  const of = (pick: (one: Taken) => number) =>
    [0.5, 0.95].map((q) => quantile(all.map(pick), q).toFixed(0).padStart(5)).join(' /');
  console.log(
    `${name.padEnd(15)} ${String(all[0]?.frames).padStart(4)} frames  CPU ms ${of((t) => t.cpuMs)}  wall ms ${of((t) => t.wallMs)}  first ms ${of((t) => t.firstMs)}`,
  );
}
const median = (name: string) =>
  quantile(
    (taken.get(name) ?? []).map(({ cpuMs }) => cpuMs),
    0.5,
  );
console.log(`own index / libav demuxer, CPU: ${(median('own index') / median('libav demuxer')).toFixed(2)}`);
