import assert from 'node:assert/strict';
import { EMPTY, NEVER, range, Subject, take, toArray } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { stride } from '../../operators/index.js';

describe('stride', () => {
  it(
    'keeps every n-th item and hands the others back',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   -a-b-c-d-e-|');
      const subs = '             ^----------!';
      const result = '           -a---c---e-|';
      const discarded = '        ---b---d----';
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(stride(2, { onDiscard: (x) => discarded$.next(x) }))).toBeObservable(result);
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'starts at the offset',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const source$ = m.cold('   -a-b-c-d-e-f-|');
      const result = '           ---b-----e---|';
      const discarded = '        -a---c-d---f--';
      m.expect(discarded$).toBeObservable(discarded);
      m.expect(source$.pipe(stride(3, { offset: 1, onDiscard: (x) => discarded$.next(x) }))).toBeObservable(result);
    }),
  );

  it(
    'keeps a single item, and everything at 1',
    marbles((m) => {
      m.expect(m.cold('-a-|').pipe(stride(5))).toBeObservable('-a-|');
      m.expect(m.cold('-ab|').pipe(stride(1))).toBeObservable('-ab|');
    }),
  );

  it(
    'never emits from a source that never does, and ends with an empty one',
    marbles((m) => {
      m.expect(NEVER.pipe(stride(2))).toBeObservable('-');
      m.expect(EMPTY.pipe(stride(2))).toBeObservable('|');
    }),
  );

  it(
    'passes an error on',
    marbles((m) => {
      const source$ = m.cold('   -a-b-#');
      const subs = '             ^----!';
      const result = '           -a---#';
      m.expect(source$.pipe(stride(2))).toBeObservable(result);
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'leaves the source with its consumer',
    marbles((m) => {
      const source$ = m.cold('   -a-b-c-d-|');
      const subs = '             ^-----!   ';
      const result = '           -a---c-   ';
      m.expect(source$.pipe(stride(2)), subs).toBeObservable(result);
      m.expect(source$).toHaveSubscriptions(subs);
    }),
  );

  it('stops a synchronous source when its consumer leaves', () => {
    let kept: number[] = [];
    range(0, Number.POSITIVE_INFINITY)
      .pipe(stride(3), take(3), toArray())
      .subscribe((all) => {
        kept = all;
      });
    assert.deepEqual(kept, [0, 3, 6]);
  });

  it('counts for each subscriber anew', () => {
    const kept: number[] = [];
    const result$ = range(0, 3).pipe(stride(2));
    result$.subscribe((x) => kept.push(x));
    result$.subscribe((x) => kept.push(x));
    assert.deepEqual(kept, [0, 2, 0, 2]);
  });

  for (const [reason, n, offset] of [
    ['zero', 0, 0],
    ['a fraction', 1.5, 0],
    ['not a number', Number.NaN, 0],
    ['a negative offset', 2, -1],
  ] as const) {
    it(`refuses ${reason} when it is called`, () => {
      assert.throws(() => stride(n, { offset }), { code: 'ERR_OPTION' });
    });
  }
});
