import assert from 'node:assert/strict';
import { concat, defer, EMPTY, map, NEVER, Observable, of, Subject, Subscriber, take, toArray } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { type Producer, pull } from '../../operators/index.js';

/** A producer that answers its n-th call with the n-th of `answers`, and says when it is closed. */
function producer<T>(answers: readonly Observable<T>[], closed: () => void = () => {}): () => Producer<T> {
  return () => {
    let calls = 0;
    return { next: () => answers[calls++] ?? EMPTY, close: closed };
  };
}

const credits = map(Number);

describe('pull', () => {
  it(
    'makes one item for each credit, one after the other, until the producer has no more',
    marbles((m) => {
      const demand$ = m.hot('    --2------1----1----');
      const answers = ['a', 'b', 'c'].map((item) => m.cold('--(x|)', { x: item }));
      const end$ = m.cold('                     --|');
      const demandSubs = '       ^---------------!';
      const nextSubs = ['        --^-!', '----^-!', '---------^-!'];
      const endSubs = '          --------------^-!';
      const result = '           ----a-b----c----|';
      const result$ = pull({ open: producer([...answers, end$]), demand$: demand$.pipe(credits) });
      m.expect(result$).toBeObservable(result);
      m.expect(demand$).toHaveSubscriptions(demandSubs);
      for (const [i, answer$] of answers.entries()) m.expect(answer$).toHaveSubscriptions(nextSubs[i] ?? '');
      m.expect(end$).toHaveSubscriptions(endSubs);
    }),
  );

  it(
    'asks for nothing without credit',
    marbles((m) => {
      const open = () => ({ next: () => assert.fail('nobody has room'), close: () => {} });
      m.expect(pull({ open, demand$: NEVER })).toBeObservable('-');
      m.expect(pull({ open, demand$: EMPTY })).toBeObservable('|');
      m.expect(pull({ open, demand$: m.cold('-0-|').pipe(credits) })).toBeObservable('---|');
    }),
  );

  it(
    'ends with an empty producer, and never where that never answers',
    marbles((m) => {
      m.expect(pull({ open: producer([]), demand$: of(3) })).toBeObservable('|');
      m.expect(pull({ open: producer([NEVER]), demand$: of(3) })).toBeObservable('-');
    }),
  );

  it(
    'uses up the credits when no more will come, and ends',
    marbles((m) => {
      const answers = ['a', 'b'].map((item) => m.cold('--(x|)', { x: item }));
      const demand$ = m.cold('   -2|');
      const result = '           ---a-(b|)';
      m.expect(pull({ open: producer([...answers, NEVER]), demand$: demand$.pipe(credits) })).toBeObservable(result);
    }),
  );

  it(
    'does not read what a producer emits beyond one item',
    marbles((m) => {
      const answer$ = m.cold('   -abc|');
      const subs = '             ^!';
      m.expect(pull({ open: producer([answer$]), demand$: concat(of(1), NEVER) })).toBeObservable('-a');
      m.expect(answer$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'passes an error of the producer on and leaves the demand',
    marbles((m) => {
      const demand$ = m.hot('    -3--------');
      const subs = '             ^--!';
      const result = '           -a-#';
      const open = producer([of('a'), m.cold('--#')]);
      m.expect(pull({ open, demand$: demand$.pipe(credits) })).toBeObservable(result);
      m.expect(demand$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'passes an error of the demand on and cancels the pending item',
    marbles((m) => {
      const answer$ = m.cold('   -----a');
      const subs = '             -^-!';
      const result = '           ---#';
      m.expect(pull({ open: producer([answer$]), demand$: m.cold('-1-#').pipe(credits) })).toBeObservable(result);
      m.expect(answer$).toHaveSubscriptions(subs);
    }),
  );

  it(
    'cancels the pending item and closes the producer, in this order, when its consumer leaves',
    marbles((m) => {
      const order: string[] = [];
      const answer$ = m.cold('   -----a');
      const unsub = '            ^--!';
      const subs = '             -^-!';
      const watched$ = defer(() => answer$).pipe((source$) => source$);
      const open = producer([watched$], () => order.push('closed'));
      m.expect(pull({ open, demand$: m.cold('-1--').pipe(credits) }), unsub).toBeObservable('----');
      m.expect(answer$).toHaveSubscriptions(subs);
      m.flush();
      assert.deepEqual(order, ['closed']);
    }),
  );

  for (const [what, next] of [
    ['throws', () => assert.fail('broken')],
    ['returns no observable', () => 7 as unknown as Observable<never>],
  ] as const) {
    it(`fails and closes a producer that ${what}`, () => {
      let closed = 0;
      let failed: unknown;
      pull({ open: () => ({ next, close: () => closed++ }), demand$: of(1) }).subscribe({
        error: (error) => {
          failed = error;
        },
      });
      assert.ok(failed instanceof Error);
      assert.equal(closed, 1);
    });
  }

  it('fails where the producer cannot be opened', () => {
    let failed: unknown;
    pull({ open: () => assert.fail('no such clip'), demand$: of(1) }).subscribe({
      error: (error) => {
        failed = error;
      },
    });
    assert.ok(failed instanceof Error);
  });

  for (const count of [-1, Number.NaN]) {
    it(`is an error where ${count} items are demanded`, () => {
      let code: unknown;
      pull({ open: producer([of('a')]), demand$: of(count) }).subscribe({
        error: (error: { code: string }) => {
          code = error.code;
        },
      });
      assert.equal(code, 'ERR_OPTION');
    });
  }

  it('opens a producer for each subscriber', () => {
    let opened = 0;
    const result$ = pull({
      open: () => {
        opened++;
        return producer([of('a')])();
      },
      demand$: of(1),
    });
    result$.subscribe();
    result$.subscribe();
    assert.equal(opened, 2);
  });

  it('does nothing more where opening the producer, or asking it, makes its consumer leave', () => {
    const order: string[] = [];
    for (const when of ['open', 'next']) {
      const subscriber = new Subscriber<number>();
      const left = new Observable<number>(() => {
        order.push(`subscribed after the consumer left in ${when}`);
      });
      const open = () => {
        if (when === 'open') subscriber.unsubscribe();
        const next = () => {
          subscriber.unsubscribe();
          return left;
        };
        return { next, close: () => order.push(when) };
      };
      pull({ open, demand$: when === 'open' ? left : of(1) }).subscribe(subscriber);
    }
    assert.deepEqual(order, ['open', 'next']);
  });

  it('stops a synchronous producer when its consumer leaves', () => {
    let made = 0;
    let items: number[] = [];
    pull({ open: () => ({ next: () => of(made++), close: () => {} }), demand$: of(Number.POSITIVE_INFINITY) })
      .pipe(take(3), toArray())
      .subscribe((all) => {
        items = all;
      });
    assert.deepEqual(items, [0, 1, 2]);
    assert.equal(made, 3);
  });

  it('survives many credits for a synchronous producer, given at once or one by one', () => {
    const release$ = new Subject<number>();
    let made = 0;
    const open = () => ({ next: () => (made < 20_000 ? of(made++) : EMPTY), close: () => {} });
    pull({ open, demand$: of(Number.POSITIVE_INFINITY) }).subscribe();
    assert.equal(made, 20_000);
    made = 0;
    pull({ open, demand$: release$ }).subscribe(() => release$.next(1));
    release$.next(1);
    assert.equal(made, 20_000);
  });
});
