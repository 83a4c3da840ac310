import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { finishAnswer } from '../../../src/app/finished-answer.js';
import { createFinishTime, type ObservedFinish } from '../../../src/challenge/finish-time.js';
import { createTimeline } from '../../../src/challenge/timeline.js';
import { createAnswerEncoder } from '../../../src/questions/football/index.js';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const options = {
  event: {
    type: 'answer',
    answer: { width: 2, height: 2, frames: [], counts: { measured: 0, tracked: 0, interpolated: 0, held: 0 } },
    stoppedBy: 'end',
    measured: 0,
    late: false,
    cutLateMs: undefined,
  },
  target: 'clip.mp4',
  budgetMs: 1000,
  budgetFrom: 'request',
  device: 'cpu',
  source: undefined,
  decoder: '',
  passedOver: [],
  strategy: '',
} as const;

/** What is left of an answer when only that stays which a kept answer needs. */
async function finish() {
  const encoder = createAnswerEncoder();
  const { compressed, body, report } = await finishAnswer({
    ...options,
    encoder,
    timeline: createTimeline(),
    finishTime: createFinishTime({ lag: { ms: 0 } }),
  });
  body({});
  return { compressed, report, encoder: new WeakRef(encoder) };
}

describe('finishAnswer', () => {
  it('keeps neither encoder nor snapshot alive by what a kept answer holds', async () => {
    const { compressed, report, encoder } = await finish();
    // A WeakRef holds on until the end of the job that made it.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    assert.equal(encoder.deref(), undefined);
    compressed(1);
    assert.equal(report.decoder, '');
  });

  const courses: readonly (readonly [why: string, cutLateMs: number | undefined])[] = [
    ['and how late the cut came', 7],
    ['where no cut was needed', undefined],
  ];
  for (const [why, cutLateMs] of courses) {
    it(`tells what was done behind the cut, not what waited for somebody to ask, ${why}`, async () => {
      let nowMs = 960;
      const pass = (ms: number) => {
        nowMs += ms;
        return true;
      };
      const timeline = createTimeline({ now: () => nowMs, startedAtMs: 0 });
      timeline.mark('cut');
      pass(10);
      const observed: ObservedFinish[] = [];
      const compressed: number[] = [];
      const answer = await finishAnswer({
        ...options,
        event: { ...options.event, cutLateMs },
        encoder: {
          update: () => pass(10),
          pack: () => pass(5),
          json: () => new Uint8Array(pass(5) ? 2 : 0),
        },
        timeline,
        finishTime: {
          expectedMs: () => 0,
          observe: (one) => {
            observed.push(one);
            return (ms) => compressed.push(ms);
          },
        },
      });
      pass(5000);
      answer.body({});
      assert.deepEqual(observed, [{ frames: 0, writingMs: 30, cutLateMs }]);
      answer.compressed(12);
      assert.deepEqual(compressed, [12]);
    });
  }
});
