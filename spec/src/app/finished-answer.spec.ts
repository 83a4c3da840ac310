import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { finishAnswer } from '../../../src/app/finished-answer.js';
import { createFinishTime } from '../../../src/challenge/finish-time.js';
import { createTimeline } from '../../../src/challenge/timeline.js';
import { createAnswerEncoder } from '../../../src/questions/football/index.js';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** What is left of an answer when only that stays which a kept answer needs. */
async function finish() {
  const encoder = createAnswerEncoder();
  const { compressed, body, report } = await finishAnswer({
    event: {
      type: 'answer',
      answer: { width: 2, height: 2, frames: [], counts: { measured: 0, tracked: 0, interpolated: 0, held: 0 } },
      stoppedBy: 'end',
      measured: 0,
      late: false,
    },
    encoder,
    timeline: createTimeline(),
    finishTime: createFinishTime({ lag: { ms: 0 } }),
    target: 'clip.mp4',
    budgetMs: 1000,
    budgetFrom: 'request',
    device: 'cpu',
    source: undefined,
    decoder: '',
    passedOver: [],
    strategy: '',
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
});
