import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TikitakaError } from '../../operators/index.js';
import { chooseStreamDecoder, createFramePool, type DecoderChoice, type Frame } from '../../src/decode/index.js';
import { checkFrame, collect, input, openStream } from '../support/decoding.js';
import { type ClipOptions, makeClip } from '../support/make-clip.js';

const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);

const fragmented = 'frag_keyframe+empty_moov+default_base_moof';
const deepPyramid = { 'x264-params': 'keyint=25:min-keyint=25:scenecut=0:bframes=7:b-pyramid=normal:b-adapt=0' };
const clips: readonly (readonly [why: string, options: ClipOptions])[] = [
  ['Matroska, H.264', { format: 'matroska' }],
  ['WebM, VP9', { format: 'webm', encoder: 'libvpx-vp9' }],
  ['MPEG-TS, H.264', { format: 'mpegts' }],
  ['MPEG-TS, H.264 with 7 B-frames in a pyramid', { format: 'mpegts', codecOptions: deepPyramid }],
  ['MPEG-TS, HEVC', { format: 'mpegts', encoder: 'libx265' }],
  ['fragmented MP4, H.264', { movflags: fragmented }],
  ['fragmented MP4, a fragment per frame', { movflags: 'frag_every_frame+empty_moov' }],
  ['fragmented MP4, AV1', { movflags: fragmented, encoder: 'libsvtav1' }],
];

