import assert from 'node:assert/strict';
import { VirtualTimeScheduler } from 'rxjs';
import { createFinishTime } from '../../../src/challenge/finish-time.js';
import { createLoopLag } from '../../../src/challenge/loop-lag.js';

describe('what is kept free at the end of a budget', () => {
  const set = (lag = { ms: 0 }) => createFinishTime({ lag });
  const expected = (finish: ReturnType<typeof set>, frames: number | undefined = 750) =>
    Math.round(finish.expectedMs(frames));
  const answers = (finish: ReturnType<typeof set>, ...tookMs: readonly number[]) => {
    for (const writingMs of tookMs) finish.observe({ frames: 750, writingMs, cutLateMs: undefined });
  };

  it('is what was measured on another machine before anything was seen here', () => {
    assert.equal(expected(set()), 32);
    assert.equal(expected(set(), undefined), 32);
  });

  it('is what writing and compressing took here lately, for so many frames, and the lag of the loop', () => {
    const lag = { ms: 0 };
    const finish = set(lag);
    const compressed = finish.observe({ frames: 750, writingMs: 45, cutLateMs: 0 });
    assert.equal(expected(finish), 45, 'nobody wanted it compressed');
    compressed(30);
    assert.equal(expected(finish), 75);
    assert.equal(expected(finish, 1500), 150);
    lag.ms = 20;
    assert.equal(expected(finish), 95);
  });

  const alike = Array.from({ length: 12 }, (_, i) => 28 + (i % 3));
  const courses: readonly (readonly [why: string, tookMs: readonly number[], keptMs: number])[] = [
    ['no more than all need where they are alike', alike, 30],
    ['nothing for one hiccup', [...alike, 400, ...alike.slice(2)], 30],
    ['what a load takes from its second answer on', [...alike, 200, 200], 183],
    ['what a load takes once it is usual', [...alike, ...alike.map((ms) => ms + 170)], 200],
    ['what the slower ones take where they differ', [40, 180, 60, 50, 170, 50, 40, 60, 50, 40, 60, 50], 159],
    ['nothing for a load that is gone', [200, 200, 200, ...alike], 30],
  ];
  for (const [why, tookMs, keptMs] of courses) {
    it(`is ${why}`, () => {
      const finish = set();
      answers(finish, ...tookMs);
      assert.equal(expected(finish), keptMs);
    });
  }

  it('reckons with a cut as late as the last ones were, or as the lag is now', () => {
    const lag = { ms: 20 };
    const finish = set(lag);
    for (let i = 0; i < 6; i++) finish.observe({ frames: 750, writingMs: 20, cutLateMs: 70 });
    assert.equal(expected(finish), 90);
    lag.ms = 100;
    assert.equal(expected(finish), 120);
  });

  it('learns little from an answer of few frames', () => {
    const finish = set();
    finish.observe({ frames: 1, writingMs: 9, cutLateMs: 0 })(3);
    assert.equal(expected(finish), 36);
    assert.equal(expected(finish, 1), 10);
  });
});

describe('the lag of the event loop', () => {
  /** The lag after `ms` in which something held the loop for so long at those times. */
  function lagAfter(ms: number, blocks: readonly (readonly [atMs: number, forMs: number])[]) {
    const scheduler = new VirtualTimeScheduler();
    let heldMs = 0;
    scheduler.now = () => scheduler.frame + heldMs;
    const lag = createLoopLag(scheduler);
    const stop = lag.watch();
    const stopToo = lag.watch();
    for (const [atMs, forMs] of blocks)
      scheduler.schedule(() => {
        heldMs += forMs;
      }, atMs);
    stopToo();
    stopToo();
    scheduler.schedule(stop, ms);
    scheduler.flush();
    return lag.ms;
  }
  const often = (times: number, forMs: number, fromMs = 0) =>
    Array.from({ length: times }, (_, i): [number, number] => [fromMs + i * 20 + 10, forMs]);

  it('is none while timers come in time', () => assert.equal(lagAfter(2000, []), 0));
  it('is what nine of ten timers were late at most', () => {
    assert.equal(lagAfter(1000, often(3, 40)), 0, 'three of fifty');
    assert.equal(lagAfter(1000, often(10, 40)), 40, 'ten of fifty');
  });
  it('shows a load within a fifth of a second, and forgets it within one', () => {
    assert.equal(lagAfter(2000, often(9, 30, 1820)), 30);
    assert.equal(lagAfter(3000, often(50, 30, 1000)), 0);
  });
  it('is not measured while nobody asks: nothing goes on', () => {
    const scheduler = new VirtualTimeScheduler();
    createLoopLag(scheduler).watch()();
    assert.equal(scheduler.actions.filter((action) => !action.closed).length, 0);
  });
});
