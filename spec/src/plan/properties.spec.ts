import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Simulation, simulate } from '../../../src/plan/index.js';
import { clipOf, usualSpeeds } from './clips.js';

const clip = fc
  .record({
    frames: fc.integer({ min: 1, max: 400 }),
    gop: fc.integer({ min: 1, max: 400 }),
    bFrames: fc.integer({ min: 0, max: 3 }),
    knowsDisposable: fc.boolean(),
  })
  .map(clipOf);
/** Each speed from a hundredth of the usual to a hundred times it. */
const factor = fc.double({ min: -2, max: 2, noNaN: true }).map((power) => 10 ** power);
const speeds = fc
  .record({ link: factor, rtt: factor, decode: factor, infer: factor })
  .map(({ link, rtt, decode, infer }) => ({
    bytesPerMs: usualSpeeds.bytesPerMs / link,
    rttMs: usualSpeeds.rttMs * rtt,
    keyMs: usualSpeeds.keyMs * decode,
    referenceMs: usualSpeeds.referenceMs * decode,
    lateMs: usualSpeeds.lateMs * decode,
    scaleMs: usualSpeeds.scaleMs * decode,
    inferMs: usualSpeeds.inferMs * infer,
  }));
const budgetMs = fc.integer({ min: 1, max: 8000 });
const BATCH = 8;

function assertCoarseToFine({ visits }: Simulation, frames: number): void {
  let gap = frames;
  const seen = new Set<number>();
  for (const { visit, largestGap } of visits) {
    assert.ok(largestGap <= gap, `${largestGap} after ${gap}`);
    gap = largestGap;
    assert.ok(visit.keep.length > 0);
    for (const frame of visit.keep) {
      assert.ok(frame >= 0 && frame < frames && !seen.has(frame), `frame ${frame} once`);
      seen.add(frame);
    }
  }
}

describe('properties of the planner', () => {
  it('whatever the speeds, the largest unvisited gap only shrinks, and no frame is visited twice', () => {
    fc.assert(
      fc.property(clip, speeds, speeds, budgetMs, (index, truth, believed, softCutMs) => {
        assertCoarseToFine(simulate({ index, speeds: truth, believed, softCutMs, stride: 'auto' }), index.frameCount);
      }),
    );
  });

  it('whatever the speeds, a plan that knows them spends no more than one batch past the soft cut', () => {
    fc.assert(
      fc.property(clip, speeds, budgetMs, (index, truth, softCutMs) => {
        const { visits } = simulate({ index, speeds: truth, softCutMs, stride: 'auto' });
        // What the planner cannot know of the link: half a round trip more than it reckons with, and a sample that was
        // asked for ahead and is still on its way, before the one that is now wanted.
        const linkMs = truth.rttMs + Math.max(...index.sizeBytes) / truth.bytesPerMs;
        const latestMs = softCutMs + BATCH * truth.inferMs + linkMs;
        for (const { answeredMs } of visits.slice(1)) assert.ok(answeredMs <= latestMs, `${answeredMs} of ${latestMs}`);
      }),
    );
  });

  it('whatever it believes, it plans nothing after the soft cut', () => {
    fc.assert(
      fc.property(clip, speeds, speeds, budgetMs, (index, truth, believed, softCutMs) => {
        const { visits } = simulate({ index, speeds: truth, believed, softCutMs, stride: 'auto' });
        assert.ok(visits.slice(1).every(({ plannedMs }) => plannedMs < softCutMs));
      }),
    );
  });

  it('whatever the speeds, time without end visits every wanted frame', () => {
    fc.assert(
      fc.property(clip, speeds, fc.integer({ min: 1, max: 9 }), (index, truth, stride) => {
        const { visits } = simulate({ index, speeds: truth, softCutMs: Number.POSITIVE_INFINITY, stride });
        const wanted = Math.ceil(index.frameCount / stride);
        assert.equal(
          visits.reduce((sum, { visit }) => sum + visit.keep.length, 0),
          wanted,
        );
      }),
    );
  });

  it('the same clip, speeds and budget give the same plan; the fixed one does whatever they are', () => {
    fc.assert(
      fc.property(clip, speeds, speeds, budgetMs, (index, one, other, softCutMs) => {
        const plan = (truth: typeof one, fixed: boolean) =>
          simulate({ index, speeds: truth, softCutMs, stride: 'auto', fixed }).visits.map(({ visit }) => visit);
        assert.deepEqual(plan(one, false), plan(one, false));
        assert.deepEqual(plan(one, true), plan(other, true));
      }),
      { numRuns: 40 },
    );
  });
});
