import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { TikitakaError } from '../../../operators/index.js';
import type { Connection } from '../../../src/net/connections.js';
import { createLinkPolicy } from '../../../src/net/link-policy.js';
import { createWarmOrigins } from '../../../src/net/warm-origins.js';

const a = 'https://a.example';
const b = 'https://b.example';

/** A clock that stands still until it is told otherwise. */
function fakeClock() {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; work: () => void }>();
  return {
    now: () => nowMs,
    later(work: () => void, ms: number) {
      const timer = { atMs: nowMs + ms, work };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    get pending() {
      return timers.size;
    },
    async advance(ms: number) {
      const untilMs = nowMs + ms;
      for (;;) {
        const [next] = [...timers].filter(({ atMs }) => atMs <= untilMs).sort((x, y) => x.atMs - y.atMs);
        if (!next) break;
        timers.delete(next);
        nowMs = next.atMs;
        next.work();
        await turn();
      }
      nowMs = untilMs;
    },
  };
}

function set({ maxConnections = 10, policy = createLinkPolicy() } = {}) {
  const clock = fakeClock();
  const dialled: string[] = [];
  const pinned = new Set<string>();
  const closing = new AbortController();
  const state: { failure?: TikitakaError } = {};
  const warm = createWarmOrigins({
    connections: {
      async acquire({ origin }) {
        dialled.push(`${origin} ${clock.now()}`);
        if (state.failure) throw state.failure;
        return { origin, openedAtMs: clock.now(), uses: 0, transport: {}, setUp: {} } as unknown as Connection;
      },
      release: () => {},
      pin: (origin) => void pinned.add(origin),
      unpin: (origin) => void pinned.delete(origin),
    },
    policy,
    maxConnections,
    signal: closing.signal,
    later: clock.later,
    now: clock.now,
  });
  /** The server closes a connection that is `ageMs` old. */
  const lose = (origin: string, ageMs: number) => warm.lost({ origin, openedAtMs: clock.now() - ageMs });
  return { warm, clock, dialled, pinned, closing, state, lose };
}

describe('origins that are kept warm', () => {
  it('forgets a kept origin after its time, counted anew with each delivery', async () => {
    const { warm, clock, pinned } = set();
    assert.equal(warm.keep(a, 100_000), true);
    await clock.advance(60_000);
    assert.equal(warm.keep(a, 100_000), false);
    await clock.advance(99_999);
    assert.deepEqual([...pinned], [a]);
    await clock.advance(1);
    assert.deepEqual([...pinned], []);
    assert.equal(clock.pending, 0);
  });

  it('dials a lost one again after a pause, which doubles while connections do not last', async () => {
    const { warm, clock, dialled, lose } = set();
    warm.keep(a, 3_900_000);
    await clock.advance(1000);
    dialled.length = 0;
    const pausesMs: number[] = [];
    for (let loss = 0; loss < 8; loss++) {
      const lostAtMs = clock.now();
      lose(a, 5000);
      await clock.advance(120_000);
      pausesMs.push(Number(dialled.pop()?.split(' ')[1]) - lostAtMs);
    }
    assert.deepEqual(pausesMs, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    const lostAtMs = clock.now();
    lose(a, 60_000);
    await clock.advance(120_000);
    assert.deepEqual(dialled, [`${a} ${lostAtMs + 1000}`], 'one that lasted is worth dialling soon');
  });

  it('tries an origin that cannot be reached ever more seldom, and one that is refused not again', async () => {
    const { warm, clock, dialled, state, pinned } = set();
    state.failure = new TikitakaError('ERR_SOURCE_CONNECT', 'closed', { retryable: true });
    warm.keep(a, 1_000_000);
    await clock.advance(600_000);
    assert.ok(dialled.length >= 6 && dialled.length <= 15, `${dialled.length} in ten minutes`);
    const before = dialled.length;
    state.failure = new TikitakaError('ERR_SOURCE_REFUSED', 'resolves to this machine now');
    await clock.advance(400_000);
    assert.equal(dialled.length, before + 1);
    assert.deepEqual([...pinned], [], 'the link policy judges at each dialling');
    assert.equal(clock.pending, 0);
  });

  it('keeps four at most, those that delivered last', () => {
    const { warm, pinned } = set();
    const origins = [1, 2, 3, 4, 5].map((n) => `https://${n}.example`);
    for (const origin of origins) warm.keep(origin, 1000);
    assert.deepEqual([...pinned], origins.slice(1));
    warm.keep(origins[1] ?? '', 1000);
    warm.keep(a, 1000);
    assert.deepEqual([...pinned].sort(), [a, ...origins.filter((_, i) => i !== 0 && i !== 2)].sort());
  });

  it('leaves a connection for the others, and the named origins theirs', async () => {
    const { warm, pinned } = set({ maxConnections: 2 });
    await warm.warm([a]);
    assert.equal(warm.keep(b, 1000), false);
    assert.deepEqual([...pinned], [a]);
  });

  it('never forgets a named origin, also one that was kept before', async () => {
    const { warm, clock, pinned } = set();
    warm.keep(a, 1000);
    await warm.warm([a]);
    assert.equal(warm.keep(a, 1000), false);
    await clock.advance(10_000);
    assert.deepEqual([...pinned], [a]);
  });

  it('dials nothing that was lost when nobody wants it', async () => {
    const { clock, dialled, lose } = set();
    lose(a, 0);
    await clock.advance(100_000);
    assert.deepEqual(dialled, []);
  });

  it('leaves no timer behind when it is closed', async () => {
    const { warm, clock, closing, lose } = set();
    await warm.warm([b]);
    warm.keep(a, 1000);
    lose(b, 0);
    closing.abort();
    warm.close();
    assert.equal(clock.pending, 0);
    lose(a, 0);
    warm.keep(a, 1000);
    assert.equal(clock.pending, 0);
  });
});
