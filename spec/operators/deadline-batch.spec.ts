import assert from 'node:assert/strict';
import { EMPTY, NEVER, range, Subject, tap } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { deadlineBatch } from '../../operators/index.js';

const predictMs = (size: number) => 3 * size;

describe('deadlineBatch', () => {
  it(
    'hands on only what is predicted to end in time, waits no longer than that allows, and ends when nothing fits',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   -abcdef---------g-h-i-j-|');
      const subs = '             ^-----------------!';
      const result = '           ----x-----y-----z-|';
      const discarded = '        ------------------h';
      const values = { x: ['a', 'b', 'c', 'd'], y: ['e', 'f'], z: ['g'] };
      const batch = deadlineBatch<string>({
        maxSize: 4,
        firstSize: 4,
        maxWaitMs: 20,
        deadlineMs: 20,
        predictMs,
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(batch)).toBeObservable(result, values);
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'ramps and waits like rampBatch while the deadline is far',
    marbles((m) => {
      const source$ = m.cold('   -ab-cdef-g-----------h-|');
      const result = '           --x----y-------z-------(w|)';
      const values = { x: ['a', 'b'], y: ['c', 'd', 'e', 'f'], z: ['g'], w: ['h'] };
      const batch = deadlineBatch<string>({
        maxSize: 4,
        maxWaitMs: 6,
        deadlineMs: 1000,
        predictMs,
        scheduler: m.scheduler,
      });
      m.expect(source$.pipe(batch)).toBeObservable(result, values);
    }),
  );

  it(
    'starts behind the work that was handed on before',
    marbles((m) => {
      let busyUntilMs = 0;
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   -abcdefgh|');
      const subs = '             ^----!';
      const result = '           --x-y|';
      const discarded = '        -----e';
      const batch = deadlineBatch<string>({
        maxSize: 2,
        maxWaitMs: 20,
        deadlineMs: 14,
        predictMs,
        busyMs: () => Math.max(0, busyUntilMs - m.scheduler.now()),
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      // Two batches of 6 ms each end at 8 and 14: there is no third one, whatever its size.
      const work = tap<string[]>(({ length }) => {
        busyUntilMs = Math.max(busyUntilMs, m.scheduler.now()) + predictMs(length);
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(batch, work)).toBeObservable(result, { x: ['a', 'b'], y: ['c', 'd'] });
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'shrinks a batch for which it has become too late: the first items go on, the rest is handed back',
    marbles((m) => {
      let itemMs = 1;
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   abcd-----|');
      const result = '           ---x-----|';
      const discarded = '        ---(cd)---';
      const batch = deadlineBatch<string>({
        maxSize: 4,
        firstSize: 4,
        maxWaitMs: 20,
        deadlineMs: 20,
        predictMs: (size) => itemMs * size,
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      const slower = tap<string>((item) => {
        if (item === 'd') itemMs = 8;
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(slower, batch)).toBeObservable(result, { x: ['a', 'b'] });
    }),
  );

  it(
    'follows a deadline that moves',
    marbles((m) => {
      const source$ = m.cold('   -a-b-c-d-|');
      const result = '           -----x-|';
      let deadlineMs = 100;
      const nearer = tap<string>((item) => {
        if (item === 'c') deadlineMs = 15;
      });
      const batch = deadlineBatch<string>({
        maxSize: 9,
        firstSize: 9,
        maxWaitMs: 50,
        deadlineMs: () => deadlineMs,
        predictMs,
        scheduler: m.scheduler,
      });
      const busy = tap<string[]>(() => {
        deadlineMs = 0;
      });
      m.expect(source$.pipe(nearer, batch, busy)).toBeObservable(result, { x: ['a', 'b', 'c'] });
    }),
  );

  it(
    'ends at the first item where it is too late from the start',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   ---a-b-|');
      const subs = '             ^--!';
      const result = '           ---|';
      const discarded = '        ---a';
      const batch = deadlineBatch<string>({
        maxSize: 2,
        maxWaitMs: 20,
        deadlineMs: 5,
        predictMs,
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(batch)).toBeObservable(result);
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'flushes what fits when the source ends',
    marbles((m) => {
      const source$ = m.cold('   -ab|');
      const result = '           ---(x|)';
      const batch = deadlineBatch<string>({
        maxSize: 4,
        firstSize: 4,
        maxWaitMs: 20,
        deadlineMs: 50,
        predictMs,
        scheduler: m.scheduler,
      });
      m.expect(source$.pipe(batch)).toBeObservable(result, { x: ['a', 'b'] });
      m.expect(EMPTY.pipe(batch)).toBeObservable('|');
      m.expect(NEVER.pipe(batch)).toBeObservable('-');
    }),
  );

  it(
    'hands the open batch back on an error of the source',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   -ab-#');
      const result = '           ----#';
      const discarded = '        ----(ab)';
      const batch = deadlineBatch<string>({
        maxSize: 4,
        firstSize: 4,
        maxWaitMs: 20,
        deadlineMs: 50,
        predictMs,
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(batch)).toBeObservable(result);
    }),
  );

  it(
    'hands the open batch back when its consumer leaves, and stops its timer',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   -ab-----|');
      const subs = '             ^---!';
      const result = '           -----';
      const discarded = '        ----(ab)';
      const batch = deadlineBatch<string>({
        maxSize: 4,
        firstSize: 4,
        maxWaitMs: 5,
        deadlineMs: 50,
        predictMs,
        scheduler: m.scheduler,
        onDiscard: (item) => discarded$.next(item),
      });
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(batch), subs).toBeObservable(result);
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  for (const [moment, failsAtMs, expected] of [
    ['an item comes', 0, '-#'],
    ['the wait ends', 4, '-----#'],
    ['the source ends', 8, '--------#'],
  ] as const) {
    it(
      `sends down the stream what a prediction throws when ${moment}`,
      marbles((m) => {
        const discarded$ = new Subject<string>();
        const failure = new Error('no prediction');
        const source$ = m.cold('-a------|');
        const batch = deadlineBatch<string>({
          maxSize: 4,
          maxWaitMs: failsAtMs === 8 ? 50 : 4,
          deadlineMs: 100,
          predictMs: (size) => {
            if (m.scheduler.now() >= failsAtMs) throw failure;
            return size;
          },
          scheduler: m.scheduler,
          onDiscard: (item) => discarded$.next(item),
        });
        m.expect(discarded$).toBeObservable(expected.replace('#', 'a'));
        m.expect(source$.pipe(batch)).toBeObservable(expected, undefined, failure);
      }),
    );
  }

  it('emits a batch before its rest goes back: what that room brings cannot overtake it', () => {
    const source$ = new Subject<number>();
    const batches: number[][] = [];
    let room = 2;
    source$
      .pipe(
        deadlineBatch({
          maxSize: 3,
          firstSize: 3,
          maxWaitMs: Number.POSITIVE_INFINITY,
          deadlineMs: Number.MAX_VALUE,
          predictMs: (size) => (size > room ? Number.POSITIVE_INFINITY : 0),
          onDiscard: () => {
            room = 9;
            for (const item of [11, 12, 13]) source$.next(item);
          },
        }),
      )
      .subscribe((batch) => batches.push(batch));
    room = 9;
    source$.next(1);
    source$.next(2);
    room = 2;
    source$.next(3);
    assert.deepEqual(batches, [
      [1, 2],
      [11, 12, 13],
    ]);
  });

  it('opens no timer at all while it waits for a full batch without a deadline', () => {
    let scheduled = 0;
    const scheduler = { now: () => 0, schedule: () => assert.fail(`timer ${++scheduled}`) };
    const batch = deadlineBatch<number>({
      maxSize: 4,
      maxWaitMs: Number.POSITIVE_INFINITY,
      deadlineMs: Number.POSITIVE_INFINITY,
      predictMs,
      scheduler,
    });
    range(0, 5).pipe(batch).subscribe();
    assert.equal(scheduled, 0);
  });

  it('takes a wait that no timer can count as no wait: such a timer would fire at once', () => {
    const scheduler = { now: () => 0, schedule: () => assert.fail('a timer') };
    const batch = deadlineBatch<number>({
      maxSize: 4,
      maxWaitMs: 2 ** 31,
      deadlineMs: 2 ** 40,
      predictMs,
      scheduler,
    });
    range(0, 5).pipe(batch).subscribe();
  });

  it('refuses a deadline that is not a number when it is called', () => {
    assert.throws(() => deadlineBatch({ maxSize: 1, maxWaitMs: 1, deadlineMs: Number.NaN, predictMs }), {
      code: 'ERR_OPTION',
    });
  });
});
