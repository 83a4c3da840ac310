import assert from 'node:assert/strict';
import type { Visit } from '../../src/container/index.js';
import type { DecoderChoice, Frame } from '../../src/decode/index.js';
import { checkFrame, collect, input, openIndexed, visitAll } from '../support/decoding.js';
import { type ClipOptions, makeClip } from '../support/make-clip.js';

const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);

const pyramid = { 'x264-params': 'keyint=25:min-keyint=25:scenecut=0:bframes=3:b-pyramid=normal:b-adapt=0' };
const clips: readonly (readonly [why: string, options: ClipOptions])[] = [
  ['H.264 with B-frames', {}],
  ['H.264 without B-frames', { bFrames: 0 }],
  ['H.264 with a pyramid of B-frames', { codecOptions: pyramid }],
  ['H.264 with one keyframe only', { gop: 1000 }],
  ['H.264, index at the head', { movflags: 'faststart' }],
  ['H.264 in MOV', { format: 'mov' }],
  ['HEVC', { encoder: 'libx265' }],
  ['VP9', { encoder: 'libvpx-vp9' }],
  ['AV1', { encoder: 'libsvtav1' }],
  ['MPEG-4 part 2', { encoder: 'mpeg4' }],
];

for (const decoder of ['libav', 'ffmpeg'] satisfies DecoderChoice['decoder'][]) {
  describe(`packet decoder (${decoder})`, () => {
    for (const [why, options] of clips)
      it(`numbers every frame of ${why} rightly`, async () => {
        const opened = await openIndexed(await makeClip(options), { decoder });
        const { clip, decoder: packets } = opened;
        const visit = visitAll(clip);
        assert.deepEqual(await collect(packets.run(visit, clip.reader.samples(visit))), range(0, 50));
        assert.deepEqual(packets.problems, { failedSamples: 0, damagedFrames: 0, missingFrames: 0 });
        await opened.close();
      });

    it('decodes visits in any order, any frames of them, and the same again', async () => {
      const opened = await openIndexed(await makeClip({ frames: 100, codecOptions: pyramid }), { decoder });
      const { clip, decoder: packets } = opened;
      const visits: Visit[] = [
        { firstSample: 75, lastSample: 75, keep: [75], skip: 'nokey' },
        { firstSample: 0, lastSample: 24, keep: [0, 7, 24], skip: 'none' },
        { firstSample: 50, lastSample: 99, keep: [50, 51, 74, 75, 99], skip: 'none' },
        { firstSample: 25, lastSample: 49, keep: [33], skip: 'none' },
        { firstSample: 25, lastSample: 49, keep: [33], skip: 'bidir' },
      ];
      for (const visit of visits)
        assert.deepEqual(await collect(packets.run(visit, clip.reader.samples(visit))), visit.keep);
      assert.equal(packets.problems.missingFrames, 0);
      await opened.close();
    });

    it('goes on right behind a visit, in the middle of a GOP', async () => {
      const opened = await openIndexed(await makeClip({ gop: 1000, codecOptions: pyramid }), { decoder });
      const { clip, decoder: packets } = opened;
      const seen: number[] = [];
      for (const [first, last] of [
        [0, 0],
        [1, 9],
        [10, 30],
        [31, 49],
      ] as const) {
        const keep = range(first, last + 1).map((sample) => clip.index.frameNumber[sample] ?? -1);
        const visit: Visit = { firstSample: first, lastSample: last, keep, skip: 'none' };
        const samples = clip.reader.samples(visit);
        seen.push(...(await collect(packets.run(visit, samples, { continues: last < 49 }))));
      }
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        range(0, 50),
      );
      assert.equal(packets.problems.missingFrames, 0);
      await opened.close();
    });

    it('brings out what it held back before it jumps elsewhere', async () => {
      const opened = await openIndexed(await makeClip({ frames: 100 }), { decoder });
      const { clip, decoder: packets } = opened;
      const first: Visit = { firstSample: 0, lastSample: 24, keep: range(0, 25), skip: 'none' };
      const then: Visit = { firstSample: 75, lastSample: 75, keep: [75], skip: 'none' };
      const seen = await collect(packets.run(first, clip.reader.samples(first), { continues: true }));
      seen.push(...(await collect(packets.run(then, clip.reader.samples(then)))));
      assert.deepEqual(seen, [...range(0, 25), 75]);
      await opened.close();
    });

    it('decodes nothing more while no slot is free, and goes on when one is', async () => {
      const opened = await openIndexed(await makeClip(), { decoder, slots: 2 });
      const { clip, decoder: packets, pool } = opened;
      const visit = visitAll(clip);
      const frames = packets.run(visit, clip.reader.samples(visit))[Symbol.asyncIterator]();
      const held: Frame[] = [];
      for (let i = 0; i < 2; i++) held.push((await frames.next()).value);
      let more = false;
      const third = frames.next().then((next) => {
        more = true;
        return next;
      });
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(more, false);
      for (const frame of held) checkFrame(frame);
      assert.equal(checkFrame((await third).value), 2);
      await frames.return?.();
      assert.equal(pool.inUse, 0);
      await opened.close();
    });

    it('ends with ERR_ABORTED, everything handed back, when its signal fires', async () => {
      const opened = await openIndexed(await makeClip(), { decoder });
      const { clip, decoder: packets } = opened;
      const controller = new AbortController();
      const visit = visitAll(clip);
      const seen: number[] = [];
      await assert.rejects(
        async () => {
          for await (const frame of packets.run(visit, clip.reader.samples(visit), { signal: controller.signal })) {
            seen.push(checkFrame(frame));
            if (seen.length === 3) controller.abort();
          }
        },
        { code: 'ERR_ABORTED' },
      );
      assert.equal(seen.length, 3);
      const again: Visit = { firstSample: 25, lastSample: 25, keep: [25], skip: 'none' };
      assert.deepEqual(await collect(packets.run(again, clip.reader.samples(again))), [25], 'and can be used again');
      await opened.close();
    });

    it('may be closed in the middle of a run', async () => {
      const opened = await openIndexed(await makeClip(), { decoder });
      const { clip, decoder: packets } = opened;
      const visit = visitAll(clip);
      const frames = packets.run(visit, clip.reader.samples(visit))[Symbol.asyncIterator]();
      checkFrame((await frames.next()).value);
      await Promise.all([packets.close(), packets.close()]);
      await assert.rejects(frames.next(), { code: 'ERR_RELEASED' });
      await assert.rejects(collect(packets.run(visit, clip.reader.samples(visit))), { code: 'ERR_RELEASED' });
      await opened.close();
    });

    it('keeps what a truncated clip has, then tells', async () => {
      const bytes = await makeClip({ frames: 200, movflags: 'faststart' });
      const opened = await openIndexed(bytes.subarray(0, bytes.length * 0.7), { decoder });
      const { clip, decoder: packets } = opened;
      const visit = visitAll(clip);
      const seen: number[] = [];
      await assert.rejects(
        async () => {
          for await (const frame of packets.run(visit, clip.reader.samples(visit))) seen.push(checkFrame(frame));
        },
        { code: 'ERR_SOURCE_TRUNCATED' },
      );
      const whole = [...clip.index.offset].filter((at, i) => at + (clip.index.sizeBytes[i] ?? 0) <= bytes.length * 0.7);
      assert.ok(seen.length >= whole.length - 3 && seen.length <= whole.length, `${seen.length} of ${whole.length}`);
      assert.deepEqual(seen.slice(0, 100), range(0, 100));
      await opened.close();
    });

    it('survives damaged samples and counts them', async () => {
      const bytes = Uint8Array.from(await makeClip({ frames: 100, movflags: 'faststart', bFrames: 0 }));
      const probe = await openIndexed(bytes);
      const { offset, sizeBytes } = probe.clip.index;
      await probe.close();
      for (const sample of [30, 31, 60]) {
        const start = offset[sample] ?? 0;
        bytes.fill(0xff, start, start + (sizeBytes[sample] ?? 0));
      }
      const opened = await openIndexed(bytes, { decoder });
      const { clip, decoder: packets } = opened;
      const visit = visitAll(clip);
      const seen: number[] = [];
      for await (const frame of packets.run(visit, clip.reader.samples(visit))) {
        seen.push(frame.index);
        frame.release();
      }
      assert.deepEqual(
        seen,
        range(0, 100).filter((frame) => ![30, 31, 60].includes(frame)),
      );
      const { failedSamples, missingFrames, firstError } = packets.problems;
      assert.equal(missingFrames, 3);
      assert.ok(failedSamples >= 3 && firstError, JSON.stringify(packets.problems));
      await opened.close();
    });

    it('letterboxes as the model asks', async () => {
      const square = { ...input, width: 64, height: 64, fit: 'letterbox' as const };
      const opened = await openIndexed(await makeClip(), { decoder, input: square });
      const { clip, decoder: packets } = opened;
      const visit = visitAll(clip, { keep: [21] });
      for await (const frame of packets.run(visit, clip.reader.samples(visit))) {
        assert.deepEqual(
          [frame.sourceWidth, frame.sourceHeight, frame.ptsUs, frame.keyframe],
          [96, 64, 840_000, false],
        );
        const rows = range(0, 64).map((y) => frame.pixels[(y * 64 + 5) * 3]);
        // 96 × 64 in a square of 64: 43 rows from row 10 on. Frame 21 = bits 0, 2, 4: the left column is white, white, black, black.
        assert.deepEqual([...new Set([...rows.slice(0, 10), ...rows.slice(53)])], [114]);
        assert.deepEqual(
          [15, 26, 37, 48].map((y) => (rows[y] ?? 0) > 128),
          [true, true, false, false],
        );
        frame.release();
      }
      await opened.close();
    });
  });
}

