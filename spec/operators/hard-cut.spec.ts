import assert from 'node:assert/strict';
import { EMPTY, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { type EndedBy, hardCut } from '../../operators/index.js';

const last = (endedBy: EndedBy) => of(endedBy === 'cut' ? 'C' : 'S');

describe('hardCut', () => {
  it(
    'ends everything above it at the cut and has the last word',
    marbles((m) => {
      const source$ = m.cold('   -a-b-c-d-|');
      const cut$ = m.cold('      ----x-----');
      const subs = '             ^---!';
      const result = '           -a-b(C|)';
      m.expect(source$.pipe(hardCut(cut$, last))).toBeObservable(result);
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(cut$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'has the last word too when the source ends by itself',
    marbles((m) => {
      const source$ = m.cold('   -a-b-|');
      const cut$ = m.cold('      -------x');
      const subs = '             ^----!';
      const result = '           -a-b-(S|)';
      m.expect(source$.pipe(hardCut(cut$, last))).toBeObservable(result);
      m.expect(cut$).toHaveSubscriptions(subs);
      m.expect(EMPTY.pipe(hardCut(NEVER, last))).toBeObservable('(S|)');
      m.expect(NEVER.pipe(hardCut(NEVER, last))).toBeObservable('-');
      m.expect(m.cold('-a|').pipe(hardCut(EMPTY, last))).toBeObservable('-a(S|)');
    }),
  );

  it(
    'passes errors on without a last word',
    marbles((m) => {
      m.expect(m.cold('-a-#').pipe(hardCut(NEVER, last))).toBeObservable('-a-#');
      m.expect(m.cold('-a-b').pipe(hardCut(m.cold('--#'), last))).toBeObservable('-a#');
      const failing = hardCut(m.cold('--x'), () => throwError(() => 'error'));
      m.expect(m.cold('-a-b').pipe(failing)).toBeObservable('-a#');
    }),
  );

  it(
    'leaves source and cut with its consumer, without a last word',
    marbles((m) => {
      const source$ = m.cold('   -a-b-|');
      const cut$ = m.cold('      -----x');
      const subs = '             ^-!';
      m.expect(source$.pipe(hardCut(cut$, last)), subs).toBeObservable('-a-');
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(cut$).toHaveSubscriptions(subs);
    }),
  );

  it('asks for the last word when everything above has handed back', () => {
    const order: string[] = [];
    const cut$ = new Subject<void>();
    new Observable(() => () => order.push('handed back')).pipe(hardCut(cut$, () => of(order.push('last')))).subscribe();
    cut$.next();
    assert.deepEqual(order, ['handed back', 'last']);
  });

  it('forgets between subscriptions what ended the one before', () => {
    const words: string[] = [];
    const cut$ = new Subject<void>();
    const gate$ = new Subject<string>();
    const result$ = gate$.pipe(hardCut(cut$, last));
    result$.subscribe((word) => words.push(word));
    cut$.next();
    result$.subscribe((word) => words.push(word));
    gate$.complete();
    assert.deepEqual(words, ['C', 'S']);
  });
});
