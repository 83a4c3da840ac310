import assert from 'node:assert/strict';
import { openClip } from '../../src/container/index.js';
import { createFramePool, openStreamDecoder } from '../../src/decode/index.js';
import { input, openIndexed, visitAll } from '../support/decoding.js';
import { makeClip, readBoard } from '../support/make-clip.js';
import { memorySource } from '../support/memory-source.js';

interface Shown {
  readonly board: number;
  readonly ptsUs: number;
}

/** What libav's own demuxer and decoder show of the file: the independent count. */
async function shownByLibav(bytes: Uint8Array): Promise<Shown[]> {
  const pool = createFramePool({ slots: 2, bytesPerSlot: input.width * input.height * 3 });
  const chunks = memorySource(bytes).read({ start: 0 });
  const decoder = await openStreamDecoder({ source: { chunks, format: 'mp4' }, input, pool });
  const shown: Shown[] = [];
  for await (const frame of decoder.frames()) {
    shown.push({ board: readBoard(frame.pixels, input.width, input.height), ptsUs: frame.ptsUs });
    frame.release();
  }
  await decoder.close();
  return shown;
}

async function shownByIndex(bytes: Uint8Array): Promise<Shown[]> {
  const opened = await openIndexed(bytes);
  const visit = visitAll(opened.clip);
  const shown: Shown[] = [];
  for await (const frame of opened.decoder.run(visit, opened.clip.reader.samples(visit))) {
    shown[frame.index] = { board: readBoard(frame.pixels, input.width, input.height), ptsUs: frame.ptsUs };
    frame.release();
  }
  assert.equal(shown.length, opened.clip.index.frameCount);
  await opened.close();
  return shown;
}

/** Rewrites the one entry of the file's edit list. */
function withEdit(bytes: Uint8Array, change: (edit: { duration: number; mediaTime: number }) => void): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = copy.indexOf('elst') + 12;
  const edit = { duration: copy.readUInt32BE(at), mediaTime: copy.readInt32BE(at + 4) };
  change(edit);
  copy.writeUInt32BE(edit.duration, at);
  copy.writeInt32BE(edit.mediaTime, at + 4);
  return copy;
}

describe('the index of an MP4', () => {
  const faststart = () => makeClip({ movflags: 'faststart' });
  const cases: readonly (readonly [why: string, bytes: () => Promise<Uint8Array>, frames: number])[] = [
    ['as encoded', faststart, 50],
    ['at 30000/1001 frames a second', () => makeClip({ movflags: 'faststart', fps: 29.97 }), 50],
    [
      'with a start inside the clip',
      async () =>
        withEdit(await faststart(), (edit) => {
          edit.mediaTime += 5 * 512;
        }),
      45,
    ],
    [
      'with an end inside the clip',
      async () =>
        withEdit(await faststart(), (edit) => {
          edit.duration = 1000;
        }),
      25,
    ],
    [
      'with an end within a frame',
      async () =>
        withEdit(await faststart(), (edit) => {
          edit.duration = 1001;
        }),
      26,
    ],
    [
      'without the delay of its B-frames',
      async () =>
        withEdit(await faststart(), (edit) => {
          edit.mediaTime = 0;
        }),
      49,
    ],
  ];
  for (const [why, bytes, frames] of cases)
    it(`counts and times the same frames as libav: ${why}`, async () => {
      const file = await bytes();
      const ours = await shownByIndex(file);
      assert.deepEqual(ours, await shownByLibav(file));
      assert.equal(ours.length, frames);
    });

  it('learns from the samples what nothing refers to, as sdtp would tell', async () => {
    const opened = await openIndexed(await makeClip({ bFrames: 2 }));
    const { index, reader } = opened.clip;
    const visit = visitAll(opened.clip);
    for await (const _ of reader.samples(visit)) await Promise.resolve();
    const disposable = [...index.disposable.keys()].filter((sample) => index.disposable[sample]);
    // Two of three frames are B-frames that nothing refers to, but for the tail of each GOP.
    assert.equal(disposable.length, 32);
    for (const sample of disposable) assert.ok((index.ptsUs[sample] ?? 0) < (index.ptsUs[sample - 1] ?? 0) + 40_001);
    await opened.close();
  });

  it('opens every chunking of the bytes alike', async () => {
    const bytes = await faststart();
    for (const chunkBytes of [1, 7, 100, 100_000]) {
      const clip = await openClip(memorySource(bytes, { chunkBytes }));
      assert.ok(clip.kind === 'indexed');
      assert.equal(clip.index.frameCount, 50);
      clip.close();
    }
  });
});
