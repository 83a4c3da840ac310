import assert from 'node:assert/strict';
import { finalize, map, NEVER, type Observable, of, type SchedulerLike, takeWhile, throwError } from 'rxjs';
import { delay } from 'rxjs/operators';
import { marbles } from 'rxjs-marbles/mocha';
import { TikitakaError } from '../../../operators/index.js';
import {
  type AnswerEvent,
  type AnswerOptions,
  type AnswerPorts,
  answerClip,
  type OpenedClip,
} from '../../../src/challenge/answer.js';
import type { Eye } from '../../../src/challenge/question.js';
import { createTimeline } from '../../../src/challenge/timeline.js';
import type { Frame } from '../../../src/decode/index.js';

type Marbles = Parameters<Parameters<typeof marbles>[0]>[0];

const options: AnswerOptions = {
  budgetMs: Number.POSITIVE_INFINITY,
  finishMs: () => 0,
  batch: { maxSize: 4, firstSize: 1, maxWaitMs: 3 },
  deterministic: false,
};

/** Counts what the pipeline owns: every frame that was made must come back, lent ones not before their run ended. */
class Ledger {
  made = 0;
  released = 0;
  running = 0;
  readBytes = false;

  frame(index: number): Frame {
    this.made++;
    let open = true;
    return {
      index,
      ptsUs: index * 40_000,
      keyframe: index === 0,
      pixels: new Uint8Array(4 * 4 * 3),
      sourceWidth: 1920,
      sourceHeight: 1080,
      lend: () => {},
      release: () => {
        assert.ok(open, `frame ${index} is released twice`);
        open = false;
        this.released++;
      },
    };
  }

  settled() {
    assert.equal(this.released, this.made, 'every frame came back');
    assert.equal(this.readBytes, false, 'the source was left');
    assert.equal(this.running, 0, 'no run goes on');
  }
}

/** What the eye of these specs finds: the number of the picture. */
type Finding = number;

/** One look takes `runMs` and, like a native one, goes on after it was abandoned. */
function fakeEye(
  ledger: Ledger,
  scheduler: SchedulerLike,
  { runMs = 2, fail }: { runMs?: number; fail?: (run: number) => Error | undefined } = {},
): Eye<Finding> {
  let runs = 0;
  let freeAtMs = 0;
  return {
    input: { width: 4, height: 4, fit: 'stretch', filter: 'area' },
    maxBatch: 4,
    device: 'fake',
    predictMs: () => runMs,
    look: (frames, onReturn) => {
      const error = fail?.(runs++);
      // Like a process: one run after another, however many are handed over.
      freeAtMs = Math.max(freeAtMs, scheduler.now()) + runMs;
      const waitMs = freeAtMs - scheduler.now();
      ledger.running++;
      scheduler.schedule(() => {
        ledger.running--;
        onReturn();
      }, waitMs);
      return of(frames.map(({ index }) => index)).pipe(
        delay(waitMs, scheduler),
        map((list) => {
          if (error) throw error;
          return list;
        }),
      );
    },
  };
}

interface Setting {
  readonly frames: Observable<string> | ((budget: Parameters<OpenedClip['read']>[0]) => Observable<string>);
  readonly open?: Observable<unknown>;
  readonly frameCount?: number;
  readonly eye?: Eye<Finding>;
  readonly cutShort?: boolean;
  readonly disturbance?: TikitakaError;
}

