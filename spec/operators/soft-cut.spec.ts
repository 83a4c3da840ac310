import { EMPTY, NEVER } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { rampBatch, softCut } from '../../operators/index.js';

describe('softCut', () => {
  it(
    'takes no more items in, so that a batcher below hands on what it holds',
    marbles((m) => {
      const source$ = m.cold('   -ab-c---d-|');
      const cut$ = m.cold('      ------x----');
      const subs = '             ^-----!';
      const result = '           -ab-c-|';
      const batches = '          ------(w|)';
      const batch = rampBatch<string>({ maxSize: 4, firstSize: 4, maxWaitMs: 20, scheduler: m.scheduler });
      m.expect(source$.pipe(softCut(cut$))).toBeObservable(result);
      m.expect(source$.pipe(softCut(cut$), batch)).toBeObservable(batches, { w: ['a', 'b', 'c'] });
      m.expect(source$).toHaveSubscriptions([subs, subs]);
      m.expect(cut$).toHaveSubscriptions([subs, subs]);
    }),
  );

  it(
    'loses the open batch where it stands below the batcher: why there are two cuts',
    marbles((m) => {
      const source$ = m.cold('   -ab-c---d-|');
      const cut$ = m.cold('      ------x----');
      const result = '           ------|';
      const batch = rampBatch<string>({ maxSize: 4, firstSize: 4, maxWaitMs: 20, scheduler: m.scheduler });
      m.expect(source$.pipe(batch, softCut(cut$))).toBeObservable(result);
    }),
  );

  it(
    'changes nothing where no cut comes',
    marbles((m) => {
      const source$ = m.cold('   -a-b-|');
      const result = '           -a-b-|';
      m.expect(source$.pipe(softCut(NEVER))).toBeObservable(result);
      m.expect(source$.pipe(softCut(EMPTY))).toBeObservable(result);
      m.expect(m.cold('-a|').pipe(softCut(m.cold('----x')))).toBeObservable('-a|');
      m.expect(EMPTY.pipe(softCut(NEVER))).toBeObservable('|');
      m.expect(NEVER.pipe(softCut(NEVER))).toBeObservable('-');
    }),
  );

  it(
    'passes errors of the source and of the cut on',
    marbles((m) => {
      m.expect(m.cold('-a-#').pipe(softCut(m.cold('-----x')))).toBeObservable('-a-#');
      m.expect(m.cold('-a-b').pipe(softCut(m.cold('--#')))).toBeObservable('-a#');
    }),
  );

  it(
    'leaves source and cut with its consumer',
    marbles((m) => {
      const source$ = m.cold('   -a-b-|');
      const cut$ = m.cold('      -----x');
      const subs = '             ^-!';
      m.expect(source$.pipe(softCut(cut$)), subs).toBeObservable('-a-');
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(cut$).toHaveSubscriptions(subs);
    }),
  );
});
