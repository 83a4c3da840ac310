import assert from 'node:assert/strict';
import { defer, delay, EMPTY, identity, type MonoTypeOperatorFunction, NEVER, of, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { rampBatch, type TwoCutsOptions, twoCuts } from '../../operators/index.js';

type Last = TwoCutsOptions<string, string, string>['last'];
const last: Last = ({ endedBy, complete }) => of(complete ? 'W' : endedBy.charAt(0));

const none: MonoTypeOperatorFunction<string> = identity;

describe('twoCuts', () => {
  it(
    'takes nothing in after the soft cut, and lets what is inside finish',
    marbles((m) => {
      const source$ = m.cold('   -abcdefghi-|');
      const soft$ = m.cold('     ----s-------');
      const hard$ = m.cold('     -------h----');
      const subs = '             ^---!';
      const hardSubs = '         ^----!';
      //                         d comes with the cut, and after it
      const result = '           ---ab(cs|)';
      const stages = delay<string>(2, m.scheduler);
      m.expect(source$.pipe(twoCuts({ soft$, hard$, stages, last }))).toBeObservable(result);
      m.expect(source$).toHaveSubscriptions(subs);
      m.expect(hard$).toHaveSubscriptions(hardSubs);
    }),
  );

  it(
    'ends everything at the hard cut, with what holds items handed back',
    marbles((m) => {
      const handedBack: string[] = [];
      const source$ = m.cold('   -ab---c-');
      const hard$ = m.cold('     ----h');
      const result = '           ----(h|)';
      const stages = rampBatch<string>({
        maxSize: 4,
        firstSize: 4,
        maxWaitMs: 90,
        onDiscard: (item) => handedBack.push(item),
      });
      const said = ({ endedBy }: { endedBy: string }) => of([endedBy.charAt(0), ...handedBack].join(''));
      const result$ = source$.pipe(twoCuts({ soft$: NEVER, hard$, stages, last: said }));
      m.expect(result$).toBeObservable(result, { h: 'hab' });
    }),
  );

  it(
    'tells a whole stream from a cut one',
    marbles((m) => {
      const stages = none;
      m.expect(m.cold('-a|').pipe(twoCuts({ soft$: NEVER, hard$: NEVER, stages, last }))).toBeObservable('-a(W|)');
      m.expect(EMPTY.pipe(twoCuts({ soft$: NEVER, hard$: NEVER, stages, last }))).toBeObservable('(W|)');
      m.expect(m.cold('-a--').pipe(twoCuts({ soft$: m.cold('--s'), hard$: NEVER, stages, last }))).toBeObservable(
        '-a(s|)',
      );
      m.expect(m.cold('-a--').pipe(twoCuts({ soft$: NEVER, hard$: m.cold('--h'), stages, last }))).toBeObservable(
        '-a(h|)',
      );
    }),
  );

  it(
    'passes errors on without a last word, and leaves all with its consumer',
    marbles((m) => {
      const cuts = { soft$: NEVER, hard$: NEVER, stages: none, last };
      m.expect(m.cold('-a#').pipe(twoCuts(cuts))).toBeObservable('-a#');
      m.expect(m.cold('-a-').pipe(twoCuts({ ...cuts, soft$: m.cold('--#') }))).toBeObservable('-a#');
      m.expect(m.cold('-a-').pipe(twoCuts({ ...cuts, hard$: m.cold('--#') }))).toBeObservable('-a#');
      const failing = { ...cuts, last: () => throwError(() => 'error') };
      m.expect(m.cold('-a|').pipe(twoCuts(failing))).toBeObservable('-a#');
      const source$ = m.cold('-a--');
      const soft$ = m.cold('----');
      m.expect(source$.pipe(twoCuts({ ...cuts, soft$ })), '^-!').toBeObservable('-a-');
      m.expect(source$).toHaveSubscriptions('^-!');
      m.expect(soft$).toHaveSubscriptions('^-!');
    }),
  );

  it('keeps its state inside the subscription', () => {
    const endings: string[] = [];
    let cut = true;
    const operator = twoCuts<string, string, never>({
      soft$: defer(() => (cut ? of(0) : NEVER)),
      hard$: NEVER,
      stages: none,
      last: ({ endedBy }) => {
        endings.push(endedBy);
        return EMPTY;
      },
    });
    const stream$ = EMPTY.pipe(operator);
    stream$.subscribe();
    cut = false;
    stream$.subscribe();
    assert.deepEqual(endings, ['soft', 'source']);
  });
});
