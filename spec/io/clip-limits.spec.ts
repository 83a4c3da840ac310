import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { clipLimits } from '../../src/app/clip-limits.js';
import { loadConfig } from '../../src/app/config.js';
import { createEngine, type Engine } from '../../src/app/engine.js';
import { createLogger } from '../../src/app/log.js';
import { flatClip } from '../support/flat-h264.js';
import { makeClip } from '../support/make-clip.js';

/** Of the settings; each clip below stays within all of them but one. */
const limits = { MAX_FRAMES: '40', MAX_CLIP_S: '2', MAX_PIXELS: '20000', MAX_SAMPLE_MB: '0.1', MAX_ANSWER_MB: '0.01' };

describe('limits of clips in answers', function () {
  this.timeout(120_000);
  let folder = '';
  let engine: Engine;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-limits-'));
    // No clock: what cuts an answer here is never the time.
    const overrides = { ...limits, LOG_LEVEL: 'silent', PLAN: 'fixed', IMG_SIZE: '576' };
    const config = loadConfig({ env: {}, dotenvPaths: [], overrides });
    assert.equal(clipLimits(config).maxFrames, 40);
    engine = await createEngine({ config, log: createLogger(config), allowPrivate: true, spare: false });
  });
  after(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  async function answer(clip: Uint8Array, provenance = false) {
    const path = join(folder, 'clip');
    await writeFile(path, clip);
    const last = await lastValueFrom(engine.answer({ target: path, provenance }));
    assert.ok(last.type === 'answer');
    return { report: last.answer.report, body: () => last.answer.body({}) };
  }

  const refused: readonly (readonly [why: string, clip: () => Uint8Array | Promise<Uint8Array>, limit: string])[] = [
    ['an index of too many frames', () => flatClip({ frames: 41 }), 'maxFrames'],
    ['an index of too many seconds', () => flatClip({ frames: 1, stts: [[1, 51]] }), 'maxSeconds'],
    [
      'pictures that say they are too large',
      () => flatClip({ frames: 2, codedWidth: 160, codedHeight: 160 }),
      'maxPixels',
    ],
    [
      'pictures that are too large and do not say so',
      () => flatClip({ frames: 2, codedWidth: 160, codedHeight: 160, width: 64, height: 64 }),
      'maxPixels',
    ],
    [
      'a stream that says it is too long',
      () => makeClip({ format: 'matroska', frames: 60, width: 96, height: 64 }),
      'maxSeconds',
    ],
  ];
  for (const [why, clip, limit] of refused)
    it(`refuses ${why}`, async () => {
      await assert.rejects(answer(await clip()), ({ code, details }) => {
        assert.deepEqual([code, details.limit], ['ERR_LIMIT', limit]);
        return true;
      });
    });

  it('answers a stream as far as it may go, and says what cut it', async () => {
    const { report } = await answer(await makeClip({ format: 'mpegts', frames: 45 }));
    assert.equal(report.frames.total, 40);
    assert.equal(report.stoppedBy, 'error');
    assert.equal(report.problem?.code, 'ERR_LIMIT');
    assert.equal(report.frames.measured, 8, 'every fifth, to the last');
  });

  it('makes no body that is larger than it may be', async () => {
    const { length } = (await answer(flatClip({ frames: 40 }))).body();
    assert.ok(length > 9000 && length <= 10_000, String(length));
    // A word more for each frame.
    await assert.rejects(answer(flatClip({ frames: 40 }), true), ({ code, details }) => {
      assert.deepEqual([code, details.limit], ['ERR_LIMIT', 'maxAnswerBytes']);
      return true;
    });
  });
});
