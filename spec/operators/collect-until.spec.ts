import assert from 'node:assert/strict';
import { EMPTY, NEVER, of, Subject } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { collectUntil } from '../../operators/index.js';

describe('collectUntil', () => {
  it(
    'gives what came before the cut, and says that it is not all',
    marbles((m) => {
      const source$ = m.cold('   -a-b-c-|');
      const cut$ = m.cold('      ----x---');
      const subs = '             ^---!';
      const result = '           ----(i|)';
      m.expect(source$.pipe(collectUntil(cut$))).toBeObservable(result, { i: { items: ['a', 'b'], complete: false } });
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(cut$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'gives everything when the source ends first',
    marbles((m) => {
      const source$ = m.cold('   -a-b-|');
      const result = '           -----(i|)';
      m.expect(source$.pipe(collectUntil(NEVER))).toBeObservable(result, { i: { items: ['a', 'b'], complete: true } });
      m.expect(EMPTY.pipe(collectUntil(NEVER))).toBeObservable('(i|)', { i: { items: [], complete: true } });
      m.expect(NEVER.pipe(collectUntil(NEVER))).toBeObservable('-');
      m.expect(NEVER.pipe(collectUntil(m.cold('--x')))).toBeObservable('--(i|)', { i: { items: [], complete: false } });
    }),
  );

  it(
    'hands back what it holds on an error or when the consumer leaves',
    marbles((m) => {
      const discarded$ = new Subject<string>();
      const collect = collectUntil<string>(NEVER, { onDiscard: (item) => discarded$.next(item) });
      m.expect(discarded$).toBeObservable('---(ab)');
      m.expect(m.cold('-ab#').pipe(collect)).toBeObservable('---#');
    }),
  );

  it('shares nothing between subscriptions, and keeps nothing that it gave', () => {
    const discarded: string[] = [];
    const got: unknown[] = [];
    const stream$ = of('a').pipe(collectUntil(NEVER, { onDiscard: (item) => discarded.push(item) }));
    for (let i = 0; i < 2; i++) stream$.subscribe((value) => got.push(value));
    assert.deepEqual(got, [
      { items: ['a'], complete: true },
      { items: ['a'], complete: true },
    ]);
    of('b', 'c')
      .pipe(collectUntil<string>(NEVER, { onDiscard: (item) => discarded.push(item) }))
      .subscribe()
      .unsubscribe();
    NEVER.pipe(collectUntil<string>(NEVER, { onDiscard: (item) => discarded.push(item) }))
      .subscribe()
      .unsubscribe();
    assert.deepEqual(discarded, []);
  });
});
