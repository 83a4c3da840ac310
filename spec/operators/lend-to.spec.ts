import assert from 'node:assert/strict';
import { EMPTY, NEVER, type Observable, of, Subject, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { lendTo, TikitakaError } from '../../operators/index.js';

/** An owned letter that tells when it was given back. */
class Letter {
  constructor(
    readonly name: string,
    private readonly released$: Subject<string>,
  ) {}
  release() {
    this.released$.next(this.name);
  }
}

const letters = (released$: Subject<string>) =>
  Object.fromEntries([...'abcd'].map((name) => [name, new Letter(name, released$)]));

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('lendTo', () => {
  it(
    'lends inputs one after another, and takes each back when its work has ended',
    marbles((m) => {
      const released$ = new Subject<string>();
      const source$ = m.cold('   ab-----|', letters(released$));
      const work: Record<string, Observable<string>> = { a: m.cold('---a|'), b: m.cold('--b|') };
      const result = '           ---a--b|';
      const released = '         ----a--b';
      m.expect(released$).toBeObservable(released);
      m.expect(source$.pipe(lendTo(({ name }) => work[name] ?? EMPTY))).toBeObservable(result);
    }),
  );

  it(
    'lets abandoned work finish, and only then takes its input back; what waited comes back at once',
    marbles((m) => {
      const released$ = new Subject<string>();
      const source$ = m.cold('   ab----', letters(released$));
      const a$ = m.cold('        ---a|');
      const b$ = m.cold('            --b|');
      const aSubs = '            ^---!';
      const bSubs = '            ----^--!';
      const unsub = '            ^----!';
      const result = '           ---a--';
      const released = '         ----a--b';
      const work: Record<string, Observable<string>> = { a: a$, b: b$ };
      m.expect(released$).toBeObservable(released);
      m.expect(source$.pipe(lendTo(({ name }) => work[name] ?? EMPTY)), unsub).toBeObservable(result);
      m.expect(a$).toHaveSubscriptions(aSubs);
      m.expect(b$).toHaveSubscriptions(bSubs);
    }),
  );

  it(
    'several at once, in order',
    marbles((m) => {
      const released$ = new Subject<string>();
      const source$ = m.cold('   abc---|', letters(released$));
      const work: Record<string, Observable<string>> = { a: m.cold('---a|'), b: m.cold('-b|'), c: m.cold('-c|') };
      //                         b is done at 3, but its place is free when a's is, at 4
      const result = '           ---abc|';
      const released = '         ---ba-c';
      const lend = lendTo<Letter, string>(({ name }) => work[name] ?? EMPTY, { concurrency: 2 });
      m.expect(released$).toBeObservable(released);
      m.expect(source$.pipe(lend)).toBeObservable(result);
    }),
  );

  it(
    'ends with an empty source, or never; errors of source and work pass through',
    marbles((m) => {
      const lend = lendTo<Letter, string>(() => m.cold('--x|'));
      const released$ = new Subject<string>();
      m.expect(EMPTY.pipe(lend)).toBeObservable('|');
      m.expect(NEVER.pipe(lend)).toBeObservable('-');
      m.expect(m.cold('-a-#', letters(released$)).pipe(lend)).toBeObservable('---#');
      const failing = lendTo<Letter, string>(() => m.cold('-#'));
      m.expect(m.cold('-a--', letters(released$)).pipe(failing)).toBeObservable('--#');
    }),
  );

  it('tells work that nobody waits for any more, whatever ended the stream', () => {
    const released$ = new Subject<string>();
    const letter = () => new Letter('a', released$);
    const signals: AbortSignal[] = [];
    const note = <R>(result$: Observable<R>) =>
      lendTo<Letter, R>((_, signal) => {
        signals.push(signal);
        return result$;
      });
    of(letter()).pipe(note(NEVER)).subscribe().unsubscribe();
    of(letter())
      .pipe(note(throwError(() => new Error('work'))))
      .subscribe({ error: () => {} });
    of(letter())
      .pipe(note(of('a')))
      .subscribe();
    const going = of(letter()).pipe(note(NEVER)).subscribe();
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, true, true, false],
    );
    going.unsubscribe();
  });

  it('keeps what a promise still reads until it settles, though its consumer has left', async () => {
    const released: string[] = [];
    const item = { release: () => released.push('a') };
    let settle: () => void = () => {};
    const work = () =>
      new Promise<string>((resolve) => {
        settle = () => resolve('late');
      });
    of(item).pipe(lendTo(work)).subscribe().unsubscribe();
    await settled();
    assert.deepEqual(released, []);
    settle();
    await settled();
    assert.deepEqual(released, ['a']);
  });

  it('drops what abandoned work fails with', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.prependListener('unhandledRejection', note);
    let fail: () => void = () => {};
    const work = () =>
      new Promise<string>((_, reject) => {
        fail = () => reject(new Error('late'));
      });
    of({ release: () => {} })
      .pipe(lendTo(work))
      .subscribe()
      .unsubscribe();
    fail();
    await settled();
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });

  it('gives back every member of a list, or what it is told to', () => {
    const released$ = new Subject<string>();
    const names: string[] = [];
    released$.subscribe((name) => names.push(name));
    of([new Letter('a', released$), new Letter('b', released$)])
      .pipe(lendTo(() => EMPTY))
      .subscribe();
    of(7)
      .pipe(lendTo(() => EMPTY, { release: (n: number) => names.push(String(n)) }))
      .subscribe();
    assert.deepEqual(names, ['a', 'b', '7']);
  });

  it('presses back: a source that makes nothing while two items are out never has a third', async () => {
    let out = 0;
    let most = 0;
    let made = 0;
    const source = new Subject<{ release(): void }>();
    const pump = () => {
      while (out < 2 && made < 20) {
        out++;
        made++;
        most = Math.max(most, out);
        source.next({
          release: () => {
            out--;
            queueMicrotask(pump);
          },
        });
      }
    };
    const ends: Subject<never>[] = [];
    source
      .pipe(
        lendTo(() => {
          const end = new Subject<never>();
          ends.push(end);
          return end;
        }),
      )
      .subscribe();
    pump();
    for (let i = 0; i < 20; i++) {
      ends[i]?.complete();
      await settled();
    }
    assert.deepEqual([made, most, out], [20, 2, 0]);
  });

  it('is an error when more wait than is allowed, and when called with bad options', () => {
    const released$ = new Subject<string>();
    const names: string[] = [];
    released$.subscribe((name) => names.push(name));
    const source = new Subject<Letter>();
    const codes: string[] = [];
    source
      .pipe(lendTo(() => NEVER, { maxQueued: 1 }))
      .subscribe({ error: (error) => codes.push(error instanceof TikitakaError ? error.code : 'other') });
    for (const name of 'abc') source.next(new Letter(name, released$));
    assert.deepEqual([codes, names.sort()], [['ERR_OVERFLOW'], ['b', 'c']]);
    for (const options of [{ concurrency: 0 }, { maxQueued: -1 }, { maxQueued: 1.5 }]) {
      assert.throws(() => lendTo<Letter, never>(() => NEVER, options), { code: 'ERR_OPTION' });
    }
  });
});
