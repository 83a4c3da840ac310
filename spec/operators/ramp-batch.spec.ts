import assert from 'node:assert/strict';
import { EMPTY, NEVER, range, Subject, take, toArray } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { rampBatch } from '../../operators/index.js';

const x = ['a', 'b'];

describe('rampBatch', () => {
  it(
    'closes a batch at its growing size, or a wait after its first item, and flushes the last',
    marbles((m) => {
      const source$ = m.cold('   -ab-cdef-g-----------h-|');
      const subs = '             ^----------------------!';
      const result = '           --x----y-------z-------(w|)';
      const values = { x, y: ['c', 'd', 'e', 'f'], z: ['g'], w: ['h'] };
      const result$ = source$.pipe(rampBatch({ maxSize: 4, maxWaitMs: 6, scheduler: m.scheduler }));
      m.expect(result$).toBeObservable(result, values);
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'hands the first item on at once where the first size is 1',
    marbles((m) => {
      const source$ = m.cold('   -a--b--cd-|');
      const result = '           -v-----w--(y|)';
      const values = { v: ['a'], w: ['b', 'c'], y: ['d'] };
      const batch = rampBatch<string>({ maxSize: 4, firstSize: 1, maxWaitMs: 50, scheduler: m.scheduler });
      m.expect(source$.pipe(batch)).toBeObservable(result, values);
    }),
  );

  it(
    'counts the wait from the first item of a batch, not from the last',
    marbles((m) => {
      const source$ = m.cold('   -a-b-c----|');
      const result = '           -----y----|';
      const batch = rampBatch<string>({ maxSize: 9, firstSize: 9, maxWaitMs: 4, scheduler: m.scheduler });
      m.expect(source$.pipe(batch)).toBeObservable(result, { y: ['a', 'b', 'c'] });
    }),
  );

  it(
    'stops the wait of a batch that is full: the next one has its own',
    marbles((m) => {
      const source$ = m.cold('   ab-c-------|');
      const result = '           -x-----y---|';
      const batch = rampBatch<string>({ maxSize: 2, maxWaitMs: 4, scheduler: m.scheduler });
      m.expect(source$.pipe(batch)).toBeObservable(result, { x, y: ['c'] });
    }),
  );

  it(
    'waits for nothing while the stage below has nothing to do',
    marbles((m) => {
      const source$ = m.cold('   abc------defg-h--|');
      const idle$ = m.cold('     ----i---i----i---i');
      const subs = '             ^----------------!';
      const result = '           v---w----x---y---(z|)';
      const values = { v: ['a'], w: ['b', 'c'], x: ['d'], y: ['e', 'f', 'g'], z: ['h'] };
      const batch = rampBatch<string>({ maxSize: 4, firstSize: 4, maxWaitMs: 50, idle$, scheduler: m.scheduler });
      m.expect(source$.pipe(batch)).toBeObservable(result, values);
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(idle$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'fails with the stage below, and hands the open batch back',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   abc--');
      const idle$ = m.cold('     ---#');
      const subs = '             ^--!';
      const result = '           v--#';
      const discarded = '        ---(bc)';
      const batch = rampBatch<string>({
        maxSize: 4,
        maxWaitMs: 50,
        firstSize: 4,
        idle$,
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(batch)).toBeObservable(result, { v: ['a'] });
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'emits nothing, not even an empty list, where nothing comes',
    marbles((m) => {
      const batch = rampBatch<string>({ maxSize: 2, maxWaitMs: 2, scheduler: m.scheduler });
      m.expect(NEVER.pipe(batch)).toBeObservable('-------');
      m.expect(EMPTY.pipe(batch)).toBeObservable('|');
      m.expect(m.cold('-----|').pipe(batch)).toBeObservable('-----|');
    }),
  );

  it(
    'hands the open batch back on an error',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   -ab-c-#');
      const subs = '             ^-----!';
      const result = '           --x---#';
      const discarded = '        ------c';
      const batch = rampBatch<string>({
        maxSize: 4,
        maxWaitMs: 6,
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(batch)).toBeObservable(result, { x });
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'hands the open batch back when its consumer leaves, and stops its timer',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   -ab-c-d---|');
      const subs = '             ^-----!';
      const result = '           --x----';
      const discarded = '        ------c';
      const batch = rampBatch<string>({
        maxSize: 4,
        maxWaitMs: 6,
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(batch), subs).toBeObservable(result, { x });
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it('stops a synchronous source when its consumer leaves', () => {
    let batches: number[][] = [];
    range(0, Number.POSITIVE_INFINITY)
      .pipe(rampBatch({ maxSize: 4, maxWaitMs: Number.POSITIVE_INFINITY }), take(3), toArray())
      .subscribe((all) => {
        batches = all;
      });
    assert.deepEqual(batches, [
      [0, 1],
      [2, 3, 4, 5],
      [6, 7, 8, 9],
    ]);
  });

  for (const [growth, sizes] of [
    [1, [2, 2, 2, 2]],
    [1.5, [2, 3, 5, 8]],
    [2, [2, 4, 8, 10]],
    [100, [2, 10, 10, 10]],
  ] as const) {
    it(`grows by ${growth} from batch to batch up to the maximum`, () => {
      const seen: number[] = [];
      range(0, 100)
        .pipe(rampBatch({ maxSize: 10, growth, maxWaitMs: Number.POSITIVE_INFINITY }), take(4))
        .subscribe((batch) => seen.push(batch.length));
      assert.deepEqual(seen, sizes);
    });
  }

  it('leaves the source before it hands items back: what their room brings is not accepted any more', () => {
    const source$ = new Subject<number>();
    const discarded: number[] = [];
    const subscription = source$
      .pipe(
        rampBatch({
          maxSize: 4,
          firstSize: 4,
          maxWaitMs: Number.POSITIVE_INFINITY,
          onDiscard: (item) => {
            discarded.push(item);
            if (discarded.length < 10) source$.next(item + 10);
          },
        }),
      )
      .subscribe();
    source$.next(1);
    source$.next(2);
    subscription.unsubscribe();
    assert.deepEqual(discarded, [1, 2]);
  });

  for (const [reason, options] of [
    ['an empty batch', { maxSize: 0, maxWaitMs: 1 }],
    ['a fraction of an item', { maxSize: 2.5, maxWaitMs: 1 }],
    ['an empty first batch', { maxSize: 2, firstSize: 0, maxWaitMs: 1 }],
    ['a first batch above the maximum', { maxSize: 2, firstSize: 3, maxWaitMs: 1 }],
    ['batches that shrink', { maxSize: 2, growth: 0.5, maxWaitMs: 1 }],
    ['a negative wait', { maxSize: 2, maxWaitMs: -1 }],
    ['a wait that is not a number', { maxSize: 2, maxWaitMs: Number.NaN }],
  ] as const) {
    it(`refuses ${reason} when it is called`, () => {
      assert.throws(() => rampBatch(options), { code: 'ERR_OPTION' });
    });
  }
});