describe('packet decoders', () => {
  it('give the same pixels within rounding, whichever decodes', async () => {
    for (const filter of ['point', 'fast-bilinear', 'bilinear', 'bicubic', 'area'] as const)
      for (const fit of ['stretch', 'letterbox'] as const) {
        const pictures: Uint8Array[] = [];
        for (const decoder of ['libav', 'ffmpeg'] as const) {
          const opened = await openIndexed(await makeClip(), { decoder, input: { ...input, fit, filter } });
          const { clip, decoder: packets } = opened;
          const visit = visitAll(clip, { keep: [13] });
          for await (const frame of packets.run(visit, clip.reader.samples(visit))) {
            pictures.push(frame.pixels.slice());
            frame.release();
          }
          await opened.close();
        }
        const [a, b] = pictures;
        assert.ok(a && b && a.length === b.length);
        const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? 0))), 0);
        assert.ok(worst <= 4, `${filter} ${fit}: differs by ${worst}`);
      }
  });

  it('read only what they decode: samples that nothing refers to are neither decoded nor, once known, fetched', async () => {
    const opened = await openIndexed(await makeClip({ movflags: 'faststart' }));
    const { clip, decoder: packets } = opened;
    assert.equal(clip.index.disposable.includes(1), false, 'the file has no sdtp');
    const visit = visitAll(clip, { keep: [0, 49] });
    await collect(packets.run(visit, clip.reader.samples(visit)));
    const again: number[] = [];
    for await (const { sample } of clip.reader.samples(visit)) again.push(sample);
    assert.ok(again.length < 20, String(again.length));
    await opened.close();
  });

  it('refuse a pool of another picture size, and a second run beside the first', async () => {
    const opened = await openIndexed(await makeClip());
    const { clip, decoder: packets } = opened;
    const visit = visitAll(clip);
    const frames = packets.run(visit, clip.reader.samples(visit))[Symbol.asyncIterator]();
    checkFrame((await frames.next()).value);
    await assert.rejects(collect(packets.run(visit, clip.reader.samples(visit))), { code: 'ERR_OPTION' });
    await frames.return?.();
    await opened.close();
    await assert.rejects(openIndexed(await makeClip(), { input: { ...input, width: 0 } }), { code: 'ERR_OPTION' });
  });
});
