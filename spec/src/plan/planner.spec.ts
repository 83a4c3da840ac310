import assert from 'node:assert/strict';
import type { SampleIndex, Visit } from '../../../src/container/index.js';
import {
  createCostModel,
  createPlanner,
  type PlannedVisit,
  type PlannerOptions,
  simulate,
  splitIntoGops,
  wallMs,
} from '../../../src/plan/index.js';
import { clipOf, clips, usualSpeeds } from './clips.js';

const plannerOf = (index: SampleIndex, options: Partial<PlannerOptions> = {}) =>
  createPlanner({ index, cost: createCostModel(usualSpeeds), stride: 'auto', ...options });

/** All visits, where each takes as long as predicted. */
const visitsOf = (index: SampleIndex, leftMs: number, options: Partial<PlannerOptions> = {}): PlannedVisit[] => {
  const planner = plannerOf(index, options);
  const visits: PlannedVisit[] = [];
  let nowMs = 0;
  for (;;) {
    const visit = planner.next({ nowMs, softCutMs: leftMs });
    if (!visit) return visits;
    visits.push(visit);
    nowMs += wallMs(usualSpeeds, planner.workOf(visit));
  }
};
const framesOf = (visits: readonly PlannedVisit[]) => visits.flatMap(({ keep }) => keep);
const ascending = (frames: readonly number[]) => [...frames].sort((a, b) => a - b);
const every = (n: number, count: number) => Array.from({ length: Math.ceil(count / n) }, (_, i) => i * n);

const run = (index: SampleIndex, seconds: number, options: Partial<Parameters<typeof simulate>[0]> = {}) =>
  simulate({ index, speeds: usualSpeeds, softCutMs: seconds * 1000, stride: 'auto', ...options });

