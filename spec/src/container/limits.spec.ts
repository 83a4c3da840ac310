import assert from 'node:assert/strict';
import { clipLimits } from '../../../src/app/clip-limits.js';
import { configKeys, loadConfig } from '../../../src/app/config.js';
import { openClip } from '../../../src/container/index.js';
import { type ClipLimits, createSlices, defaultClipLimits, limitSettings } from '../../../src/limits/index.js';
import { createAnswerEncoder, createScene } from '../../../src/questions/football/index.js';
import { flatClip } from '../../support/flat-h264.js';
import { memorySource } from '../../support/memory-source.js';
import { box, buildMp4, freeBoxes, type TrackTables } from '../../support/mp4-builder.js';

async function open(file: Uint8Array, limits: Partial<ClipLimits> = {}): Promise<'indexed' | 'stream'> {
  const clip = await openClip(memorySource(file), { limits });
  clip.close();
  return clip.kind;
}

/** What a scene of so many frames, in which nothing was found, takes as an answer. */
function answerOf(frames: number, maxBytes: number): Uint8Array {
  const encoder = createAnswerEncoder({ maxBytes });
  encoder.update(createScene({ width: 640, height: 360, frameCount: frames }).snapshot());
  return encoder.json({});
}

/** For each limit clips that reach it: what there is of it in them, and what looks at them. */
const reaching: Readonly<Record<keyof ClipLimits, readonly (readonly [why: string, found: number, TrackTables])[]>> = {
  maxFrames: [
    ['samples with a size each', 30, { sizes: new Array(30).fill(9) }],
    ['samples of one size', 30, { uniform: { count: 30, sizeBytes: 9 } }],
    ['samples that no edit shows', 30, { uniform: { count: 30, sizeBytes: 9 }, edits: [[40, 0]] }],
  ],
  maxSeconds: [
    ['as many frames', 4, { uniform: { count: 100, sizeBytes: 9 } }],
    ['a frame that stays', 4, { sizes: [9], stts: [[1, 100]] }],
    [
      'a pause between two edits',
      4,
      {
        edits: [
          [80, 0],
          [3840, 1000],
          [80, 2],
        ],
      },
    ],
    [
      'a frame that comes late',
      4,
      {
        sizes: [9, 9],
        stts: [
          [1, 99],
          [1, 1],
        ],
      },
    ],
  ],
  maxPixels: [
    ['a large picture', 1920 * 1080, { width: 1920, height: 1080 }],
    ['a narrow one', 65_535, { width: 65_535, height: 1 }],
  ],
  maxIndexBytes: [['a moov', 5000, { extra: [box('free', Buffer.alloc(5000 - 8 - moovBytes({})))] }]],
  maxIndexBoxes: [
    ['boxes before it', 100, { before: [freeBoxes(100 - boxesOf({}))] }],
    ['boxes in it', 100, { extra: [freeBoxes(100 - boxesOf({}))] }],
  ],
  maxEdits: [
    ['edits that show something', 7, { edits: new Array(7).fill([160, 0]) }],
    ['empty ones', 7, { edits: new Array(7).fill([160, -1]) }],
  ],
  maxSampleBytes: [
    ['one of a table', 5000, { sizes: [10, 5000, 10] }],
    ['all of one size', 5000, { uniform: { count: 2, sizeBytes: 5000 } }],
  ],
  maxAnswerBytes: [],
};

/** Bytes of the index of a clip, and boxes on the way to and in it. */
function moovBytes(tables: TrackTables): number {
  const file = buildMp4(tables);
  return file.readUInt32BE(file.indexOf('moov') - 4);
}
function boxesOf(tables: TrackTables): number {
  const file = buildMp4(tables).toString('latin1');
  return [...file.matchAll(/ftyp|moov|mvhd|trak|tkhd|mdia|mdhd|hdlr|minf|stbl|stsd|avcC|stts|stsc|stsz|stco/g)].length;
}

