import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TikitakaError } from '../../operators/index.js';
import { openClip } from '../../src/container/index.js';
import { createFramePool, openPacketDecoder, openStreamDecoder } from '../../src/decode/index.js';
import { input } from '../support/decoding.js';
import { type ClipOptions, makeClip } from '../support/make-clip.js';
import { memorySource } from '../support/memory-source.js';

const clips: readonly ClipOptions[] = [
  { frames: 20, movflags: 'faststart' },
  { frames: 20 },
  { frames: 20, encoder: 'libx265', movflags: 'faststart' },
  { frames: 20, encoder: 'libvpx-vp9', movflags: 'faststart' },
  { frames: 20, format: 'mpegts' },
  { frames: 20, format: 'matroska' },
  { frames: 20, movflags: 'frag_keyframe+empty_moov' },
];

/** Decodes what there is; the pool must be whole again and nothing but typed errors may come. */
async function decodeAll(bytes: Uint8Array): Promise<void> {
  const source = memorySource(bytes, { chunkBytes: 1500 });
  const pool = createFramePool({ slots: 3, bytesPerSlot: input.width * input.height * 3 });
  const closers: (() => unknown)[] = [];
  try {
    const clip = await openClip(source);
    closers.push(clip.close);
    if (clip.kind === 'indexed') {
      const { index, reader } = clip;
      const decoder = await openPacketDecoder({ index, input, pool });
      closers.unshift(decoder.close);
      const keep = Array.from({ length: Math.min(100, index.frameCount) }, (_, i) => i);
      const visit = { firstSample: 0, lastSample: index.sampleCount - 1, keep, skip: 'none' as const };
      for await (const frame of decoder.run(visit, reader.samples(visit))) frame.release();
    } else {
      const decoder = await openStreamDecoder({ source: { chunks: clip.chunks(), format: clip.format }, input, pool });
      closers.unshift(decoder.close);
      for await (const frame of decoder.frames()) frame.release();
    }
  } catch (error) {
    assert.ok(error instanceof TikitakaError, String(error));
  } finally {
    for (const close of closers) await close();
  }
  assert.equal(pool.inUse, 0);
}

describe('damaged files', () => {
  it('end in frames and typed errors, never in a crash, a hang or a frame that is kept', async () => {
    const files = await Promise.all(clips.map(makeClip));
    const damage = fc.record({
      file: fc.constantFrom(...files),
      // Squared, so that headers and tables get most of it.
      changes: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
        minLength: 1,
        maxLength: 12,
      }),
      keep: fc.oneof(
        { weight: 4, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
      ),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ file, changes, keep }) => {
        const bytes = Uint8Array.from(file);
        for (const [at, value] of changes) bytes[Math.floor(at * at * (bytes.length - 1))] = value;
        await decodeAll(bytes.subarray(0, Math.floor(bytes.length * keep)));
      }),
      { numRuns: 150 },
    );
  });
});
