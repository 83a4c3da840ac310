import assert from 'node:assert/strict';
import { EMPTY, type Observable, type SchedulerLike, Subject, timer } from 'rxjs';
import { map } from 'rxjs/operators';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { batchTo } from '../../operators/index.js';

interface Letter {
  readonly name: string;
  release(): void;
}

const letters = (released$: Subject<string>) =>
  Object.fromEntries([...'abcdefgh'].map((name) => [name, { name, release: () => released$.next(name) }]));

/** Takes so long for a batch, and says which it was. */
const taking =
  (ms: (size: number) => number, scheduler: SchedulerLike) =>
  (batch: readonly Letter[]): Observable<string> =>
    timer(ms(batch.length), scheduler).pipe(map(() => String(batch.length)));

describe('batchTo', () => {
  it(
    'hands the open batch over when the work has nothing to do, and takes items back when it is done',
    marbles((m) => {
      const released$ = new Subject<string>();
      const source$ = m.cold('   -abcd----e-|', letters(released$));
      const result = '           ----1--3----(1|)';
      const released = '         ----a--(bcd)e';
      const options = { maxSize: 4, maxWaitMs: 20, scheduler: m.scheduler };
      m.expect(released$).toBeObservable(released);
      m.expect(
        source$.pipe(
          batchTo<Letter, string>(
            taking(() => 3, m.scheduler),
            options,
          ),
        ),
      ).toBeObservable(result);
    }),
  );

  it(
    'waits for company where it is told to, whatever the work is doing',
    marbles((m) => {
      const released$ = new Subject<string>();
      const source$ = m.cold('   abcde|', letters(released$));
      const result = '           ---2-2-(1|)';
      const options = { maxSize: 2, firstSize: 2, maxWaitMs: 20, eager: false, scheduler: m.scheduler };
      m.expect(
        source$.pipe(
          batchTo<Letter, string>(
            taking(() => 2, m.scheduler),
            options,
          ),
        ),
      ).toBeObservable(result);
    }),
  );

  it(
    'hands nothing over that it has learnt to come too late',
    marbles((m) => {
      const released$ = new Subject<string>();
      const source$ = m.cold('   a---b---c---d-|', letters(released$));
      //                         each takes 4: d would be done at 16
      const result = '           ----1---1---(1|)';
      const options = { maxSize: 1, maxWaitMs: 0, deadlineMs: 15, scheduler: m.scheduler };
      m.expect(
        source$.pipe(
          batchTo<Letter, string>(
            taking(() => 4, m.scheduler),
            options,
          ),
        ),
      ).toBeObservable(result);
    }),
  );

  it(
    'shares nothing between subscriptions',
    marbles((m) => {
      const released$ = new Subject<string>();
      const batches = batchTo<Letter, string>(
        taking(() => 3, m.scheduler),
        {
          maxSize: 4,
          maxWaitMs: 20,
          scheduler: m.scheduler,
        },
      );
      const source$ = m.cold('   ab|', letters(released$)).pipe(batches);
      const result = '           ---1--(1|)';
      m.expect(source$).toBeObservable(result);
      m.expect(source$).toBeObservable(result);
    }),
  );

  it('predicts from all that was handed over, queued batches too', () => {
    const released: string[] = [];
    let nowMs = 0;
    const scheduler = { now: () => nowMs, schedule: () => EMPTY.subscribe() };
    const source = new Subject<Letter>();
    const ends: Subject<never>[] = [];
    const work = () => {
      const end = new Subject<never>();
      ends.push(end);
      return end;
    };
    source
      .pipe(
        batchTo(work, {
          maxSize: 1,
          maxWaitMs: 0,
          deadlineMs: 25,
          predictMs: (n) => 10 * n,
          scheduler,
        }),
      )
      .subscribe({ complete: () => released.push('end') });
    for (const name of 'abc') source.next({ name, release: () => released.push(name) });
    // Two fit before 25, one behind the other; the third does not.
    assert.equal(ends.length, 1);
    assert.deepEqual(released, ['c']);
    nowMs = 10;
    ends[0]?.complete();
    assert.equal(ends.length, 2);
    ends[1]?.complete();
    assert.deepEqual(released, ['c', 'a', 'b', 'end']);
  });

  it('throws ERR_OPTION when it is called, for what its parts refuse', () => {
    assert.throws(() => batchTo<Letter, never>(() => EMPTY, { maxSize: 0, maxWaitMs: 0 }), {
      code: 'ERR_OPTION',
    });
  });
});
