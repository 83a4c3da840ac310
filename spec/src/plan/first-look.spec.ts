import assert from 'node:assert/strict';
import { createCostModel, createPlanner } from '../../../src/plan/index.js';
import { clipOf, usualSpeeds } from './clips.js';

/** Frames visited in a minute. */
function look(shape: Parameters<typeof clipOf>[0]) {
  const index = clipOf(shape);
  const planner = createPlanner({ index, cost: createCostModel(usualSpeeds), stride: 'auto' });
  const frames: number[] = [];
  for (let visits = 0; ; visits++) {
    const visit = planner.next({ nowMs: visits, softCutMs: 60_000, firstLookOnly: true });
    if (!visit) return { frames, planner, coming: planner.upcoming(4) };
    frames.push(...visit.keep);
  }
}

describe('the planner, asked for a first look only', () => {
  it('visits every keyframe once and nothing else, and reads nothing ahead behind them', () => {
    const { frames, planner, coming } = look({ frames: 750, gop: 25, bFrames: 2 });
    assert.deepEqual(
      frames.sort((a, b) => a - b),
      Array.from({ length: 30 }, (_, i) => i * 25),
    );
    assert.equal(planner.done, false);
    assert.deepEqual(coming, []);
  });

  it('takes one round of frames between where keyframes are few', () => {
    const { frames, planner } = look({ frames: 250, gop: 250 });
    assert.ok(frames.length > 1, 'one frame is no look at ten seconds');
    assert.match(planner.strategy, /1 round,/);
  });
});
