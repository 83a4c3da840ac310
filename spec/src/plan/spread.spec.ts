import assert from 'node:assert/strict';
import { lossBetween, lossHeld, mostMissedFirst, type Shot, spreadOver } from '../../../src/plan/index.js';

const shotOf = (
  firstFrame: number,
  endFrame: number,
  free: readonly number[],
  visited: readonly number[] = [],
): Shot => ({
  firstFrame,
  endFrame,
  keys: [
    ...free.map((frame) => ({ frame, visited: false })),
    ...visited.map((frame) => ({ frame, visited: true })),
  ].sort((a, b) => a.frame - b.frame),
});

/** What filling costs where these frames are read, reckoned frame by frame. */
function lossOf(shots: readonly Shot[], chosen: readonly number[]): number {
  let loss = 0;
  for (const { firstFrame, endFrame, keys } of shots) {
    const read = keys.filter(({ frame, visited }) => visited || chosen.includes(frame)).map(({ frame }) => frame);
    const [first] = read;
    const last = read.at(-1);
    if (first === undefined || last === undefined) {
      loss += endFrame - firstFrame;
      continue;
    }
    loss += lossHeld(first - firstFrame) + lossHeld(endFrame - 1 - last);
    for (const [i, frame] of read.entries()) if (i > 0) loss += lossBetween(frame - (read[i - 1] ?? 0) - 1);
  }
  return loss;
}

const subsets = (frames: readonly number[], count: number): number[][] =>
  count === 0
    ? [[]]
    : frames.flatMap((frame, i) => subsets(frames.slice(i + 1), count - 1).map((rest) => [frame, ...rest]));

describe('the spread of keyframes', () => {
  const sixShots = [0, 125, 250, 375, 500, 625].map((from) => shotOf(from, from + 125, [from, from + 50, from + 100]));

  it('reads of each shot what lets most of it be interpolated', () => {
    assert.deepEqual(spreadOver(sixShots)(12), [50, 100, 175, 225, 300, 350, 425, 475, 550, 600, 675, 725]);
  });

  it('reckons with what has been visited', () => {
    const [, ...others] = sixShots;
    const seen = [shotOf(0, 125, [0, 100], [50]), ...others];
    assert.deepEqual(spreadOver(seen)(11), spreadOver(sixShots)(12).slice(1));
  });

  it('spreads over one shot alike', () => {
    const keys = Array.from({ length: 30 }, (_, i) => i * 25);
    const gaps = spreadOver([shotOf(0, 750, keys)])(10)
      .map((frame, i, all) => frame - (all[i - 1] ?? 0))
      .slice(1);
    assert.ok(Math.max(...gaps) - Math.min(...gaps) <= 25, `${gaps}`);
  });

  it('reads first what is missed most: wherever it stops, little more is lost than by the best choice of so many', () => {
    const [, ...others] = sixShots;
    const shots = [shotOf(0, 125, [50, 100], [0]), ...others];
    const choose = spreadOver(shots);
    const order = mostMissedFirst(shots, choose(12));
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      choose(12),
    );
    assert.equal(order.at(-1), 50, 'frame 0 has been visited: what lies between it and 100 is missed least');
    for (let count = 1; count < order.length; count++) {
      const least = lossOf(shots, choose(count));
      assert.ok(lossOf(shots, order.slice(0, count)) <= least * 1.1, `${order.slice(0, count)} of ${choose(count)}`);
    }
  });

  it('halves the gaps of one shot', () => {
    const keys = Array.from({ length: 31 }, (_, i) => i * 25);
    const order = mostMissedFirst([shotOf(0, 751, keys)], keys);
    for (const [count, widest] of [
      [3, 375],
      [5, 225],
      [9, 125],
      [17, 75],
    ] as const) {
      const read = order.slice(0, count).sort((a, b) => a - b);
      const gaps = read.map((frame, i) => frame - (read[i - 1] ?? 0));
      assert.ok(Math.max(...gaps, 750 - (read.at(-1) ?? 0)) <= widest, `${read}`);
    }
  });

  for (const [name, shots] of Object.entries({
    'unequal shots': [shotOf(0, 40, [0, 20]), shotOf(40, 200, [40, 90, 140, 190]), shotOf(200, 230, [200])],
    'a shot without a keyframe': [shotOf(0, 50, []), shotOf(50, 120, [60, 80, 100])],
    'some visited': [shotOf(0, 100, [10, 50, 70], [30, 90]), shotOf(100, 180, [100, 120, 170], [140])],
    'nothing to choose from': [shotOf(0, 10, [], [5])],
  })) {
    it(`loses as little as the best of all choices: ${name}`, () => {
      const free = shots.flatMap(({ keys }) => keys.filter(({ visited }) => !visited).map(({ frame }) => frame));
      const choose = spreadOver(shots);
      for (let count = 0; count <= free.length; count++) {
        const chosen = choose(count);
        assert.equal(chosen.length, count);
        const least = Math.min(...subsets(free, count).map((some) => lossOf(shots, some)));
        assert.ok(Math.abs(lossOf(shots, chosen) - least) < 1e-9, `${chosen}`);
      }
      assert.deepEqual(choose(free.length + 5), free);
    });
  }
});