/** Letters of `frames` are frame numbers: a = 0, b = 1, … */
function run(m: Marbles, ledger: Ledger, setting: Setting, over: Partial<AnswerOptions> = {}): Observable<string> {
  const clip: OpenedClip = {
    width: 1920,
    height: 1080,
    frameCount: setting.frameCount ?? 10,
    cutShort: setting.cutShort ?? false,
    disturbance: () => setting.disturbance,
    frames: {},
    read: (budget) => {
      ledger.readBytes = true;
      return (typeof setting.frames === 'function' ? setting.frames(budget) : setting.frames).pipe(
        map((letter) => ledger.frame(letter.charCodeAt(0) - 97)),
        finalize(() => {
          ledger.readBytes = false;
        }),
      );
    },
  };
  const ports: AnswerPorts<Finding, { readonly frames: number }> = {
    open: () => (setting.open ?? of(0)).pipe(map(() => clip)),
    question: {
      eye: setting.eye ?? fakeEye(ledger, m.scheduler),
      begin: ({ frameCount = 0 }) => ({ add: () => {}, refresh: () => true, snapshot: () => ({ frames: frameCount }) }),
    },
    timeline: createTimeline({ now: () => m.scheduler.now() }),
    scheduler: m.scheduler,
  };
  return answerClip(ports, { ...options, ...over }).pipe(map(tell));
}

function tell(event: AnswerEvent<Finding, { readonly frames: number }>): string {
  if (event.type === 'findings') return `${event.first ? 'first ' : ''}${event.findings.join()}`;
  const { stoppedBy, measured, answer, late, problem } = event;
  return `${late ? 'late, ' : ''}${stoppedBy} ${measured}/${answer.frames}${problem ? ` ${problem.code}` : ''}`;
}

/** Each case also asserts that nothing is left behind. */
const specify = (what: string, body: (m: Marbles, ledger: Ledger) => void) =>
  it(
    what,
    marbles((m) => {
      const ledger = new Ledger();
      body(m, ledger);
      m.flush();
      ledger.settled();
    }),
  );

const budgetEmpty = (budgetMs: number, reached: string) =>
  new TikitakaError('ERR_BUDGET_EMPTY', `the budget of ${budgetMs} ms ended before any finding, during ${reached}`);