describe('the planner', () => {
  for (const [name, index] of Object.entries(clips)) {
    describe(name, () => {
      it('touches frame 0 first', () => {
        assert.deepEqual(visitsOf(index, 1000)[0]?.keep, [0]);
        assert.deepEqual(run(index, 0.5).visits[0]?.visit.keep, [0]);
      });

      it('tries frame 0 even where it cannot be in time', () => {
        assert.deepEqual(framesOf(visitsOf(index, 0)), [0]);
        assert.deepEqual(framesOf(visitsOf(index, -5)), [0]);
      });

      it('visits every frame once where time does not matter, and then has done', () => {
        const planner = plannerOf(index);
        const frames: number[] = [];
        const moment = { nowMs: 0, softCutMs: Number.POSITIVE_INFINITY };
        for (let visit = planner.next(moment); visit; visit = planner.next(moment)) frames.push(...visit.keep);
        assert.deepEqual(ascending(frames), every(1, index.frameCount));
        assert.equal(planner.done, true);
        assert.equal(planner.largestGap, 0);
      });

      it('hands out visits that can be decoded: from a keyframe or right behind the one before', () => {
        const { sampleOf } = splitIntoGops(index);
        let before: PlannedVisit | undefined;
        for (const { visit } of run(index, 3).visits) {
          const goesOn = before?.continues && visit.firstSample === before.lastSample + 1;
          assert.ok(goesOn || index.sync[visit.firstSample] === 1, `starts at ${visit.firstSample}`);
          assert.ok(visit.keep.length > 0);
          for (const frame of visit.keep) {
            const sample = sampleOf[frame] ?? -1;
            assert.ok(sample >= visit.firstSample && sample <= visit.lastSample, `frame ${frame}`);
          }
          if (visit.skip === 'nokey') assert.equal(visit.lastSample, visit.firstSample);
          before = visit;
        }
        assert.ok(!before?.continues, 'the decoder is not left with frames that nothing brings out');
      });

      it('obeys a stride that is given', () => {
        const frames = framesOf(visitsOf(index, Number.POSITIVE_INFINITY, { stride: 7 }));
        assert.deepEqual(ascending(frames), every(7, index.frameCount));
        assert.ok(framesOf(visitsOf(index, 800, { stride: 7 })).every((frame) => frame % 7 === 0));
      });

      it('goes through once from start to end in the fixed mode, whatever the time', () => {
        for (const leftMs of [-1, 100, Number.POSITIVE_INFINITY]) {
          assert.deepEqual(framesOf(visitsOf(index, leftMs, { fixed: true })), every(5, index.frameCount));
          assert.deepEqual(framesOf(visitsOf(index, leftMs, { fixed: true, stride: 3 })), every(3, index.frameCount));
        }
      });

      it('foresees what it then visits', () => {
        let foreseen = 0;
        let total = 0;
        const planner = plannerOf(index);
        let nowMs = 0;
        let upcoming: readonly Visit[] = [];
        for (
          let visit = planner.next({ nowMs, softCutMs: 4000 });
          visit;
          visit = planner.next({ nowMs, softCutMs: 4000 })
        ) {
          const { firstSample } = visit;
          if (nowMs > 0) total++;
          if (upcoming.some((other) => other.firstSample === firstSample)) foreseen++;
          upcoming = planner.upcoming(4);
          assert.ok(upcoming.length <= 4);
          nowMs += wallMs(usualSpeeds, planner.workOf(visit));
        }
        assert.ok(foreseen >= 0.7 * total, `${foreseen} of ${total}`);
      });

      it('changes nothing by being asked what comes next', () => {
        const asked = plannerOf(index);
        const unasked = plannerOf(index);
        let moment = { nowMs: 0, softCutMs: 1500 };
        for (let visit = unasked.next(moment); visit; visit = unasked.next(moment)) {
          asked.upcoming(4);
          assert.deepEqual(asked.next(moment), visit);
          moment = { ...moment, nowMs: moment.nowMs + wallMs(usualSpeeds, unasked.workOf(visit)) };
        }
      });
    });
  }

  it('reads keyframes spread over the whole clip where little time is left', () => {
    const { visits, strategy } = run(clips['GOP 50 with 2 B-frames, 750 frames'] ?? assert.fail(), 0.3);
    assert.ok(visits.every(({ visit }) => visit.skip === 'nokey'));
    assert.ok((visits.at(-1)?.largestGap ?? 750) < 200);
    assert.match(strategy, /^keyframes/);
  });

  it('spreads keyframes evenly where not all can be paid for', () => {
    const { visits } = run(clips['keyframes only'] ?? assert.fail(), 1);
    const frames = ascending(framesOf(visits.map(({ visit }) => visit)));
    const gaps = frames.map((frame, i) => frame - (frames[i - 1] ?? 0)).slice(1);
    assert.ok(frames.length > 40, `${frames.length} frames`);
    assert.ok(Math.max(...gaps) <= 1.6 * (750 / frames.length), `widest ${Math.max(...gaps)}`);
  });

  it('decodes no GOP twice, but for its keyframe, where time is enough', () => {
    for (const index of Object.values(clips)) {
      const decoded = new Map<number, number>();
      for (const { visit } of run(index, Number.POSITIVE_INFINITY).visits)
        for (let sample = visit.firstSample; sample <= visit.lastSample; sample++)
          if (!index.sync[sample]) decoded.set(sample, (decoded.get(sample) ?? 0) + 1);
      assert.ok([...decoded.values()].every((times) => times === 1));
    }
  });

  it('shortens every GOP alike where not all of it can be read in time', () => {
    const index = clips['GOP 250 with 3 B-frames, 750 frames'] ?? assert.fail();
    const { answeredMs, visits } = run(index, 2);
    const reached = [0, 250, 500].map((first) => {
      const frames = [...answeredMs.subarray(first, first + 250)];
      return frames.findLastIndex((ms) => ms < Number.POSITIVE_INFINITY);
    });
    assert.ok(Math.min(...reached) > 60, `${reached}`);
    assert.ok((visits.at(-1)?.largestGap ?? 0) < 190);
  });

  it('samples what it can reach of a clip with one keyframe, instead of racing for its middle', () => {
    const { answeredMs } = run(clips['one keyframe only'] ?? assert.fail(), 2);
    const frames = [...answeredMs.keys()].filter((frame) => (answeredMs[frame] ?? 0) < Number.POSITIVE_INFINITY);
    assert.ok(frames.length > 30);
    assert.ok((frames.at(-1) ?? 0) > 150);
  });

  it('answers more, or as much, with more time', () => {
    for (const [name, index] of Object.entries(clips)) {
      const gaps = [0.5, 1, 2, 4, 8].map((seconds) => run(index, seconds).visits.at(-1)?.largestGap ?? 0);
      const sorted = [...gaps].sort((a, b) => b - a);
      assert.deepEqual(gaps, sorted, name);
    }
  });

  it('takes what is here already before it fetches', () => {
    const index = clipOf({ frames: 500, gop: 50 });
    const slow = createCostModel({ ...usualSpeeds, bytesPerMs: 10 });
    const planner = createPlanner({
      index,
      cost: slow,
      stride: 'auto',
      missingBytes: (sample) => (sample < 200 ? 0 : (index.sizeBytes[sample] ?? 0)),
    });
    const frames: number[] = [];
    const moment = { nowMs: 0, softCutMs: 3000 };
    for (let visit = planner.next(moment); visit; visit = planner.next(moment)) frames.push(...visit.keep);
    assert.ok(frames.filter((frame) => frame < 200).length > 30);
    assert.ok(frames.filter((frame) => frame >= 200).length < 10);
  });

  it('wants nothing beyond the limit of a partial download', () => {
    const index = clips['GOP 50 with 2 B-frames, 750 frames'] ?? assert.fail();
    const planner = plannerOf(index, { limitBytes: 4e6 });
    const moment = { nowMs: 0, softCutMs: Number.POSITIVE_INFINITY };
    let lastByte = 0;
    for (let visit = planner.next(moment); visit; visit = planner.next(moment))
      lastByte = Math.max(lastByte, (index.offset[visit.lastSample] ?? 0) + (index.sizeBytes[visit.lastSample] ?? 0));
    assert.ok(lastByte <= 4e6 && lastByte > 3.9e6);
    assert.equal(planner.done, true);
  });

  it('counts the frames that models are still busy with', () => {
    const index = clips['a cut every second'] ?? assert.fail();
    const idle = plannerOf(index);
    const busy = plannerOf(index);
    idle.next({ nowMs: 0, softCutMs: 300 });
    busy.next({ nowMs: 0, softCutMs: 300 });
    assert.notEqual(idle.next({ nowMs: 0, softCutMs: 300 }), null);
    assert.equal(busy.next({ nowMs: 0, softCutMs: 300, backlogFrames: 24 }), null);
  });

  it('plans anew when it learns that the machine is slower', () => {
    const index = clips['GOP 50 with 2 B-frames, 750 frames'] ?? assert.fail();
    const truth = { ...usualSpeeds, keyMs: 36, referenceMs: 18, lateMs: 9, scaleMs: 6 };
    const { visits } = run(index, 4, { speeds: truth, believed: usualSpeeds });
    assert.ok((visits.at(-1)?.largestGap ?? 750) < 50, 'the whole clip all the same');
    assert.ok((visits.at(-1)?.decodedMs ?? 9999) < 4400);
  });

  for (const stride of [0, -1, 1.5, Number.NaN]) {
    it(`refuses a stride of ${stride}`, () => {
      assert.throws(() => plannerOf(clipOf({ frames: 3, gop: 3 }), { stride }), { code: 'ERR_OPTION' });
    });
  }

  it('survives an index that lies about keyframes and numbers', () => {
    const index = clipOf({ frames: 20, gop: 5 });
    for (const lie of [
      { ...index, sync: new Uint8Array(20) },
      { ...index, frameNumber: new Int32Array(20).fill(3) },
      { ...index, frameNumber: new Int32Array(20).fill(-1) },
      { ...index, frameCount: 30, framePtsUs: new Float64Array(30) },
    ]) {
      const frames = framesOf(visitsOf(lie, Number.POSITIVE_INFINITY));
      assert.equal(new Set(frames).size, frames.length);
    }
  });
});
