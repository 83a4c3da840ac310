import assert from 'node:assert/strict';
import { ballPath } from '../../../../src/questions/football/ball.js';
import { cutFrame, Keyframes } from '../../../../src/questions/football/cuts.js';
import { kitColours, pictureSignature } from '../../../../src/questions/football/index.js';
import { likeness, MOST_LIKENESS } from '../../../../src/questions/football/likeness.js';
import { Memo } from '../../../../src/questions/football/memo.js';
import { finished } from '../../../support/steps.js';

describe('cutFrame', () => {
  for (const [why, from, to, keyframes, bytes, expected] of [
    ['nothing known: the middle', 10, 20, [], [], 16],
    ['the only keyframe between', 100, 150, [0, 50, 100, 125, 175], [], 125],
    ['the keyframe that comes early, not the regular one', 90, 160, [0, 50, 100, 125, 175], [], 125],
    ['a keyframe on the later sample', 100, 125, [0, 50, 100, 125], [], 125],
    ['a keyframe on the earlier sample is not between', 100, 110, [0, 50, 100], [], 106],
    ['a frame that outweighs its neighbours', 2, 8, [], [9, 9, 9, 9, 9, 99, 9, 9, 9, 9], 5],
    ['frames of one weight say nothing', 2, 8, [], [9, 9, 9, 9, 9, 9, 9, 9, 9, 9], 6],
  ] as const) {
    it(why, () =>
      assert.equal(cutFrame(from, to, { keyframes: new Keyframes(keyframes), frameBytes: bytes }), expected),
    );
  }
});

const BALL_THRESHOLD = 0.35;

/** One sample per list of candidates [x in m, score]. */
function balls(...samples: readonly (readonly (readonly [number, number])[])[]) {
  return samples.map((candidates, k) => {
    const column = (of: (c: readonly [number, number]) => number) => Float64Array.from(candidates, of);
    const [zero, x, score] = [column(() => 0), column(([place]) => place), column(([, value]) => value)];
    const count = candidates.length;
    const sure = Uint8Array.from(score, (value) => (value > BALL_THRESHOLD ? 1 : 0));
    const bodies = { count, score, sure, footU: zero, footV: zero, width: zero, height: zero, roles: zero, kits: zero };
    const places = { count, x, y: zero, xx: zero, xy: zero, yy: column(() => 0.1), widthM: zero, heightM: zero };
    return { timeS: k * 0.2, bodies, places };
  });
}

describe('ballPath', () => {
  for (const [why, samples, expected] of [
    ['no candidate', [[], []], [-1, -1]],
    [
      'the better one',
      [
        [
          [10, 0.8],
          [60, 0.5],
        ],
      ],
      [0],
    ],
    [
      'the steady one against a stray',
      [
        [[10, 0.7]],
        [
          [60, 0.75],
          [11, 0.6],
        ],
        [[12, 0.7]],
      ],
      [0, 1, 0],
    ],
    ['a weak one on the way', [[[10, 0.8]], [[11, 0.25]], [[12, 0.8]]], [0, 0, 0]],
    ['a sample without', [[[10, 0.8]], [], [[12, 0.8]]], [0, -1, 0]],
    ['weak ones alone are no ball, however steady', [[[10, 0.25]], [[10, 0.25]], [[10, 0.25]]], [-1, -1, -1]],
    ['it starts anew after a long pass', [[[10, 0.9]], [[10, 0.9]], [], [[90, 0.9]], [[90, 0.9]]], [0, 0, -1, 0, 0]],
  ] as const) {
    it(why, () => assert.deepEqual([...finished(ballPath(balls(...samples), BALL_THRESHOLD))], expected));
  }
});

