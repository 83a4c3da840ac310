import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { TikitakaError } from '../../../operators/index.js';
import { linkSignals, pause, within } from '../../../src/net/within.js';
import { unhandledDuring } from '../../support/unhandled.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Timers that run now, the one of this test in mocha included: it starts a moment after the test does. */
const timers = async () => {
  await turn();
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
};
const late = () => new TikitakaError('ERR_SOURCE_CONNECT', 'late');
const never = new Promise<never>(() => {});

describe('within', () => {
  it('settles as the work does and leaves neither timer nor listener', async () => {
    const { signal } = new AbortController();
    const before = await timers();
    assert.equal(await within(Promise.resolve(1), { signal, limit: { timeoutMs: 60_000, late } }), 1);
    await assert.rejects(
      within(Promise.reject(new RangeError()), { signal, limit: { timeoutMs: 60_000, late } }),
      RangeError,
    );
    assert.equal(await timers(), before);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('is late after the time, and aborted with the signal, before or meanwhile', async () => {
    const leaving = new AbortController();
    const { signal } = leaving;
    await assert.rejects(within(never, { signal, limit: { timeoutMs: 1, late } }), { code: 'ERR_SOURCE_CONNECT' });
    const waiting = within(never, { signal });
    leaving.abort();
    await assert.rejects(waiting, { code: 'ERR_ABORTED' });
    await assert.rejects(within(never, { signal }), { code: 'ERR_ABORTED' });
  });

  it('lets work that fails after the end fail in silence', async () => {
    let fail: (error: Error) => void = () => {};
    const work = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const unhandled = await unhandledDuring(async () => {
      await assert.rejects(within(work, { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
      fail(new Error('too late'));
    });
    assert.deepEqual(unhandled, []);
  });
});

describe('pause', () => {
  it('waits, and leaves no listener', async () => {
    const { signal } = new AbortController();
    await pause(1, signal);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('ends with the signal at once and leaves no timer', async () => {
    const before = await timers();
    const leaving = new AbortController();
    const waiting = pause(60_000, leaving.signal);
    leaving.abort();
    await assert.rejects(waiting, { code: 'ERR_ABORTED' });
    await assert.rejects(pause(60_000, leaving.signal), { code: 'ERR_ABORTED' });
    assert.equal(await timers(), before);
  });
});

describe('linkSignals', () => {
  it('fires with whichever fires first, its own abort included', () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const links = [linkSignals(one.signal, two.signal), linkSignals(undefined, one.signal), linkSignals()];
    one.abort('enough');
    links[2]?.abort(late());
    assert.deepEqual(
      links.map(({ signal }) => signal.reason.code),
      ['ERR_ABORTED', 'ERR_ABORTED', 'ERR_SOURCE_CONNECT'],
    );
    assert.equal(links[0]?.signal.reason.cause, 'enough');
    assert.equal(linkSignals(AbortSignal.abort()).signal.aborted, true);
  });

  it('lets go of its sources when told, and hangs any number on one without a warning', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const { signal } = new AbortController();
    const links = Array.from({ length: 20 }, () => linkSignals(signal));
    await turn();
    process.off('warning', note);
    assert.deepEqual(warnings, []);
    for (const { unlink } of links) unlink();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});
