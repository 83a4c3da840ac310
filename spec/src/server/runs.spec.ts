import assert from 'node:assert/strict';
import {
  asyncScheduler,
  catchError,
  firstValueFrom,
  map,
  type Observable,
  of,
  type SchedulerLike,
  Subject,
  switchMap,
} from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { TikitakaError } from '../../../operators/index.js';
import type { Answerer, AnswererEvent, Challenge } from '../../../src/server/answerer.js';
import { createRuns, type RunsOptions } from '../../../src/server/runs.js';

const events: Record<string, AnswererEvent> = {
  f: { type: 'first', read: () => '{}' },
  p: { type: 'progress', read: () => ({ framesMeasured: 1, framesTotal: 3, frames: [] }) },
  q: { type: 'progress', read: () => ({ framesMeasured: 2, framesTotal: 3, frames: [] }) },
  a: { type: 'answer', answer: { tail: Buffer.from('"frames":[]}') } },
  v: { type: 'answer', answer: { tail: Buffer.from('"frames":[]}'), version: 'v1' } },
  d: { type: 'answer', answer: { tail: Buffer.from('"frames":[]}'), disturbed: true } },
};
/** Errors as the letters that end a marble. */
const failures: Readonly<Record<string, string>> = {
  ERR_BUSY: 'B',
  ERR_SHUTDOWN: 'S',
  ERR_BUDGET_EMPTY: 'T',
  ERR_INTERNAL: 'I',
  ERR_DECODE: 'D',
};

const sharing = { joined: 'J', cached: 'C' };

type Marbles = Parameters<Parameters<typeof marbles>[0]>[0];
type Source = (videoUrl: string) => Observable<AnswererEvent>;

/** `join` gives one letter per event; an answer is A (own run), J (joined) or C (cached). */
function begin(
  scheduler: SchedulerLike,
  source: Source,
  changes: Partial<RunsOptions> & Pick<Answerer, 'isCurrent'> & { onStart?: (challenge: Challenge) => void } = {},
) {
  const { isCurrent, onStart, ...options } = changes;
  const answer = (challenge: Challenge) => {
    onStart?.(challenge);
    return source(challenge.videoUrl);
  };
  const runs = createRuns({
    answerer: { answer, ...(isCurrent ? { isCurrent } : {}) },
    maxConcurrent: 1,
    cacheTtlMs: 0,
    cacheMaxBytes: 1 << 20,
    revalidateMs: 300,
    maxRunMs: 1_000,
    scheduler,
    ...options,
  });
  const join = (videoUrl = 'x') =>
    runs.join({ challengeId: 'c', videoUrl, receivedAtMs: 0 }).pipe(
      map((event) => {
        if (event.type === 'first') return 'f';
        if (event.type === 'progress') return event.read().framesMeasured === 1 ? 'p' : 'q';
        return event.shared ? sharing[event.shared] : 'A';
      }),
      catchError(({ code }: TikitakaError) => of(failures[code] ?? code)),
    );
  return { runs, join };
}

/** Joins when the source emits. */
const mergeJoin = (join: () => Observable<string>) => switchMap(() => join());

