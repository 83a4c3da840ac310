import assert from 'node:assert/strict';
import { openClip } from '../../src/container/index.js';
import {
  choosePacketDecoder,
  chooseStreamDecoder,
  createFramePool,
  type DecoderChoice,
  type StreamDecoderOptions,
} from '../../src/decode/index.js';
import { loadLibav, openCodec } from '../../src/decode/libav.js';
import { matroskaFrame, matroskaHeader } from '../../src/decode/matroska-writer.js';
import type { ClipLimits } from '../../src/limits/index.js';
import { collect, input } from '../support/decoding.js';
import { flatClip, flatH264 } from '../support/flat-h264.js';
import { makeClip } from '../support/make-clip.js';
import { memorySource } from '../support/memory-source.js';
import { syntheticIndex } from '../support/synthetic-index.js';

const decoders: readonly DecoderChoice['decoder'][] = ['libav', 'ffmpeg'];
/** The largest square that libav decodes at all: 395 MB a picture. */
const HUGE = 16_224;

const poolOf = () => createFramePool({ slots: 4, bytesPerSlot: input.width * input.height * 3 });

/** Frames of an indexed clip that come out, and the code of what ends them. */
async function decodeIndexed(file: Uint8Array, decoder: DecoderChoice['decoder'], limits: Partial<ClipLimits> = {}) {
  const clip = await openClip(memorySource(file, { chunkBytes: 1 << 18 }));
  assert.ok(clip.kind === 'indexed');
  const { index, reader } = clip;
  const pool = poolOf();
  const opened = await choosePacketDecoder({ decoder }, { index, input, pool, limits });
  const keep = Array.from({ length: index.frameCount }, (_, frame) => frame);
  const visit = { firstSample: 0, lastSample: index.sampleCount - 1, keep, skip: 'none' } as const;
  let frames = 0;
  let code: unknown;
  let found: unknown;
  try {
    for await (const frame of opened.decoder.run(visit, reader.samples(visit))) {
      frames++;
      frame.release();
    }
  } catch (error) {
    ({ code, found } = { code: codeOf(error), found: foundIn(error) });
  }
  await opened.decoder.close();
  clip.close();
  assert.equal(pool.inUse, 0);
  return { frames, code, found };
}

async function decodeStream(
  bytes: Uint8Array,
  options: Pick<StreamDecoderOptions, 'limits'> & { decoder: DecoderChoice['decoder']; format: 'matroska' | 'mpegts' },
) {
  const { decoder, format, limits = {} } = options;
  const pool = poolOf();
  const source = { chunks: memorySource(bytes).read({ start: 0 }), format };
  const frames: number[] = [];
  try {
    const opened = await chooseStreamDecoder({ decoder }, { source, input, pool, limits });
    try {
      for await (const frame of opened.decoder.frames()) {
        frames.push(frame.index);
        frame.release();
      }
    } finally {
      await opened.decoder.close();
    }
  } catch (error) {
    return { frames, code: codeOf(error), found: foundIn(error) };
  } finally {
    assert.equal(pool.inUse, 0);
  }
  return { frames };
}

const propertyOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
const codeOf = (error: unknown) => propertyOf(error, 'code');
const foundIn = (error: unknown) => propertyOf(propertyOf(error, 'details'), 'found');

/** The pictures of a size in a stream that says they are of another. */
function matroskaOf(sizes: readonly number[]): Uint8Array {
  const header = matroskaHeader({
    ...syntheticIndex({ samples: 1, sizeBytes: 1 }),
    codec: 'h264',
    width: 640,
    height: 360,
    extradata: flatH264(sizes[0] ?? 16, sizes[0] ?? 16).avcC,
  });
  const frames = sizes.map((size, n) => matroskaFrame(flatH264(size, size).sample(n), 40 * n, true));
  return Buffer.concat([header ?? Buffer.alloc(0), ...frames]);
}

