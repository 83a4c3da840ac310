import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { ModelInput } from '../../models/index.js';
import { type Clip, openClip, type Visit } from '../../src/container/index.js';
import {
  choosePacketDecoder,
  chooseStreamDecoder,
  createFramePool,
  type DecoderChoice,
  type Frame,
  type FramePool,
  type PacketDecoder,
  type StreamDecoder,
} from '../../src/decode/index.js';
import { readBoard } from './make-clip.js';
import { type MemorySource, type MemorySourceOptions, memorySource } from './memory-source.js';

/** Not the shape of the clips, so that a mistaken side shows. */
export const input: ModelInput = { width: 80, height: 48, fit: 'stretch', filter: 'area' };

export interface OpenedIndexed {
  readonly clip: Extract<Clip, { kind: 'indexed' }>;
  readonly source: MemorySource;
  readonly pool: FramePool;
  readonly decoder: PacketDecoder;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly decoder?: DecoderChoice['decoder'];
  readonly slots?: number;
  readonly source?: MemorySourceOptions;
  readonly input?: ModelInput;
}

/** ffmpeg children of this process that still run, where /proc tells. */
const ffmpegChildren = (): string[] => {
  const list = `/proc/${process.pid}/task/${process.pid}/children`;
  if (!existsSync(list)) return [];
  const names = readFileSync(list, 'utf8')
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map((pid) => {
      const stat = `/proc/${pid}/stat`;
      return existsSync(stat) ? readFileSync(stat, 'utf8') : '';
    });
  return names.filter((stat) => / \(ffmpeg\) [^Z]/.test(stat));
};

const poolFor = ({ width, height }: ModelInput, slots: number) =>
  createFramePool({ slots, bytesPerSlot: width * height * 3 });

export async function openIndexed(bytes: Uint8Array, options: OpenOptions = {}): Promise<OpenedIndexed> {
  const { input: modelInput = input } = options;
  const source = memorySource(bytes, options.source);
  const clip = await openClip(source);
  assert.ok(clip.kind === 'indexed');
  const pool = poolFor(modelInput, options.slots ?? 4);
  const choice = { decoder: options.decoder ?? 'libav' };
  const { decoder } = await choosePacketDecoder(choice, { index: clip.index, input: modelInput, pool });
  return {
    clip,
    source,
    pool,
    decoder,
    async close() {
      clip.close();
      await decoder.close();
      assert.equal(pool.inUse, 0, 'every frame came back');
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(source.open, 0, 'no read is left open');
      assert.deepEqual(ffmpegChildren(), []);
    },
  };
}

export interface OpenedStream {
  readonly source: MemorySource;
  readonly pool: FramePool;
  readonly decoder: StreamDecoder;
  close(): Promise<void>;
}

export interface StreamOptions extends OpenOptions {
  readonly keep?: (frame: number) => boolean;
  readonly signal?: AbortSignal;
}

export async function openStream(bytes: Uint8Array, options: StreamOptions = {}): Promise<OpenedStream> {
  const { input: modelInput = input, keep, signal } = options;
  const source = memorySource(bytes, options.source);
  const clip = await openClip(source);
  assert.ok(clip.kind === 'stream');
  const pool = poolFor(modelInput, options.slots ?? 4);
  const leave = new AbortController();
  const { decoder } = await chooseStreamDecoder(
    { decoder: options.decoder ?? 'libav' },
    {
      source: { chunks: clip.chunks(leave.signal), format: clip.format },
      input: modelInput,
      pool,
      ...(keep ? { keep } : {}),
      ...(signal ? { signal } : {}),
    },
  );
  return {
    source,
    pool,
    decoder,
    async close() {
      leave.abort();
      clip.close();
      await decoder.close();
      assert.equal(pool.inUse, 0, 'every frame came back');
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(source.open, 0, 'no read is left open');
      assert.deepEqual(ffmpegChildren(), []);
    },
  };
}

/** Reads and releases a frame; its number must be the one that it shows. */
export function checkFrame(frame: Frame, { width, height }: ModelInput = input): number {
  try {
    assert.equal(readBoard(frame.pixels, width, height), frame.index);
    return frame.index;
  } finally {
    frame.release();
  }
}

export async function collect(frames: AsyncIterable<Frame>): Promise<number[]> {
  const seen: number[] = [];
  for await (const frame of frames) seen.push(checkFrame(frame));
  return seen;
}

export const visitAll = ({ index }: OpenedIndexed['clip'], options: Partial<Visit> = {}): Visit => ({
  firstSample: 0,
  lastSample: index.sampleCount - 1,
  keep: Array.from({ length: index.frameCount }, (_, i) => i),
  skip: 'none',
  ...options,
});
