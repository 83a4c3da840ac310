import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { SampleIndex } from '../../../src/container/index.js';
import { createCostModel, createPlanner, splitIntoGops, wallMs } from '../../../src/plan/index.js';
import { type ClipShape, clipOf, usualSpeeds } from './clips.js';

interface Costs {
  /** Of the dearest call, in frames, rows and GOPs looked at. */
  readonly next: number;
  readonly upcoming: number;
  readonly visits: number;
}

/** A whole plan, in which each visit takes as long as predicted. */
function costsOf(index: SampleIndex, softCutMs: number, mostVisits = 400): Costs {
  const planner = createPlanner({ index, cost: createCostModel(usualSpeeds), stride: 'auto' });
  let next = 0;
  let upcoming = 0;
  let visits = 0;
  const count = <T>(call: () => T): readonly [result: T, steps: number] => {
    const before = planner.steps;
    return [call(), planner.steps - before];
  };
  for (let nowMs = 0; visits < mostVisits; visits++) {
    const [visit, steps] = count(() => planner.next({ nowMs, softCutMs }));
    next = Math.max(next, steps);
    if (!visit) break;
    upcoming = Math.max(upcoming, count(() => planner.upcoming(4))[1]);
    if (Number.isFinite(softCutMs)) nowMs += wallMs(usualSpeeds, planner.workOf(visit));
  }
  return { next, upcoming, visits };
}

describe('what a plan itself costs', () => {
  const frames = 20_000;
  // A step takes some ten nanoseconds (measured): none of these calls a hundredth of a second.
  const shapes: readonly (readonly [why: string, shape: Omit<ClipShape, 'frames'>, mostPerFrame: number])[] = [
    ['keyframes only', { gop: 1 }, 4],
    ['every second frame a keyframe', { gop: 2 }, 4],
    ['GOPs of 50', { gop: 50, bFrames: 2 }, 6],
    ['GOPs of 250', { gop: 250, bFrames: 3 }, 20],
    ['GOPs of 5000', { gop: 5000, bFrames: 2 }, 15],
    ['one keyframe', { gop: frames }, 32],
    ['one keyframe, and every other frame late', { gop: frames, bFrames: 1 }, 32],
  ];
  for (const [why, shape, mostPerFrame] of shapes)
    for (const softCutMs of [1000, 20_000, 250_000, Number.POSITIVE_INFINITY])
      it(`hangs on the frames alone, and little: ${why}, ${softCutMs} ms`, () => {
        const { next, upcoming, visits } = costsOf(clipOf({ frames, ...shape }), softCutMs);
        assert.ok(visits > 0);
        assert.ok(next <= mostPerFrame * frames, `next: ${next / frames} steps a frame`);
        assert.ok(upcoming <= mostPerFrame * frames, `upcoming: ${upcoming / frames} steps a frame`);
      });

  it('is at most linear in the frames, whatever the clip and the time', () => {
    const clip = fc.record({
      frames: fc.integer({ min: 1, max: 20_000 }),
      gop: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 20_000 })),
      bFrames: fc.integer({ min: 0, max: 7 }),
      knowsDisposable: fc.boolean(),
    });
    const time = fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.constant(Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(clip, time, (shape, softCutMs) => {
        const { next, upcoming } = costsOf(clipOf(shape), softCutMs, 30);
        const most = 30 * shape.frames + 300_000;
        assert.ok(Math.max(next, upcoming) <= most, `${next} and ${upcoming} steps, ${most} allowed`);
      }),
      { numRuns: 60 },
    );
  });

  it('takes very many GOPs in runs, each frame decoded from its own keyframe all the same', () => {
    const index = clipOf({ frames, gop: 2 });
    const { gops, startOf, sampleOf } = splitIntoGops(index);
    assert.ok(gops.length > 500 && gops.length <= 1024, String(gops.length));
    let end = 0;
    for (const { firstFrame, endFrame, firstSample } of gops) {
      assert.equal(firstFrame, end);
      assert.equal(index.sync[firstSample], 1);
      end = endFrame;
    }
    assert.equal(end, frames);
    assert.ok([...startOf].every((row, frame) => row === (sampleOf[frame] ?? -1) - (frame % 2)));
    const planner = createPlanner({ index, cost: createCostModel(usualSpeeds), stride: 'auto' });
    const moment = { nowMs: 0, softCutMs: 3000 };
    for (let visit = planner.next(moment), i = 0; visit && i < 300; visit = planner.next(moment), i++)
      assert.ok(visit.lastSample - visit.firstSample < 100 && index.sync[visit.firstSample] === 1);
  });

  it('leaves no frame out and takes none twice, whatever their number of GOPs', () => {
    for (const gop of [1, 2, 7, 19]) {
      const index = clipOf({ frames: 5000, gop });
      const planner = createPlanner({ index, cost: createCostModel(usualSpeeds), stride: 'auto' });
      const seen = new Set<number>();
      const moment = { nowMs: 0, softCutMs: Number.POSITIVE_INFINITY };
      for (let visit = planner.next(moment); visit; visit = planner.next(moment))
        for (const frame of visit.keep) assert.ok(!seen.has(frame) && seen.add(frame));
      assert.equal(seen.size, 5000);
      assert.equal(planner.done, true);
    }
  });
});
