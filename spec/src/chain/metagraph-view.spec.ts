import assert from 'node:assert/strict';
import { asyncScheduler, concat, EMPTY, map, NEVER, Observable, of, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/mocha/index.js';
import { TikitakaError } from '../../../operators/index.js';
import type { Metagraph } from '../../../src/chain/fetch-metagraph.js';
import { createMetagraphView, type MetagraphViewOptions } from '../../../src/chain/metagraph-view.js';

const metagraph = (taoStake: number): Metagraph => ({
  source: 'selective',
  neurons: [{ uid: 0, hotkey: 'k', taoStake, alphaStake: 0, totalStake: 0, validatorPermit: false, axon: undefined }],
});
const base = { netuid: 44, url: 'ws://x' };
const lost = new TikitakaError('ERR_CHAIN_LOST', 'lost');

describe('createMetagraphView', () => {
  /** A view in virtual time; `ask` is called with the number of the question, from 0. Emits the stake of each snapshot. */
  const closeAtMs = 40;
  const begin = (
    scheduler: MetagraphViewOptions['scheduler'],
    connect: () => Observable<'up'>,
    ask: (question: number) => Observable<Metagraph>,
    options: Partial<MetagraphViewOptions> = {},
  ) => {
    let questions = 0;
    const view = createMetagraphView({
      ...base,
      ...(scheduler ? { scheduler } : {}),
      refreshMs: 5,
      firstRetryMs: 2,
      // Observables where the product has promises: the marbles could not see those.
      connect: () => connect().pipe(map(() => () => ask(questions++) as never)),
      ...options,
    });
    // A view asks for ever: virtual time would never end.
    if (scheduler && scheduler !== asyncScheduler) scheduler.schedule(() => void view.close(), closeAtMs);
    return { view, stakes$: view.snapshots$.pipe(map(({ neurons }) => String(neurons[0]?.taoStake))) };
  };

  it(
    'asks at once and then in its rhythm, over one connection',
    marbles((m) => {
      const connection$ = m.cold<'up'>('u', { u: 'up' });
      const { stakes$ } = begin(
        m.scheduler,
        () => connection$,
        (n) => of(metagraph(n)),
      );
      m.expect(stakes$, '            ^-----------!').toBeObservable('0----1----2-');
      m.expect(connection$).toHaveSubscriptions('^ 39ms !');
    }),
  );

  it(
    'asks no second time while the first question is open',
    marbles((m) => {
      const { stakes$ } = begin(
        m.scheduler,
        () => concat(of('up' as const), NEVER),
        (n) => m.cold('-------(a|)', { a: metagraph(n) }),
      );
      m.expect(stakes$, '            ^-----------------!').toBeObservable('-------0---------1');
    }),
  );

  it(
    'connects anew after 2, 4, 8 … when the chain is gone, and in 2 again once it answered',
    marbles((m) => {
      const attempts: number[] = [];
      const connect = () =>
        new Observable<'up'>((subscriber) => {
          attempts.push(m.scheduler.now());
          if (attempts.length === 4) subscriber.next('up');
          subscriber.error(lost);
        });
      const { stakes$ } = begin(m.scheduler, connect, () => of(metagraph(7)));
      // The answer is asked for on a timer; this node is lost before it fires, so nothing comes.
      m.expect(stakes$, '                ^-----------------------------!').toBeObservable('-');
      m.scheduler.schedule(() => assert.deepEqual(attempts, [0, 2, 6, 14]), 20);
    }),
  );

  it(
    'tells a fault once, however often it is met, and each other one',
    marbles((m) => {
      const said: string[] = [];
      const log = {
        warn: ({ err }: { err?: unknown }) => said.push(err instanceof Error ? err.message : ''),
        info: (_facts: object, text: string) => said.push(text),
      };
      const refused = new TikitakaError('ERR_CHAIN_CONNECT', 'refused');
      const attempts = [lost, lost, refused, refused, undefined, lost];
      const connect = () => {
        if (attempts.length === 0) return NEVER;
        const fault = attempts.shift();
        return fault ? throwError(() => fault) : concat(of('up' as const), m.cold<'up'>('--#', {}, lost));
      };
      begin(m.scheduler, connect, (n) => of(metagraph(n)), { log, firstRetryMs: 1 });
      m.scheduler.schedule(() => {
        assert.deepEqual(attempts, []);
        assert.deepEqual(said, ['lost', 'refused', 'the chain answers again', 'lost']);
      }, closeAtMs - 1);
    }),
  );

  it(
    'starts the waiting over after a success',
    marbles((m) => {
      const attempts: number[] = [];
      const connect = () => {
        attempts.push(m.scheduler.now());
        return concat(of('up' as const), m.cold<'up'>('-#', {}, lost));
      };
      const { stakes$ } = begin(m.scheduler, connect, (n) => of(metagraph(n)));
      m.expect(stakes$, '                ^---------!').toBeObservable('0--1--2--3-');
      m.scheduler.schedule(() => assert.deepEqual(attempts, [0, 3, 6, 9]), 10);
    }),
  );

  it(
    'is healthy while it is fresh, trusted until it is too old',
    marbles((m) => {
      const connect = () => concat(of('up' as const), m.cold<'up'>('-#', {}, lost));
      const dead = () => throwError(() => lost);
      const options = { freshMs: 10, maxAgeMs: 20, firstRetryMs: 1_000 };
      const { view } = begin(m.scheduler, connect, (n) => (n === 0 ? of(metagraph(1)) : dead()), options);
      const at = (ms: number, check: () => void) => m.scheduler.schedule(check, ms);
      assert.throws(() => view.find('k'), { code: 'ERR_CHAIN_UNAVAILABLE' });
      at(9, () => {
        assert.equal(view.ageMs, 9);
        assert.equal(view.health.ok, true);
      });
      at(11, () => {
        assert.equal(view.health.ok, false);
        assert.equal(view.health.detail, '0 s old: ERR_CHAIN_LOST');
        assert.equal(view.find('k')?.taoStake, 1);
      });
      at(21, () => assert.throws(() => view.find('k'), { code: 'ERR_CHAIN_UNAVAILABLE', message: /too old/ }));
    }),
  );

  it(
    'ends everything on close',
    marbles((m) => {
      const connection$ = m.cold<'up'>('u', { u: 'up' });
      const { view, stakes$ } = begin(
        m.scheduler,
        () => connection$,
        (n) => of(metagraph(n)),
      );
      m.expect(stakes$).toBeObservable('           0----1-|');
      m.expect(connection$).toHaveSubscriptions('  ^------!');
      m.scheduler.schedule(() => void view.close(), 7);
    }),
  );

  it('lets the chain win over a saved snapshot that comes later', async () => {
    let loaded = () => {};
    const saved = { ...metagraph(1), netuid: 44, node: 'x', nodeSha256: '', fetchedAtMs: 0 };
    const store = {
      load: () =>
        new Promise<typeof saved>((resolve) => {
          loaded = () => resolve(saved);
        }),
      save: async () => undefined,
    };
    const { view } = begin(
      asyncScheduler,
      () => concat(of('up' as const), NEVER),
      () => of(metagraph(2)),
      { store },
    );
    await view.ready(1_000);
    loaded();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(view.current?.neurons[0]?.taoStake, 2);
    await view.close();
  });

  it('goes on when a snapshot cannot be saved, and says so', async () => {
    const said: string[] = [];
    const store = { load: async () => undefined, save: () => Promise.reject(new Error('disk full')) };
    const log = { warn: (_facts: object, text: string) => said.push(text), info: () => undefined };
    const connect = () => concat(of('up' as const), NEVER);
    const { view } = begin(asyncScheduler, connect, () => of(metagraph(2)), { store, log });
    await view.ready(1_000);
    await view.close();
    assert.deepEqual(said, ['the metagraph could not be saved']);
  });

  it('tells who waits that it was closed', async () => {
    const { view } = begin(
      asyncScheduler,
      () => NEVER,
      () => EMPTY,
    );
    const waiting = view.ready(60_000);
    await view.close();
    await assert.rejects(waiting, { code: 'ERR_CHAIN_UNAVAILABLE', message: /closed/ });
  });
});
