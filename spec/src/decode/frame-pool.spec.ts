import assert from 'node:assert/strict';
import { createFramePool, type FrameFacts } from '../../../src/decode/index.js';

const facts: FrameFacts = { index: 7, ptsUs: 280_000, keyframe: false, sourceWidth: 1920, sourceHeight: 1080 };
const twoSlots = () => createFramePool({ slots: 2, bytesPerSlot: 12 });

describe('createFramePool', () => {
  it('gives so many slots and no more', async () => {
    const pool = twoSlots();
    const a = await pool.acquire();
    const b = pool.tryAcquire();
    assert.deepEqual([pool.free, pool.inUse], [0, 2]);
    assert.equal(pool.tryAcquire(), undefined);
    a.release();
    assert.equal(pool.free, 1);
    b?.release();
    assert.deepEqual([pool.free, pool.inUse, pool.lent], [2, 0, 0]);
  });

  it('serves who waits in order of arrival, before anyone who tries', async () => {
    const pool = createFramePool({ slots: 1, bytesPerSlot: 12 });
    const held = await pool.acquire();
    const order: string[] = [];
    const first = pool.acquire().then((slot) => {
      order.push('first');
      return slot;
    });
    const second = pool.acquire().then((slot) => {
      order.push('second');
      return slot;
    });
    held.release();
    assert.equal(pool.tryAcquire(), undefined);
    (await first).release();
    (await second).release();
    assert.deepEqual(order, ['first', 'second']);
    assert.equal(pool.inUse, 0);
  });

  it('reuses memory and never shares it', () => {
    const pool = twoSlots();
    const a = pool.tryAcquire();
    const b = pool.tryAcquire();
    assert.ok(a && b && a.memory !== b.memory);
    a.release();
    assert.equal(pool.tryAcquire()?.memory, a.memory);
    assert.equal(a.pixels.length, 12);
    assert.ok(a.memory.length > 12 && a.memory.buffer === a.pixels.buffer);
  });

  it('turns a slot into a frame that owns it', () => {
    const pool = twoSlots();
    const slot = pool.tryAcquire();
    const frame = slot?.frame(facts);
    assert.ok(slot && frame);
    assert.deepEqual({ ...facts, pixels: slot.pixels }, { ...facts, pixels: frame.pixels });
    assert.equal(frame.index, 7);
    assert.throws(() => slot.release(), { code: 'ERR_RELEASED' });
    assert.throws(() => slot.frame(facts), { code: 'ERR_RELEASED' });
    assert.equal(pool.inUse, 1);
    frame.release();
    assert.equal(pool.inUse, 0);
  });

  it('counts frames that an inference reads, once each', () => {
    const pool = twoSlots();
    const frame = pool.tryAcquire()?.frame(facts);
    frame?.lend();
    frame?.lend();
    assert.deepEqual([pool.inUse, pool.lent], [1, 1]);
    frame?.release();
    assert.deepEqual([pool.inUse, pool.lent], [0, 0]);
  });

  it('refuses a second release, and any use behind it, without disturbing the next owner', () => {
    const pool = createFramePool({ slots: 1, bytesPerSlot: 12 });
    const frame = pool.tryAcquire()?.frame(facts);
    frame?.release();
    const next = pool.tryAcquire()?.frame(facts);
    assert.throws(() => frame?.release(), { code: 'ERR_RELEASED' });
    assert.throws(() => frame?.lend(), { code: 'ERR_RELEASED' });
    assert.deepEqual([pool.inUse, pool.lent], [1, 0]);
    next?.release();
  });

  it('forgets who stops waiting', async () => {
    const pool = createFramePool({ slots: 1, bytesPerSlot: 12 });
    const held = await pool.acquire();
    const controller = new AbortController();
    const waiting = pool.acquire(controller.signal);
    const patient = pool.acquire();
    controller.abort();
    await assert.rejects(waiting, { code: 'ERR_ABORTED' });
    held.release();
    (await patient).release();
    await assert.rejects(pool.acquire(controller.signal), { code: 'ERR_ABORTED' });
    assert.equal(pool.inUse, 0);
  });

  it('refuses who waits when it closes; frames that exist stay valid', async () => {
    const pool = createFramePool({ slots: 1, bytesPerSlot: 12 });
    const frame = (await pool.acquire()).frame(facts);
    const waiting = pool.acquire();
    pool.close();
    pool.close();
    await assert.rejects(waiting, { code: 'ERR_RELEASED' });
    await assert.rejects(pool.acquire(), { code: 'ERR_RELEASED' });
    assert.equal(pool.tryAcquire(), undefined);
    assert.equal(pool.free, 0);
    frame.release();
    assert.equal(pool.inUse, 0);
  });

  it('tells when every slot is free', async () => {
    const pool = twoSlots();
    await pool.idle();
    const a = pool.tryAcquire();
    const b = pool.tryAcquire();
    let idle = false;
    const told = pool.idle().then(() => {
      idle = true;
    });
    a?.release();
    await Promise.resolve();
    assert.equal(idle, false);
    b?.release();
    await told;
  });

  for (const options of [
    { slots: 0, bytesPerSlot: 1 },
    { slots: 1.5, bytesPerSlot: 1 },
    { slots: 1, bytesPerSlot: 0 },
    { slots: 1, bytesPerSlot: Number.NaN },
  ])
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => createFramePool(options), { code: 'ERR_OPTION' });
    });
});
