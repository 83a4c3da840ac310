import assert from 'node:assert/strict';
import type { SampleIndex } from '../../../src/container/index.js';
import { bisectionOrder, splitIntoGops, splitIntoShots } from '../../../src/plan/index.js';
import { clipOf, clips } from './clips.js';

const bounds = (index: SampleIndex) =>
  splitIntoGops(index).gops.map(({ firstSample, firstFrame, endFrame }) => [firstSample, firstFrame, endFrame]);

describe('splitIntoGops', () => {
  for (const [reason, index, expected] of [
    [
      'one for each keyframe',
      clipOf({ frames: 10, gop: 4 }),
      [
        [0, 0, 4],
        [4, 4, 8],
        [8, 8, 10],
      ],
    ],
    ['one frame', clipOf({ frames: 1, gop: 1 }), [[0, 0, 1]]],
    [
      'no keyframe at all: one from the first row',
      { ...clipOf({ frames: 4, gop: 4 }), sync: new Uint8Array(4) },
      [[0, 0, 4]],
    ],
    [
      'no keyframe at the start: the beginning is tried',
      { ...clipOf({ frames: 6, gop: 3 }), sync: Uint8Array.from([0, 0, 0, 1, 0, 0]) },
      [
        [0, 0, 3],
        [3, 3, 6],
      ],
    ],
  ] as const) {
    it(`finds ${reason}`, () => assert.deepEqual(bounds(index), expected));
  }

  it('gives leading frames, shown before a keyframe and coded behind it, to the GOP before', () => {
    // I0 P2 b1 | I5 b3 b4 (open GOP)
    const index = {
      ...clipOf({ frames: 6, gop: 3 }),
      frameNumber: Int32Array.from([0, 2, 1, 5, 3, 4]),
      sync: Uint8Array.from([1, 0, 0, 1, 0, 0]),
    };
    assert.deepEqual(bounds(index), [
      [0, 0, 5],
      [3, 5, 6],
    ]);
  });

  it('leaves out rows that are not shown', () => {
    const index = { ...clipOf({ frames: 4, gop: 2 }), frameCount: 3, frameNumber: Int32Array.from([-1, 0, 1, 2]) };
    const { sampleOf } = splitIntoGops(index);
    assert.deepEqual([...sampleOf], [1, 2, 3]);
  });

  it('sees which frames are shown before something decoded earlier', () => {
    const { isLate, sampleOf } = splitIntoGops(clipOf({ frames: 7, gop: 7, bFrames: 2 }));
    const late = Array.from({ length: 7 }, (_, frame) => isLate[sampleOf[frame] ?? 0]);
    assert.deepEqual(late, [0, 1, 1, 0, 1, 1, 0]);
  });

  for (const [name, index] of Object.entries(clips)) {
    it(`covers every frame once: ${name}`, () => {
      const { gops } = splitIntoGops(index);
      let end = 0;
      for (const { firstFrame, endFrame } of gops) {
        assert.equal(firstFrame, end);
        assert.ok(endFrame > firstFrame);
        end = endFrame;
      }
      assert.equal(end, index.frameCount);
    });
  }
});

describe('splitIntoShots', () => {
  const shotsAt = (keyframes: readonly number[], frames: number) => {
    const index = { ...clipOf({ frames, gop: frames }), sync: new Uint8Array(frames) };
    for (const frame of keyframes) index.sync[frame] = 1;
    return splitIntoShots(splitIntoGops(index).gops).map((shot) => shot.map(({ firstFrame }) => firstFrame));
  };

  it('sees a cut where a keyframe comes before its time', () => {
    assert.deepEqual(shotsAt([0, 50, 100, 125, 175, 225, 250], 300), [[0, 50, 100], [125, 175, 225], [250]]);
  });

  it('sees none in a clip of equal GOPs, whatever is left for the last', () => {
    assert.deepEqual(shotsAt([0, 50, 100], 120), [[0, 50, 100]]);
  });
});

describe('bisectionOrder', () => {
  for (const [count, expected] of [
    [0, []],
    [1, [0]],
    [2, [0, 1]],
    [3, [0, 2, 1]],
    [5, [0, 4, 2, 1, 3]],
    [9, [0, 8, 4, 2, 6, 1, 3, 5, 7]],
  ] as const) {
    it(`orders ${count} places from the ends to the middles`, () => assert.deepEqual(bisectionOrder(count), expected));
  }

  it('is a permutation', () => {
    for (let count = 0; count < 100; count++) {
      const order = bisectionOrder(count).sort((a, b) => a - b);
      assert.deepEqual(
        order,
        Array.from({ length: count }, (_, i) => i),
      );
    }
  });
});