describe('createRuns', () => {
  it(
    'ends a run with its answer',
    marbles((m) => {
      const run$ = m.cold('  --f-p-a--p-|', events);
      const subs = '         ^-----!';
      const result = '       --f-p-(A|)';
      const { join } = begin(m.scheduler, () => run$);
      m.expect(join()).toBeObservable(result);
      m.expect(run$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'starts nothing before it is subscribed to',
    marbles((m) => {
      const run$ = m.cold('  a', events);
      const { join, runs } = begin(m.scheduler, () => run$);
      join();
      m.expect(run$).toHaveSubscriptions([]);
      assert.equal(runs.active, 0);
    }),
  );

  it(
    'shares the run of a URL: a late joiner gets the first event, the latest, and the rest',
    marbles((m) => {
      const run$ = m.cold('  --f-p-q------a', events);
      const subs = '         ^------------!';
      const first = '        --f-p-q------(A|)';
      const late = '         -------(fq)--(J|)';
      const { join } = begin(m.scheduler, () => run$);
      m.expect(join()).toBeObservable(first);
      m.expect(m.cold('    -------(x|)').pipe(mergeJoin(() => join()))).toBeObservable(late);
      m.expect(run$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'goes on while anybody listens, and ends with the last who leaves',
    marbles((m) => {
      const run$ = m.cold('  --f---p---q---a', events);
      const subs = '         ^-------!';
      const firstLeaves = '  ^---!';
      const secondLeaves = ' ^-------!';
      const { join, runs } = begin(m.scheduler, () => run$);
      m.expect(join(), firstLeaves).toBeObservable('--f--');
      m.expect(join(), secondLeaves).toBeObservable('--f---p--');
      m.expect(run$).toHaveSubscriptions(subs);
      m.scheduler.schedule(() => assert.equal(runs.active, 0), 9);
    }),
  );

  it(
    'refuses another URL at once while all places are taken, and takes it afterwards',
    marbles((m) => {
      const run$ = m.cold('  --a', events);
      const { join, runs } = begin(m.scheduler, () => run$);
      m.expect(join('x')).toBeObservable('--(A|)');
      m.expect(join('y')).toBeObservable('(B|)');
      const later = m.cold('---(x|)').pipe(mergeJoin(() => join('y')));
      m.expect(later).toBeObservable('-----(A|)');
      m.scheduler.schedule(() => assert.equal(runs.free, false), 1);
    }),
  );

  it(
    'runs as many at once as it may',
    marbles((m) => {
      const { join } = begin(m.scheduler, () => m.cold('--a', events), { maxConcurrent: 2 });
      m.expect(join('x')).toBeObservable('--(A|)');
      m.expect(join('y')).toBeObservable('--(A|)');
      m.expect(join('z')).toBeObservable('(B|)');
    }),
  );

  it(
    'gives the error to everybody, keeps nothing of it, and is free again',
    marbles((m) => {
      const failed = new TikitakaError('ERR_DECODE', 'x');
      const sources = [m.cold<AnswererEvent>('--#', events, failed), m.cold('a', events)];
      const { join } = begin(m.scheduler, () => sources.shift() ?? of(), { cacheTtlMs: 100 });
      m.expect(join()).toBeObservable('--(D|)');
      m.expect(join()).toBeObservable('--(D|)');
      m.expect(m.cold('---(x|)').pipe(mergeJoin(() => join()))).toBeObservable('---(A|)');
    }),
  );

  it(
    'calls it an error when a run ends without an answer',
    marbles((m) => {
      const { join } = begin(m.scheduler, () => m.cold('-f-|', events));
      m.expect(join()).toBeObservable('-f-(I|)');
    }),
  );

  it(
    'cuts a run that does not end',
    marbles((m) => {
      const run$ = m.cold('  -f', events);
      const { join } = begin(m.scheduler, () => run$, { maxRunMs: 5 });
      m.expect(join()).toBeObservable('-f---(T|)');
      m.expect(run$).toHaveSubscriptions('^----!');
    }),
  );

  describe('kept answers', () => {
    it(
      'go to later callers until they expire',
      marbles((m) => {
        const run$ = m.cold('  -a', events);
        const { join } = begin(m.scheduler, () => run$, { cacheTtlMs: 4 });
        m.expect(join()).toBeObservable('-(A|)');
        m.expect(m.cold('----(x|)').pipe(mergeJoin(() => join()))).toBeObservable('----(C|)');
        m.expect(m.cold('-----(x|)').pipe(mergeJoin(() => join()))).toBeObservable('------(A|)');
        m.expect(run$).toHaveSubscriptions(['^!', '-----^!']);
      }),
    );

    it(
      'are given out while another clip is being answered',
      marbles((m) => {
        const { join } = begin(m.scheduler, (url) => m.cold(url === 'x' ? 'a' : '---------a', events), {
          cacheTtlMs: 100,
        });
        m.expect(join('x')).toBeObservable('(A|)');
        m.expect(m.cold('-(y|)').pipe(mergeJoin(() => join('y')))).toBeObservable('----------(A|)');
        m.expect(m.cold('---(x|)').pipe(mergeJoin(() => join('x')))).toBeObservable('---(C|)');
      }),
    );

    describe('with a version are asked about first', () => {
      const run = (m: Marbles) => m.cold('--v', events);
      /** The clip is answered by frame 3; its origin says `asked` to each later question. */
      const set = (m: Marbles, asked: string, over: Partial<RunsOptions> = {}) => {
        const run$ = run(m);
        const question$ = m.cold(asked, { t: true, f: false });
        const { join, runs } = begin(m.scheduler, (url) => (url === 'x' ? run$ : run(m)), {
          cacheTtlMs: 100,
          revalidateMs: 5,
          isCurrent: () => question$,
          ...over,
        });
        m.expect(join()).toBeObservable('--(A|)');
        const at = (time: string, url = 'x') => m.cold(time).pipe(mergeJoin(() => join(url)));
        return { run$, question$, at, runs };
      };

      for (const [why, asked, subscription, result] of [
        ['it still is the same', '--t', '----^-!', '------(C|)'],
        ['the origin is silent: unasked after the limit', '-', '----^----!', '---------(C|)'],
        ['the origin cannot be asked', '-#', '----^!', '-----(C|)'],
      ] as const) {
        it(
          `and sent: ${why}`,
          marbles((m) => {
            const { run$, question$, at } = set(m, asked);
            m.expect(at('----(x|)')).toBeObservable(result);
            m.expect(question$).toHaveSubscriptions(subscription);
            m.expect(run$).toHaveSubscriptions('^-!');
          }),
        );
      }

      it(
        'and made anew with a full budget where the file is another one',
        marbles((m) => {
          const received: number[] = [];
          const { join } = begin(m.scheduler, () => m.cold('--v', events), {
            cacheTtlMs: 100,
            isCurrent: () => m.cold('---f', { f: false }),
            onStart: ({ receivedAtMs }) => received.push(receivedAtMs),
          });
          m.expect(join()).toBeObservable('--(A|)');
          m.expect(m.cold('----(x|)').pipe(mergeJoin(() => join()))).toBeObservable('---------(A|)');
          m.expect(m.cold('----------(x|)').pipe(mergeJoin(() => join()))).toBeObservable('---------------(A|)');
          m.flush();
          assert.deepEqual(received, [0, 3, 3]);
        }),
      );

      it(
        'as work that takes a place: others are refused meanwhile, callers of the same clip share the question',
        marbles((m) => {
          const { question$, at, runs } = set(m, '---t');
          m.expect(at('----(x|)')).toBeObservable(' -------(C|)');
          m.expect(at('-----(x|)')).toBeObservable('-------(C|)');
          m.expect(at('-----(x|)', 'y')).toBeObservable('-----(B|)');
          m.expect(question$).toHaveSubscriptions('----^--!');
          const free: boolean[] = [];
          for (const ms of [3, 6, 8]) m.scheduler.schedule(() => free.push(runs.free), ms);
          m.flush();
          assert.deepEqual(free, [true, false, true]);
        }),
      );

      it(
        'not where every place is taken: sent unasked',
        marbles((m) => {
          const { question$, at } = set(m, '---t');
          m.expect(at('---(x|)', 'y')).toBeObservable('-----(A|)');
          m.expect(at('----(x|)')).toBeObservable('    ----(C|)');
          m.expect(question$).toHaveSubscriptions([]);
        }),
      );

      it(
        'not where the limit is 0: sent unasked',
        marbles((m) => {
          const { question$, at } = set(m, '---t', { revalidateMs: 0 });
          m.expect(at('----(x|)')).toBeObservable('----(C|)');
          m.expect(question$).toHaveSubscriptions([]);
        }),
      );

      it(
        'no longer than somebody waits',
        marbles((m) => {
          const { question$, at, runs } = set(m, '-');
          m.expect(at('----(x|)'), '^-----!').toBeObservable('------');
          m.expect(question$).toHaveSubscriptions('----^-!');
          m.flush();
          assert.equal(runs.active, 0);
        }),
      );

      it(
        'unless the server is cut',
        marbles((m) => {
          const { question$, at, runs } = set(m, '-');
          m.scheduler.schedule(() => runs.cut(), 6);
          m.expect(at('----(x|)')).toBeObservable('------(S|)');
          m.expect(question$).toHaveSubscriptions('----^-!');
        }),
      );
    });

    it(
      'are not what a fault disturbed: it is sent, and the next caller gets a new run',
      marbles((m) => {
        const { join } = begin(m.scheduler, () => m.cold('-d', events), { cacheTtlMs: 100 });
        m.expect(join()).toBeObservable('-(A|)');
        m.expect(m.cold('--(x|)').pipe(mergeJoin(() => join()))).toBeObservable('---(A|)');
      }),
    );
  });

  describe('shutting down', () => {
    it(
      'drain refuses what comes and lets go on what runs',
      marbles((m) => {
        const { join, runs } = begin(m.scheduler, () => m.cold('----a', events));
        m.expect(join()).toBeObservable('----(A|)');
        m.scheduler.schedule(() => runs.drain(), 1);
        m.expect(m.cold('--(x|)').pipe(mergeJoin(() => join()))).toBeObservable('--(S|)');
        m.expect(m.cold('--(x|)').pipe(mergeJoin(() => join('y')))).toBeObservable('--(S|)');
      }),
    );

    it(
      'cut ends what runs',
      marbles((m) => {
        const run$ = m.cold('  -f', events);
        const { join, runs } = begin(m.scheduler, () => run$);
        m.scheduler.schedule(() => runs.cut(), 3);
        m.expect(join()).toBeObservable('-f-(S|)');
        m.expect(run$).toHaveSubscriptions('^--!');
      }),
    );

    it('idle resolves when the last run has ended, at once where there is none', async () => {
      const run$ = new Subject<AnswererEvent>();
      const { join, runs } = begin(asyncScheduler, () => run$);
      await runs.idle();
      const subscription = join().subscribe();
      let idle = false;
      const waiting = runs.idle().then(() => {
        idle = true;
      });
      await Promise.resolve();
      assert.equal(idle, false);
      subscription.unsubscribe();
      await waiting;
    });
  });

  it('bounds the callers of one run', async () => {
    const { join } = begin(asyncScheduler, () => new Subject<AnswererEvent>());
    const callers = Array.from({ length: 256 }, () => join().subscribe());
    assert.equal(await firstValueFrom(join()), 'B');
    callers.pop()?.unsubscribe();
    callers.push(join().subscribe(assert.fail));
    for (const caller of callers) caller.unsubscribe();
  });

  it('rejects fewer than one run at once', () => {
    assert.throws(() => begin(asyncScheduler, () => of(), { maxConcurrent: 0 }), { code: 'ERR_OPTION' });
  });
});