describe('decoding within limits', function () {
  this.timeout(120_000);
  for (const decoder of decoders)
    describe(decoder, () => {
      it('decodes pictures up to the limit, whatever the index says of them', async () => {
        const file = flatClip({ frames: 5, codedWidth: 320, codedHeight: 160, width: 64, height: 32 });
        assert.equal((await decodeIndexed(file, decoder, { maxPixels: 320 * 160 })).frames, 5);
        const { frames, code, found } = await decodeIndexed(file, decoder, { maxPixels: 320 * 160 - 1 });
        assert.deepEqual({ frames, code, found }, { frames: 0, code: 'ERR_LIMIT', found: 320 * 160 });
      });

      it('refuses a huge picture behind a small sample description', async () => {
        const file = flatClip({ frames: 3, codedWidth: HUGE, codedHeight: HUGE, width: 640, height: 360 });
        const { frames, code, found } = await decodeIndexed(file, decoder);
        assert.deepEqual({ frames, code }, { frames: 0, code: 'ERR_LIMIT' });
        // ffmpeg counts the margins that it decodes into.
        assert.ok(Number(found) >= HUGE * HUGE);
      });

      it('refuses what the index itself says is too large before the decoder opens', async () => {
        const file = flatClip({ frames: 1 });
        await assert.rejects(decodeIndexed(file, decoder, { maxPixels: 64 * 48 - 1 }), { code: 'ERR_LIMIT' });
      });

      it('refuses a huge picture in a stream that says it is small', async () => {
        const { frames, code, found } = await decodeStream(matroskaOf([HUGE]), { decoder, format: 'matroska' });
        assert.deepEqual({ frames, code }, { frames: [], code: 'ERR_LIMIT' });
        assert.ok(Number(found) >= HUGE * HUGE);
      });

      it('ends a stream at its last frame within the limit', async () => {
        const bytes = await makeClip({ format: 'mpegts', frames: 60 });
        const all = await decodeStream(bytes, { decoder, format: 'mpegts', limits: { maxFrames: 60 } });
        assert.deepEqual([all.frames.length, all.code], [60, undefined]);
        const cut = await decodeStream(bytes, { decoder, format: 'mpegts', limits: { maxFrames: 40 } });
        assert.deepEqual([cut.frames.length, cut.code, cut.found], [40, 'ERR_LIMIT', 41]);
      });

      it('ends a stream at its last frame within the seconds', async () => {
        const bytes = await makeClip({ format: 'mpegts', frames: 60 });
        const cut = await decodeStream(bytes, { decoder, format: 'mpegts', limits: { maxSeconds: 1 } });
        // Frame 25 is shown after a second.
        assert.deepEqual([cut.frames.length, cut.code], [26, 'ERR_LIMIT']);
      });
    });

  it('has no picture made by libav that it would have to refuse', async () => {
    const size = 1024;
    const { avcC, sample } = flatH264(size, size);
    const lib = await loadLibav();
    const made = async (maxPixels: number) => {
      const clip = { codec: 'h264', width: 64, height: 48, extradata: avcC, reorder: 0 };
      const { context } = await openCodec(lib, clip, { threads: 2, maxPixels });
      const packet = new lib.Packet();
      const frame = new lib.Frame();
      packet.alloc();
      frame.alloc();
      packet.data = sample(0);
      await context.sendPacket(packet);
      await context.sendPacket(null);
      let pictures = 0;
      for (let tries = 0; tries < 10; tries++) if ((await context.receiveFrame(frame)) >= 0) pictures++;
      frame.free();
      packet.free();
      context.freeContext();
      return pictures;
    };
    assert.equal(await made(size * size), 1);
    assert.equal(await made(size * size - 1), 0);
  });

  it('refuses a stream that says it is longer, before it reads it', async () => {
    const bytes = await makeClip({ format: 'matroska', frames: 60 });
    const options = { decoder: 'libav', format: 'matroska' } as const;
    assert.equal((await decodeStream(bytes, { ...options, limits: { maxSeconds: 2.5 } })).frames.length, 60);
    const { frames, code } = await decodeStream(bytes, { ...options, limits: { maxSeconds: 2 } });
    assert.deepEqual([frames.length, code], [0, 'ERR_LIMIT']);
  });

  it('refuses a coded frame of a stream that is too large', async () => {
    const options = { decoder: 'libav', format: 'matroska' } as const;
    const bytes = matroskaOf([64, 64, 640]);
    const sizes = [64, 640].map((size) => flatH264(size, size).sample(0).length);
    const at = await decodeStream(bytes, { ...options, limits: { maxSampleBytes: sizes[1] ?? 0 } });
    assert.equal(at.code, undefined);
    const { code, found } = await decodeStream(bytes, { ...options, limits: { maxSampleBytes: sizes[0] ?? 0 } });
    assert.deepEqual([code, found], ['ERR_LIMIT', sizes[1]]);
  });

  it('finds the video of a transport stream whose tables come late, from its first frame on', async () => {
    const clip = await makeClip({ format: 'mpegts', frames: 50 });
    const nothing = Buffer.alloc(188 * 200, 0xff);
    for (let at = 0; at < nothing.length; at += 188) nothing.writeUInt32BE(0x471fff10, at);
    const chunks = memorySource(Buffer.concat([nothing, clip])).read({ start: 0 });
    const pool = poolOf();
    const source = { chunks, format: 'mpegts' } as const;
    const { decoder } = await chooseStreamDecoder({ decoder: 'libav' }, { source, input, pool, minStartBytes: 4096 });
    assert.equal((await collect(decoder.frames())).length, 50);
    await decoder.close();
  });
});
