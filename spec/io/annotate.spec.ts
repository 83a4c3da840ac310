import assert from 'node:assert/strict';
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadImage } from '@napi-rs/canvas';
import { annotateVideo } from '../../src/annotate/annotate-video.js';
import { drawAnswer } from '../../src/cli/draw-answer.js';
import { openVideoWriter } from '../../src/decode/index.js';
import { openPictureReader } from '../../src/decode/picture-reader.js';
import type { Answer } from '../../src/questions/football/index.js';
import { type GeneratedClip, generateClip } from '../../src/tools/demo/index.js';

describe('drawing an answer over its clip', () => {
  let folder: string;
  let clip: GeneratedClip;
  let answer: Answer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-annotate-'));
    clip = await generateClip({ seed: 2, seconds: 0.8, width: 320, height: 180, gop: 10, cacheFolder: folder });
    const { width, height, frames } = clip.truth;
    answer = {
      width,
      height,
      counts: { measured: frames.length, tracked: 0, interpolated: 0, held: 0 },
      frames: frames.map(({ frame_number, keypoints, objects }) => ({
        index: frame_number,
        source: 'measured',
        keyPoints: keypoints,
        objects: objects.map(({ id, class_id, bbox }) => ({
          id,
          classId: class_id,
          boxXyxyPx: bbox,
          score: 1,
          source: 'measured',
        })),
      })),
    };
  });
  after(() => rm(folder, { recursive: true }));

  const pictures = async (path: string) => {
    const reader = await openPictureReader(path);
    const found: Uint8ClampedArray[] = [];
    while (await reader.next()) found.push((await reader.rgba({ width: 320, height: 180 })).rgba);
    const { width, height, framesPerSecond } = reader;
    await reader.close();
    return { found, width, height, framesPerSecond };
  };

  it('writes a video of the same size, rate and length, with drawn boxes', async () => {
    const outPath = join(folder, 'drawn.mp4');
    const seen: number[] = [];
    await annotateVideo({ clipPath: clip.path, answer, outPath, onProgress: (done) => seen.push(done) });
    const [before, after] = [await pictures(clip.path), await pictures(outPath)];
    assert.deepEqual([after.width, after.height, after.framesPerSecond], [320, 180, { num: 25, den: 1 }]);
    assert.equal(after.found.length, 20);
    assert.equal(seen.at(-1), 20);
    const yellow = (picture: Uint8ClampedArray | undefined): number => {
      let count = 0;
      for (let i = 0; picture && i < picture.length; i += 4) {
        const [r = 0, g = 0, b = 0] = picture.subarray(i, i + 3);
        if (r > 170 && g > 150 && b < 130 && r - b > 80) count++;
      }
      return count;
    };
    assert.ok(yellow(after.found[10]) > 100 + 3 * yellow(before.found[10]), `${yellow(after.found[10])}`);
  });

  it('draws a contact sheet, or one picture', async () => {
    const [sheet, one] = [join(folder, 'sheet.png'), join(folder, 'one.png')];
    await drawAnswer(clip.path, answer, sheet);
    await drawAnswer(clip.path, answer, one, 1);
    const sizes = await Promise.all([sheet, one].map(async (path) => loadImage(path)));
    assert.deepEqual(
      sizes.map(({ width, height }) => [width, height]),
      [
        [640, 540],
        [320, 180],
      ],
    );
  });

  it('stops when it is told to, in the middle of decoding and coding', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (done: number): void => {
      if (done === 5) controller.abort(reason);
    };
    const outPath = join(folder, 'stopped.mp4');
    await assert.rejects(
      annotateVideo({ clipPath: clip.path, answer, outPath, onProgress, signal: controller.signal }),
      reason,
    );
  });

  it('keeps no file open, whether it ends well or is stopped', async function () {
    if (process.platform !== 'linux') return this.skip(); // open files are counted in /proc
    const outPath = join(folder, 'counted.mp4');
    await annotateVideo({ clipPath: clip.path, answer, outPath });
    const signal = AbortSignal.abort();
    await assert.rejects(annotateVideo({ clipPath: clip.path, answer, outPath, signal }), { name: 'AbortError' });
    const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
    assert.deepEqual(
      (await Promise.all(links)).filter((target) => target.startsWith(folder)),
      [],
    );
  });

  it('closes a reader only when its running call is over, and then refuses calls', async () => {
    const reader = await openPictureReader(clip.path);
    let over = false;
    const call = reader.next().then((more) => {
      over = true;
      return more;
    });
    await reader.close();
    assert.equal(over, true);
    assert.equal(await call, true);
    await assert.rejects(reader.next(), { code: 'ERR_RELEASED' });
  });

  it('aborts a writer only when its running call is over, and then refuses calls', async () => {
    const [width, height] = [1920, 1080]; // large, so that scaling outlasts the closing of a file
    const writer = await openVideoWriter({
      path: join(folder, 'aborted.mp4'),
      container: 'mp4',
      codec: 'h264',
      width,
      height,
      framesPerSecond: { num: 25, den: 1 },
      gop: 5,
      bFrames: 0,
      moov: 'end',
      bitrateBps: 1e6,
    });
    let over = false;
    const call = writer.write(new Uint8Array(width * height * 4)).then(() => {
      over = true;
    });
    await writer.abort();
    assert.equal(over, true);
    await call;
    await assert.rejects(writer.write(new Uint8Array(width * height * 4)), { code: 'ERR_RELEASED' });
  });

  it('refuses another kind of drawing, a clip that is none, and a folder that is not there', async () => {
    await assert.rejects(drawAnswer(clip.path, answer, join(folder, 'x.gif')), { code: 'ERR_OPTION' });
    const text = join(folder, 'text.mp4');
    await writeFile(text, 'this is no video\n'.repeat(100));
    await assert.rejects(drawAnswer(text, answer, join(folder, 'x.png')), { code: 'ERR_DECODE' });
    await writeFile(join(folder, 'file'), '');
    await assert.rejects(drawAnswer(clip.path, answer, join(folder, 'file', 'x.mp4')));
    assert.ok(!(await readdir(folder)).includes('x.png'));
  });
});
