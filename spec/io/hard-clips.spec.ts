import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { loadConfig } from '../../src/app/config.js';
import { createEngine, type Engine, type FinishedAnswer } from '../../src/app/engine.js';
import { createLogger } from '../../src/app/log.js';
import { createClipServer } from '../../src/tools/demo/clip-server.js';
import { type GenerateClipOptions, generateClip } from '../../src/tools/demo/generate.js';
import { makeClip } from '../support/make-clip.js';

interface WireFrame {
  readonly frame_number: number;
  readonly objects: readonly { readonly id: number }[];
  readonly keypoints: readonly unknown[];
}

/** Overwrites entries of the table of sample sizes: the index then lies about where samples end. */
function withSizes(mp4: Uint8Array, change: (size: number, sample: number) => number): Uint8Array {
  const bytes = Buffer.from(mp4);
  const at = bytes.indexOf('stsz') + 4;
  const count = bytes.readUInt32BE(at + 8);
  for (let sample = 0; sample < count; sample++) {
    const place = at + 12 + 4 * sample;
    bytes.writeUInt32BE(change(bytes.readUInt32BE(place), sample), place);
  }
  return bytes;
}

describe('hard clips', function () {
  this.timeout(120_000);
  let folder = '';
  let engine: Engine;
  const match = async (more: Partial<GenerateClipOptions>): Promise<Uint8Array> => {
    const options = { seed: 5, seconds: 2, width: 320, height: 180, cacheFolder: folder, ...more };
    return readFile((await generateClip(options)).path);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-hard-'));
    const overrides = { LOG_LEVEL: 'silent', TIME_BUDGET_S: '1.5', IMG_SIZE: '576', ANSWER_CACHE_S: '0' };
    const config = loadConfig({ env: {}, dotenvPaths: [], overrides });
    engine = await createEngine({ config, log: createLogger(config), allowPrivate: true });
  });
  after(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  async function answer(clip: Uint8Array): Promise<{ frames: readonly WireFrame[]; answer: FinishedAnswer }> {
    const server = await createClipServer({ files: { '/clip.mp4': clip }, protocol: 'http/1.1' });
    try {
      const last = await lastValueFrom(engine.answer({ target: `${server.url}/clip.mp4` }));
      assert.ok(last.type === 'answer');
      const { frames } = JSON.parse(Buffer.from(last.answer.body({})).toString());
      return { frames, answer: last.answer };
    } finally {
      await server.close();
    }
  }

  for (const [name, frameCount, make, problem] of [
    ['one scene with one keyframe', 250, () => match({ seconds: 10, gop: 10_000 })],
    ['another picture in every frame, a keyframe a second', 250, () => makeClip({ frames: 250, gop: 25 })],
    ['a keyframe in every frame', 50, () => match({ gop: 1, bFrames: 0 })],
    ['3 frames', 3, () => match({ seconds: 0.12 })],
    ['a still picture', 1, () => match({ seconds: 0.04 })],
    ['a variable frame rate', 60, () => makeClip({ frames: 60, pauseEvery: 3 })],
    [
      'an index that makes every fourth sample too short',
      50,
      async () => withSizes(await match({}), (size, sample) => (sample % 4 === 3 ? size >> 1 : size)),
    ],
    [
      'an index whose samples reach behind the end',
      50,
      async () => withSizes(await match({}), (size, sample) => (sample > 30 ? size * 100 : size)),
      'ERR_SOURCE_TRUNCATED',
    ],
  ] as const) {
    it(`are answered completely: ${name}`, async () => {
      const { frames, answer: finished } = await answer(await make());
      assert.deepEqual(
        frames.map((frame) => frame.frame_number),
        Array.from({ length: frameCount }, (_, i) => i),
      );
      for (const { objects, keypoints } of frames) {
        assert.equal(new Set(objects.map(({ id }) => id)).size, objects.length);
        assert.equal(keypoints.length, 32);
      }
      const { report } = finished;
      assert.ok(report.frames.measured >= 1);
      assert.equal(report.problem?.code, problem);
    });
  }
});