for (const decoder of ['libav', 'ffmpeg'] satisfies DecoderChoice['decoder'][]) {
  describe(`stream decoder (${decoder})`, () => {
    for (const [why, options] of clips)
      it(`numbers and times every frame of ${why} rightly`, async () => {
        const opened = await openStream(await makeClip(options), { decoder });
        assert.deepEqual([opened.decoder.width, opened.decoder.height], [96, 64]);
        const times: number[] = [];
        const seen: number[] = [];
        for await (const frame of opened.decoder.frames()) {
          times.push(frame.ptsUs);
          seen.push(checkFrame(frame));
        }
        assert.deepEqual(seen, range(0, 50));
        assert.deepEqual(
          times,
          range(0, 50).map((n) => n * 40_000),
        );
        assert.equal(opened.decoder.frameCount, 50);
        assert.deepEqual(opened.decoder.problems, { failedSamples: 0, damagedFrames: 0, missingFrames: 0 });
        await opened.close();
      });

    it('hands out the wanted frames only, asking for each in order', async () => {
      const asked: number[] = [];
      const opened = await openStream(await makeClip({ format: 'mpegts' }), {
        decoder,
        keep: (frame) => {
          asked.push(frame);
          return frame % 7 === 0;
        },
      });
      assert.deepEqual(await collect(opened.decoder.frames()), range(0, 50, 7));
      assert.deepEqual(asked, range(0, 50));
      await opened.close();
    });

    it('reads and decodes nothing more while no slot is free', async () => {
      const bytes = await makeClip({ format: 'mpegts', frames: 600, width: 192, height: 128 });
      const opened = await openStream(bytes, { decoder, slots: 2, source: { chunkBytes: 4096 } });
      const frames = opened.decoder.frames()[Symbol.asyncIterator]();
      const held: Frame[] = [(await frames.next()).value, (await frames.next()).value];
      const third = frames.next();
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      const { bytesRead } = opened.source;
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(opened.source.bytesRead, bytesRead);
      for (const frame of held) checkFrame(frame);
      assert.equal(checkFrame((await third).value), 2);
      await frames.return?.();
      await opened.close();
    });

    it('keeps the source’s error beside, after the frames before it', async () => {
      const bytes = await makeClip({ format: 'mpegts', frames: 200 });
      const gone = new TikitakaError('ERR_SOURCE_CONNECT', 'gone');
      const opened = await openStream(bytes, {
        decoder,
        source: {
          chunkBytes: 1000,
          gate: (_, position) => {
            if (position > bytes.length / 2) throw gone;
          },
        },
      }).catch((error: unknown) => error);
      // A child that is given all at once may have failed before its first picture was asked for; then opening tells.
      if (opened === gone) return;
      assert.ok(opened && typeof opened === 'object' && 'decoder' in opened);
      const stream = opened as Awaited<ReturnType<typeof openStream>>;
      const seen: number[] = [];
      await assert.rejects(
        async () => {
          for await (const frame of stream.decoder.frames()) {
            seen.push(frame.index);
            frame.release();
          }
        },
        (error) => error === gone,
      );
      assert.ok(seen.length > 50 && seen.length < 120, String(seen.length));
      await stream.close();
    });

    it('gives up opening a source that stalls when its signal fires', async () => {
      const controller = new AbortController();
      const bytes = await makeClip({ format: 'mpegts' });
      const opening = openStream(bytes, {
        decoder,
        signal: controller.signal,
        source: {
          chunkBytes: 376,
          gate: (_, position) => {
            if (position < 752) return;
            setImmediate(() => controller.abort());
            return new Promise(() => undefined);
          },
        },
      });
      await assert.rejects(opening, { code: 'ERR_ABORTED' });
    });

    it('ends a pull that waits for a stalled source when its signal fires', async () => {
      const bytes = await makeClip({ format: 'mpegts', frames: 600, width: 192, height: 128 });
      let stall: () => void = () => undefined;
      const stalled = new Promise<void>((resolve) => {
        stall = resolve;
      });
      const opened = await openStream(bytes, {
        decoder,
        source: {
          chunkBytes: 1000,
          gate: (_, position) => {
            if (position < bytes.length / 2) return;
            stall();
            return new Promise(() => undefined);
          },
        },
      });
      const controller = new AbortController();
      void stalled.then(() => controller.abort());
      await assert.rejects(
        async () => {
          for await (const frame of opened.decoder.frames(controller.signal)) frame.release();
        },
        { code: 'ERR_ABORTED' },
      );
      await opened.decoder.close();
      assert.equal(opened.pool.inUse, 0);
    });

    it('survives damage in the middle', async () => {
      const bytes = Uint8Array.from(await makeClip({ format: 'mpegts', frames: 100 }));
      bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 3000);
      const opened = await openStream(bytes, { decoder });
      let count = 0;
      for await (const frame of opened.decoder.frames()) {
        count++;
        frame.release();
      }
      assert.ok(count > 80 && count <= 100, String(count));
      await opened.close();
    });

    it('calls a stream without a picture ERR_DECODE or ERR_NOT_VIDEO', async () => {
      const rubbish = Buffer.alloc(188 * 2000, 0x11);
      for (let at = 0; at < rubbish.length; at += 188) rubbish[at] = 0x47;
      await assert.rejects(openStream(rubbish, { decoder }), ({ code }) =>
        ['ERR_DECODE', 'ERR_NOT_VIDEO'].includes(code),
      );
    });

    it('opens a URL by itself, moov at the end included', async () => {
      const bytes = Buffer.from(await makeClip());
      const server = createServer((request, response) => {
        const [, start = '0', end = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
        const from = Number(start);
        const to = end ? Number(end) + 1 : bytes.length;
        response.writeHead(request.headers.range ? 206 : 200, {
          'accept-ranges': 'bytes',
          'content-length': to - from,
          'content-range': `bytes ${from}-${to - 1}/${bytes.length}`,
        });
        response.end(bytes.subarray(from, to));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const pool = createFramePool({ slots: 2, bytesPerSlot: input.width * input.height * 3 });
      const { decoder: stream } = await chooseStreamDecoder(
        { decoder },
        { source: { url: `http://127.0.0.1:${port}/clip.mp4` }, input, pool },
      );
      assert.deepEqual(await collect(stream.frames()), range(0, 50));
      await stream.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      assert.equal(pool.inUse, 0);
    });
  });
}