describe('answerClip in virtual time', () => {
  specify('answers a short clip to its end, the first frame in a batch of its own', (m, ledger) => {
    const frames = m.cold('  abc|');
    const expected = '        --F-(GA|)';
    const values = { F: 'first 0', G: '1,2', A: 'end 3/10' };
    m.expect(run(m, ledger, { frames })).toBeObservable(expected, values);
  });

  specify('ramps the batches: 1, 2, 4', (m, ledger) => {
    const frames = m.cold('  (abcdefg|)');
    const expected = '        --F-G-(HA|)';
    const values = { F: 'first 0', G: '1,2', H: '3,4,5,6', A: 'end 7/10' };
    m.expect(run(m, ledger, { frames })).toBeObservable(expected, values);
  });

  specify('lets no frame wait while the models are idle', (m, ledger) => {
    const frames = m.cold('  a--b------c|');
    const expected = '        --F--G------(HA|)';
    const values = { F: 'first 0', G: '1', H: '2', A: 'end 3/10' };
    m.expect(run(m, ledger, { frames })).toBeObservable(expected, values);
  });

  specify('closes a batch that waits too long for a slow source', (m, ledger) => {
    const eye = fakeEye(ledger, m.scheduler, { runMs: 10 });
    const frames = m.cold('  ab----c|');
    const expected = '        ----------F---------G---------(HA|)';
    const values = { F: 'first 0', G: '1', H: '2', A: 'end 3/10' };
    m.expect(run(m, ledger, { frames, eye })).toBeObservable(expected, values);
  });

  specify('takes only the frames that the source gives: a strided plan is answered whole', (m, ledger) => {
    const frames = m.cold('  (ace|)');
    const expected = '        --F-(GA|)';
    const values = { F: 'first 0', G: '2,4', A: 'end 3/5' };
    m.expect(run(m, ledger, { frames, frameCount: 5 })).toBeObservable(expected, values);
  });

  specify('stops taking frames at the soft cut and lets what is in flight finish', (m, ledger) => {
    const frames = m.cold('   a---b---c---d---e');
    const subscription = '   ^-------!         ';
    const expected = '         --F---G-(A|)';
    const values = { F: 'first 0', G: '1', A: 'budget 2/10' };
    m.expect(run(m, ledger, { frames }, { budgetMs: 10 })).toBeObservable(expected, values);
    m.expect(frames).toHaveSubscriptions(subscription);
  });

  specify('leaves at the hard cut whatever a run is doing', (m, ledger) => {
    const eye = fakeEye(ledger, m.scheduler, { runMs: 2 });
    const slow: Eye<Finding> = {
      ...eye,
      look: (frames, onReturn) =>
        (ledger.made > 1 ? fakeEye(ledger, m.scheduler, { runMs: 50 }) : eye).look(frames, onReturn),
    };
    const frames = m.cold('   abc');
    const subscription = '   ^-------!  ';
    const expected = '         --F-------(A|)';
    const values = { F: 'first 0', A: 'budget 1/10' };
    m.expect(run(m, ledger, { frames, eye: slow }, { budgetMs: 10 })).toBeObservable(expected, values);
    m.expect(frames).toHaveSubscriptions(subscription);
  });

  specify('answers on time when the source stalls', (m, ledger) => {
    const frames = m.cold('   a---------------------');
    const subscription = '   ^-----------------!   ';
    const expected = '         --F---------------(A|)';
    const values = { F: 'first 0', A: 'budget 1/10' };
    m.expect(run(m, ledger, { frames }, { budgetMs: 20 })).toBeObservable(expected, values);
    m.expect(frames).toHaveSubscriptions(subscription);
  });

  specify('keeps the time for the last snapshot free', (m, ledger) => {
    const frames = m.cold('   a---------------------');
    const expected = '         --F----------(A|)';
    const values = { F: 'first 0', A: 'budget 1/10' };
    m.expect(run(m, ledger, { frames }, { budgetMs: 20, finishMs: () => 5 })).toBeObservable(expected, values);
  });

  specify('counts the budget from the first frame where asked', (m, ledger) => {
    const frames = m.cold('   -----a----------------');
    const expected = '         -------F-----(A|)';
    const values = { F: 'first 0', A: 'budget 1/10' };
    const over = { budgetMs: 10, afterFirstFrame: { timeoutMs: 20 } };
    m.expect(run(m, ledger, { frames }, over)).toBeObservable(expected, values);
  });

  specify('starts the budget at the latest when the first frame times out', (m, ledger) => {
    const frames = m.cold('   ---------------a------');
    const expected = '         -------------#';
    const over = { budgetMs: 10, afterFirstFrame: { timeoutMs: 5 } };
    m.expect(run(m, ledger, { frames }, over)).toBeObservable(expected, {}, budgetEmpty(10, 'decode'));
  });

  specify('says how far it came when the budget ends before any finding', (m, ledger) => {
    const expected = '         ----------#';
    const setting = { open: NEVER, frames: m.cold<string>('-') };
    m.expect(run(m, ledger, setting, { budgetMs: 10 })).toBeObservable(expected, {}, budgetEmpty(10, 'open'));
  });

  describe('with a budget that ends before anything was found', () => {
    const waiting = { budgetMs: 10, onEmpty: { waitMs: 30 } };
    const values = { F: 'first 0', G: '1,2', H: '3', A: 'late, budget 1/10', B: 'late, budget 3/10' };

    specify('waits for the first frame, and says that the answer is late', (m, ledger) => {
      const frames = m.cold('   ---------------(a|)');
      const expected = '         -----------------(FA|)';
      m.expect(run(m, ledger, { frames, cutShort: true }, waiting)).toBeObservable(expected, values);
    });

    specify('waits for a slow opening', (m, ledger) => {
      const open = m.cold('     ------------(o|)');
      const frames = m.cold('               (a|)');
      const expected = '         --------------(FA|)';
      m.expect(run(m, ledger, { open, frames, cutShort: true }, waiting)).toBeObservable(expected, values);
    });

    specify('goes on for a first look at the whole clip only, and answers when it is taken', (m, ledger) => {
      // Like the planner: what comes behind the first look is not wanted any more.
      const frames = ({ isOverdue }: Parameters<OpenedClip['read']>[0]) =>
        m.cold('                ------------abcdefgh').pipe(takeWhile((letter) => letter < 'd' || !isOverdue()));
      const expected = '         --------------F-(GB|)';
      m.expect(run(m, ledger, { frames, cutShort: true }, waiting)).toBeObservable(expected, values);
    });

    specify('answers at the last moment with what there is', (m, ledger) => {
      const frames = m.cold('   ------------a-----------------------');
      const subscription = '   ^---------------------------!       ';
      const expected = '         --------------F-------------(A|)    ';
      m.expect(run(m, ledger, { frames }, waiting)).toBeObservable(expected, values);
      m.expect(frames).toHaveSubscriptions(subscription);
    });

    specify('fails where nothing comes, at the last moment', (m, ledger) => {
      const expected = '         ----------------------------#';
      const error = new TikitakaError(
        'ERR_BUDGET_EMPTY',
        'the budget of 10 ms (waited for 30 ms) ended before any finding, during decode',
      );
      m.expect(run(m, ledger, { frames: m.cold('-') }, waiting)).toBeObservable(expected, values, error);
    });

    specify('keeps to the budget where something is found in time, however late it began', (m, ledger) => {
      const frames = m.cold('   -------a----b---');
      const subscription = '   ^--------!      ';
      const expected = '         ---------(FA|)';
      const inTime = { ...values, A: 'budget 1/10' };
      m.expect(run(m, ledger, { frames }, { ...waiting, finishMs: () => 0 })).toBeObservable(expected, inTime);
      m.expect(frames).toHaveSubscriptions(subscription);
    });

    specify('takes in on while a run that was predicted to end in time does not', (m, ledger) => {
      const slow = { ...fakeEye(ledger, m.scheduler, { runMs: 8 }), predictMs: () => 2 };
      const frames = m.cold('   -----a-----(bc|)');
      const expected = '         -------------F-------(GB|)';
      m.expect(run(m, ledger, { frames, eye: slow }, waiting)).toBeObservable(expected, {
        ...values,
        B: 'late, end 3/10',
      });
    });

    specify('does not wait where the time to wait is over before the budget', (m, ledger) => {
      const expected = '         --------#';
      const over = { budgetMs: 10, onEmpty: { waitMs: 5 } };
      m.expect(run(m, ledger, { frames: m.cold('-') }, over)).toBeObservable(
        expected,
        values,
        budgetEmpty(10, 'decode'),
      );
    });

    specify('counts what is kept free from the last moment, too', (m, ledger) => {
      const frames = m.cold('   ------------a-----------------------');
      const expected = '         --------------F--------(A|)';
      m.expect(run(m, ledger, { frames }, { ...waiting, finishMs: () => 5 })).toBeObservable(expected, values);
    });
  });

  specify('passes on a failure to open', (m, ledger) => {
    const error = new TikitakaError('ERR_SOURCE_STATUS', '404');
    const setting = { open: throwError(() => error), frames: m.cold<string>('-') };
    m.expect(run(m, ledger, setting)).toBeObservable('#', {}, error);
  });

  specify('answers what was decoded when the source fails', (m, ledger) => {
    const frames = m.cold('   abc#', undefined, new TikitakaError('ERR_SOURCE_TRUNCATED', 'short'));
    const expected = '         --F-(GA|)';
    const values = { F: 'first 0', G: '1,2', A: 'error 3/10 ERR_SOURCE_TRUNCATED' };
    m.expect(run(m, ledger, { frames })).toBeObservable(expected, values);
  });

  specify('fails with the source when nothing was found', (m, ledger) => {
    const error = new TikitakaError('ERR_DECODE', 'corrupt');
    m.expect(run(m, ledger, { frames: m.cold('--#', undefined, error) })).toBeObservable('--#', {}, error);
  });

  specify('loses only the batch of a process that died', (m, ledger) => {
    const eye = fakeEye(ledger, m.scheduler, {
      fail: (i) => (i === 1 ? new TikitakaError('ERR_INFERENCE', 'killed', { retryable: true }) : undefined),
    });
    const frames = m.cold('  (abcdefg|)');
    const expected = '        --F---(HA|)';
    const values = { F: 'first 0', H: '3,4,5,6', A: 'error 5/10 ERR_INFERENCE' };
    m.expect(run(m, ledger, { frames, eye })).toBeObservable(expected, values);
  });

  specify('ends with what it has when inference fails for good', (m, ledger) => {
    const eye = fakeEye(ledger, m.scheduler, {
      fail: (i) => (i === 1 ? new TikitakaError('ERR_INFERENCE', 'broken') : undefined),
    });
    const frames = m.cold('  (abcdefg|)');
    const expected = '        --F-(A|)';
    const values = { F: 'first 0', A: 'error 1/10 ERR_INFERENCE' };
    m.expect(run(m, ledger, { frames, eye })).toBeObservable(expected, values);
  });

  describe('says what stopped it', () => {
    const failed = new TikitakaError('ERR_SOURCE_STATUS', '404');
    const stalled = new TikitakaError('ERR_SOURCE_STALLED', 'silent');
    const rows: readonly [why: string, frames: string, budgetMs: number, setting: Partial<Setting>, said: string][] = [
      ['every frame of the plan is answered', '(a|)', 20, {}, 'end'],
      ['no visit fits the time that is left, long before its end', '(a|)', 20, { cutShort: true }, 'plan'],
      ['no visit fits the time that is left, and by now it is up', '(a|)', 4, { cutShort: true }, 'budget'],
      ['the time is up', 'a', 20, { cutShort: true }, 'budget'],
      ['the source failed, with frames left', '(a#)', 20, { cutShort: true }, 'error ERR_SOURCE_STATUS'],
      ['the source failed with the last frame', '(a#)', 20, {}, 'error ERR_SOURCE_STATUS'],
      ['the origin was silent until the time was up', 'a', 20, { disturbance: stalled }, 'error ERR_SOURCE_STALLED'],
      [
        'the origin was silent for long, and then not',
        '(a|)',
        20,
        { disturbance: stalled },
        'error ERR_SOURCE_STALLED',
      ],
    ];
    for (const [why, frames, budgetMs, setting, said] of rows) {
      specify(`${said}: ${why}`, (m, ledger) => {
        const told: string[] = [];
        const frames$ = m.cold(frames, undefined, failed);
        run(m, ledger, { frames: frames$, ...setting }, { budgetMs }).subscribe((event) => told.push(event));
        m.flush();
        const [stoppedBy, , problem = ''] = told.at(-1)?.split(' ') ?? [];
        assert.equal(`${stoppedBy} ${problem}`.trim(), said);
      });
    }

    specify('a silent origin is no answer to nothing found: that is the budget', (m, ledger) => {
      const setting = { frames: m.cold<string>('-'), disturbance: stalled };
      const expected = '--------#';
      m.expect(run(m, ledger, setting, { budgetMs: 10 })).toBeObservable(expected, {}, budgetEmpty(10, 'decode'));
    });
  });

  specify('ignores the clock in deterministic mode', (m, ledger) => {
    const frames = m.cold('  a-b-c-d-e-f-|');
    const expected = '        --------F-----(GA|)';
    const values = { F: 'first 0,1,2,3', G: '4,5', A: 'end 6/10' };
    const over = {
      budgetMs: 5,
      deterministic: true,
      batch: { maxSize: 4, firstSize: 1, maxWaitMs: Number.POSITIVE_INFINITY },
    };
    m.expect(run(m, ledger, { frames }, over)).toBeObservable(expected, values);
  });

  specify('hands everything back when the caller leaves', (m, ledger) => {
    const frames = m.cold('   abcdefgh');
    const caller = '         ^----!   ';
    const expected = '         --F-G----';
    m.expect(run(m, ledger, { frames }), caller).toBeObservable(expected, { F: 'first 0', G: '1,2' });
    m.expect(frames).toHaveSubscriptions(caller);
  });
});
