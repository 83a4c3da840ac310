import assert from 'node:assert/strict';
import { TikitakaError } from '../../../operators/index.js';
import { createSlices } from '../../../src/limits/index.js';

/** Turns of the event loop that pass while `work` runs. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let running = true;
  const count = () => {
    if (!running) return;
    turns++;
    setImmediate(count);
  };
  setImmediate(count);
  await work();
  running = false;
  return turns;
}

describe('createSlices', () => {
  it('gives the event loop its turn once a slice has lasted its time, and not before', async () => {
    let nowMs = 0;
    const slices = createSlices({ sliceMs: 8, now: () => nowMs });
    const turns = await turnsDuring(async () => {
      for (let i = 0; i < 100; i++) {
        nowMs += 1;
        await slices.pause();
      }
    });
    // Every eighth millisecond, and one more that the counting itself may take.
    assert.ok(turns >= 12 && turns <= 13, String(turns));
  });

  it('does work in blocks, in order, each number once, with a pause behind each', async () => {
    const pauses: number[] = [];
    const done: number[] = [];
    const slices = createSlices({ now: () => 0, onPause: (steps) => pauses.push(steps) });
    await slices.blocks(10_000, (from, end) => {
      for (let i = from; i < end; i++) done.push(i);
    });
    assert.deepEqual(
      done,
      Array.from({ length: 10_000 }, (_, i) => i),
    );
    assert.deepEqual(pauses, [4096, 4096, 1808]);
    await slices.blocks(0, () => assert.fail());
    await slices.blocks(-4, () => assert.fail());
  });

  it('goes on with work that stops when its slice is over, behind a turn of the event loop', async () => {
    let nowMs = 0;
    const slices = createSlices({ sliceMs: 8, now: () => nowMs });
    let left = 100;
    const turns = await turnsDuring(() =>
      slices.until((isDue) => {
        for (; left > 0 && !isDue(); left--) nowMs += 1;
        return left === 0;
      }),
    );
    assert.ok(turns >= 12 && turns <= 13, String(turns));
  });

  it('ends with the signal at the next pause', async () => {
    const controller = new AbortController();
    const slices = createSlices({ signal: controller.signal });
    await slices.pause();
    controller.abort();
    await assert.rejects(slices.pause(), { code: 'ERR_ABORTED' });
    const own = new TikitakaError('ERR_SHUTDOWN', 'over');
    await assert.rejects(createSlices({ signal: AbortSignal.abort(own) }).pause(), own);
  });
});