describe('likeness', () => {
  const player = { roles: [0, 1, 0], kit: [50, 100, -50], heightM: 1.8 } as const;
  const better = (other: Parameters<typeof likeness>[1]) =>
    assert.ok(likeness(player, player) > likeness(player, other));
  it('the same shirt is likelier than another', () => better({ ...player, kit: [50, -20, 40] }));
  it('the same role is likelier than another', () => better({ ...player, roles: [0, 0, 1] }));
  it('the same size is likelier than another', () => better({ ...player, heightM: 1.2 }));
  it('never gives more than it promises', () => {
    assert.ok(likeness({ ...player, roles: [1, 0, 0] }, { ...player, roles: [1, 0, 0] }) <= MOST_LIKENESS);
  });
});

describe('Memo', () => {
  it('makes a value once for the same inputs, anew for others, and forgets what was not asked for', () => {
    const memo = new Memo<object>();
    const [a, b] = [{}, {}];
    const made = memo.get(1, [a], () => ({}));
    assert.equal(
      memo.get(1, [a], () => ({})),
      made,
    );
    memo.sweep();
    assert.equal(
      memo.get(1, [a], () => ({})),
      made,
    );
    assert.notEqual(
      memo.get(1, [b], () => ({})),
      made,
    );
    memo.sweep();
    memo.sweep();
    const again = memo.get(1, [b], () => ({}));
    memo.sweep();
    assert.equal(
      memo.get(1, [b], () => ({})),
      again,
    );
  });
});

describe('what a picture looks like', () => {
  const [width, height] = [96, 56];
  const grass = () => {
    const pixels = new Uint8Array(width * height * 3);
    for (let p = 0; p < width * height; p++) pixels.set([40, 120, 50], p * 3);
    return pixels;
  };

  it('a signature has 14 × 24 cells with the mean colour of each', () => {
    const signature = pictureSignature(grass(), width, height);
    assert.equal(signature.length, 24 * 14 * 3);
    for (let i = 0; i < signature.length; i += 3) assert.deepEqual([...signature.subarray(i, i + 3)], [40, 120, 50]);
  });

  it('a signature shows where the colours are', () => {
    const pixels = grass();
    for (let p = 0; p < 4 * width; p++) pixels.set([200, 0, 0], p * 3);
    const signature = pictureSignature(pixels, width, height);
    assert.deepEqual([...signature.subarray(0, 3)], [200, 0, 0]);
    assert.deepEqual([...signature.subarray(24 * 3, 24 * 3 + 3)], [40, 120, 50]);
  });

  it('a shirt’s colour is the shirt’s, not the grass around it; balls have none', () => {
    const pixels = grass();
    for (let y = 10; y < 34; y++) for (let x = 42; x < 50; x++) pixels.set([220, 20, 30], (y * width + x) * 3);
    const size = { sourceWidth: 960, sourceHeight: 560, width, height };
    const picture = { ...size, pixels, fit: 'stretch', index: 0, ptsUs: 0 } as const;
    const person = { classId: 2 as const, score: 0.9, boxXyxyPx: [400, 100, 520, 340] as const };
    const colours = kitColours(picture, [person, { ...person, classId: 0 }]);
    assert.ok(Math.abs(colours[0] - 220) < 6 && Math.abs(colours[1] - 20) < 6, `${colours}`);
    assert.deepEqual([...colours.subarray(3)], [0, 0, 0]);
    // The same picture between grey bars, 14 of 84 lines above and below.
    const barred = new Uint8Array(width * 84 * 3).fill(114);
    barred.set(pixels, width * 14 * 3);
    const letterboxed = { ...picture, pixels: barred, height: 84, fit: 'letterbox' } as const;
    assert.deepEqual(kitColours(letterboxed, [person]), colours.subarray(0, 3));
  });

  it('boxes at the border of the picture are no trouble', () => {
    const size = { sourceWidth: 96, sourceHeight: 56, width, height };
    const picture = { ...size, pixels: grass(), fit: 'stretch', index: 0, ptsUs: 0 } as const;
    const boxes = [
      [0, 0, 1, 2],
      [95, 54, 96, 56],
      [0, 0, 96, 56],
    ] as const;
    const colours = kitColours(
      picture,
      boxes.map((boxXyxyPx) => ({ classId: 2 as const, score: 1, boxXyxyPx })),
    );
    assert.equal(colours.length, 9);
  });
});
