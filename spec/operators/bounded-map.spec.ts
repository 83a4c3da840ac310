import assert from 'node:assert/strict';
import {
  EMPTY,
  NEVER,
  Observable,
  type ObservableInput,
  of,
  range,
  Subject,
  take,
  takeUntil,
  timer,
  toArray,
} from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { boundedMap, TikitakaError } from '../../operators/index.js';

const pick = <R>(work: Record<string, R>) => {
  return (name: string): R => work[name] ?? assert.fail(`no work for ${name}`);
};

describe('boundedMap', () => {
  it(
    'keeps a few inputs at work and emits their results in the order of the inputs',
    marbles((m) => {
      const source$ = m.cold('   abc-----|');
      const a$ = m.cold('        ----a|');
      const b$ = m.cold('         -b|');
      const c$ = m.cold('             -c|');
      const subs = '             ^-------!';
      const aSubs = '            ^----!';
      const bSubs = '            -^-!';
      const cSubs = '            -----^-!';
      const result = '           ----abc-|';
      //                              b waits for a, both are out at 5
      const project = pick({ a: a$, b: b$, c: c$ });
      const result$ = source$.pipe(boundedMap({ project, concurrency: 2, maxQueued: 1 }));
      m.expect(result$).toBeObservable(result);
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(a$).toHaveSubscriptions(aSubs);
      m.expect(b$).toHaveSubscriptions(bSubs);
      m.expect(c$).toHaveSubscriptions(cSubs);
    }),
  );

  it(
    'emits the results of the oldest input as they come, the others when it is done',
    marbles((m) => {
      const source$ = m.cold('   ab|           ');
      const a$ = m.cold('        --1--2|       ');
      const b$ = m.cold('         -345-------6|');
      const result = '           --1--2(345)-6|';
      const project = pick({ a: a$, b: b$ });
      m.expect(source$.pipe(boundedMap({ project, concurrency: 2, maxQueued: 0 }))).toBeObservable(result);
    }),
  );

  it(
    'ends after the last result, or with an empty source, or never',
    marbles((m) => {
      const map = boundedMap<string, string>({ project: () => m.cold('---x|'), concurrency: 2, maxQueued: 9 });
      m.expect(m.cold('  -a|').pipe(map)).toBeObservable('----x|');
      m.expect(EMPTY.pipe(map)).toBeObservable('          |');
      m.expect(NEVER.pipe(map)).toBeObservable('          -');
      m.expect(m.cold('  -a-').pipe(map)).toBeObservable('----x-');
    }),
  );

  it(
    'lets work end without a result',
    marbles((m) => {
      const project = pick({ a: m.cold('--|'), b: m.cold('-b|') });
      m.expect(m.cold('ab|').pipe(boundedMap({ project, concurrency: 1, maxQueued: 1 }))).toBeObservable('---b|');
    }),
  );

  it(
    'is an error when one input too many waits; all that waited are handed back, work is cancelled',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   abcd-|');
      const a$ = m.cold('        ------a|');
      const subs = '             ^--!';
      const aSubs = '            ^--!';
      const result = '           ---#';
      const discarded = '        ---(bcd)';
      const error = new TikitakaError('ERR_OVERFLOW', 'more than 2 inputs wait');
      const project = pick({ a: a$ });
      const onDiscard = (item: string) => discarded$.next(item);
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(boundedMap({ project, concurrency: 1, maxQueued: 2, onDiscard }))).toBeObservable(
        result,
        undefined,
        error,
      );
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(a$).toHaveSubscriptions(aSubs);
    }),
  );

  it('gives that error a code', () => {
    let code: unknown;
    range(0, 3)
      .pipe(boundedMap({ project: () => NEVER, concurrency: 1, maxQueued: 1 }))
      .subscribe({
        error: (error: TikitakaError) => {
          code = error.code;
        },
      });
    assert.equal(code, 'ERR_OVERFLOW');
  });

  it(
    'cancels work and hands back what waits when its consumer leaves',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   abcd---|');
      const a$ = m.cold('        ------a|');
      const b$ = m.cold('         ------b|');
      const subs = '             ^---!';
      const bSubs = '            -^--!';
      const result = '           -----';
      const discarded = '        ----(cd)';
      const project = pick({ a: a$, b: b$ });
      const onDiscard = (item: string) => discarded$.next(item);
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(boundedMap({ project, concurrency: 2, maxQueued: 2, onDiscard })), subs).toBeObservable(
        result,
      );
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(a$).toHaveSubscriptions(subs);
      m.expect(b$).toHaveSubscriptions(bSubs);
    }),
  );

  it(
    'passes an error of the source or of the work on at once',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const a$ = m.cold('        ----#');
      const b$ = m.cold('         --#');
      const aSubs = '            ^--!';
      const project = pick({ a: a$, b: b$ });
      const onDiscard = (item: string) => discarded$.next(item);
      m.expect(discarded$).toBeObservable('---c');
      m.expect(
        m.cold('abc-----|').pipe(boundedMap({ project, concurrency: 2, maxQueued: 2, onDiscard })),
      ).toBeObservable('---#');
      m.expect(a$).toHaveSubscriptions(aSubs);
      m.expect(m.cold('a-#').pipe(boundedMap({ project: () => NEVER, concurrency: 1, maxQueued: 2 }))).toBeObservable(
        '--#',
      );
    }),
  );

  for (const [what, project] of [
    ['throws', () => assert.fail('no work')],
    ['returns no observable', () => 7 as unknown as ObservableInput<void>],
  ] as const) {
    it(`fails, and hands the input back, where project ${what}`, () => {
      const discarded: number[] = [];
      let failed: unknown;
      of(1)
        .pipe(boundedMap({ project, concurrency: 1, maxQueued: 0, onDiscard: (item) => discarded.push(item) }))
        .subscribe({
          error: (error) => {
            failed = error;
          },
        });
      assert.ok(failed instanceof Error);
      assert.deepEqual(discarded, [1]);
    });
  }

  it('hands an input back whose project makes the consumer leave, and does not begin its work', () => {
    const discarded: number[] = [];
    const leave$ = new Subject<void>();
    const project = () => {
      leave$.next();
      return new Observable<number>(() => assert.fail('begun after the consumer left'));
    };
    range(1, 3)
      .pipe(
        boundedMap({ project, concurrency: 1, maxQueued: 3, onDiscard: (item) => discarded.push(item) }),
        takeUntil(leave$),
      )
      .subscribe();
    assert.deepEqual(discarded, [1]);
  });

  it('counts inputs from 0', () => {
    const indexes: number[] = [];
    range(7, 3)
      .pipe(boundedMap({ project: (_, index) => of(indexes.push(index)), concurrency: 1, maxQueued: 0 }))
      .subscribe();
    assert.deepEqual(indexes, [0, 1, 2]);
  });

  it('stops synchronous work and a synchronous source when its consumer leaves', () => {
    let results: number[] = [];
    range(0, Number.POSITIVE_INFINITY)
      .pipe(
        boundedMap({ project: (x) => range(x, Number.POSITIVE_INFINITY), concurrency: 1, maxQueued: 0 }),
        take(3),
        toArray(),
      )
      .subscribe((all) => {
        results = all;
      });
    assert.deepEqual(results, [0, 1, 2]);
  });

  it('survives a long queue of synchronous work', () => {
    const gate$ = new Subject<number>();
    let count = 0;
    range(0, 5_000)
      .pipe(boundedMap({ project: (x) => (x === 0 ? gate$.pipe(take(1)) : of(x)), concurrency: 1, maxQueued: 5_000 }))
      .subscribe(() => count++);
    gate$.next(0);
    assert.equal(count, 5_000);
  });

  it('keeps the order when a result brings the next input at once', () => {
    const source$ = new Subject<number>();
    const results: string[] = [];
    source$
      .pipe(
        boundedMap({
          project: (x) => of(`${x}a`, `${x}b`),
          concurrency: 2,
          maxQueued: 2,
        }),
      )
      .subscribe((result) => {
        results.push(result);
        if (result === '1a') source$.next(2);
      });
    source$.next(1);
    assert.deepEqual(results, ['1a', '1b', '2a', '2b']);
  });

  for (const [reason, concurrency, maxQueued] of [
    ['no place', 0, 0],
    ['a negative queue', 1, -1],
    ['a queue without bound', 1, Number.POSITIVE_INFINITY],
  ] as const) {
    it(`refuses ${reason} when it is called`, () => {
      assert.throws(() => boundedMap({ project: () => timer(1), concurrency, maxQueued }), { code: 'ERR_OPTION' });
    });
  }
});