describe('the limits of a clip', () => {
  for (const [name, rows] of Object.entries(reaching))
    for (const [why, found, tables] of rows)
      it(`${name}: takes ${found} and refuses one more than it allows (${why})`, async () => {
        const file = buildMp4(tables);
        assert.equal(await open(file, { [name]: found }), 'indexed');
        await assert.rejects(open(file, { [name]: found - 1 }), ({ code, details }) => {
          assert.equal(code, 'ERR_LIMIT');
          const setting = Object.entries(limitSettings).find(([limit]) => limit === name)?.[1];
          assert.deepEqual(details, { limit: name, setting, found, allowed: found - 1 });
          return true;
        });
      });

  it('maxAnswerBytes: takes a body as large, and refuses one byte more', () => {
    const { length } = answerOf(100, 1e6);
    assert.equal(answerOf(100, length).length, length);
    assert.throws(() => answerOf(100, length - 1), {
      code: 'ERR_LIMIT',
      details: { limit: 'maxAnswerBytes', setting: 'MAX_ANSWER_MB', found: length, allowed: length - 1 },
    });
    assert.throws(() => answerOf(100_000, length), { code: 'ERR_LIMIT' });
  });

  const hostile: readonly (readonly [why: string, file: () => Uint8Array, outcome: string])[] = [
    ['40,000 boxes before the index', () => buildMp4({ before: [freeBoxes(40_000)] }), 'ERR_LIMIT'],
    ['40,000 boxes in the index', () => buildMp4({ extra: [freeBoxes(40_000)] }), 'ERR_LIMIT'],
    [
      '600 edits',
      () => buildMp4({ uniform: { count: 20_000, sizeBytes: 1 }, edits: new Array(600).fill([1, 0]) }),
      'indexed',
    ],
    ['100,000 edits', () => buildMp4({ edits: new Array(100_000).fill([1, 0]) }), 'ERR_LIMIT'],
    ['200,000 frames', () => flatClip({ frames: 200_000 }), 'ERR_LIMIT'],
    [
      '2^20 frames that are not there',
      () => buildMp4({ uniform: { count: 2 ** 20, sizeBytes: 1 }, media: Buffer.alloc(9) }),
      'ERR_LIMIT',
    ],
    [
      '20,000 frames that are not there',
      () => buildMp4({ uniform: { count: 20_000, sizeBytes: 1 }, media: Buffer.alloc(9) }),
      'ERR_SOURCE_TRUNCATED',
    ],
    ['20,000 frames, all of them keyframes', () => flatClip({ frames: 20_000 }), 'indexed'],
    ['a picture of 16224 × 16224', () => flatClip({ frames: 1, codedWidth: 16_224, codedHeight: 16_224 }), 'ERR_LIMIT'],
  ];
  for (const [why, file, outcome] of hostile)
    it(`at their defaults: ${why} → ${outcome}`, async () => {
      assert.equal(await open(file()).catch(({ code }) => code), outcome);
    });

  it('may be raised: nothing is built in', async () => {
    const limits = { maxFrames: 2 ** 20, maxSeconds: 1e6, maxIndexBytes: 1e8, maxIndexBoxes: 1e6, maxEdits: 1e6 };
    const tables = {
      sizes: new Array(500_000).fill(1),
      extra: [freeBoxes(100_000)],
      edits: new Array(100_000).fill([9, 5]),
    };
    assert.equal(await open(buildMp4(tables), limits), 'indexed');
  });

  it('leaves the event loop its turns while a long index is read', async () => {
    let turns = 0;
    let running = true;
    const count = () => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    let pauses = 0;
    const onPause = () => {
      pauses++;
    };
    const file = flatClip({ frames: 20_000, before: [freeBoxes(1000)] });
    await openClip(memorySource(file), { slices: createSlices({ sliceMs: 0, onPause }) });
    running = false;
    assert.ok(pauses > 1000 && turns >= pauses, `${turns} turns at ${pauses} pauses`);
  });

  it('are settings, each with the default of the library', () => {
    const config = loadConfig({ env: {}, dotenvPaths: [] });
    assert.deepEqual(clipLimits(config), defaultClipLimits);
    for (const setting of Object.values(limitSettings)) assert.ok(configKeys.includes(setting), setting);
    const env = Object.fromEntries(Object.values(limitSettings).map((setting, i) => [setting, `${1000 + i}`]));
    const own = clipLimits(loadConfig({ env, dotenvPaths: [] }));
    assert.deepEqual(Object.values(own), [1000, 1001, 1002, 1003e6, 1004, 1005, 1006e6, 1007e6]);
  });
});
