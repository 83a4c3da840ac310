import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type SignalTarget, shutdownOnSignals } from '../../../src/server/shutdown.js';

function begin(close: () => Promise<void>) {
  const emitter = new EventEmitter();
  const exits: number[] = [];
  const errors: unknown[] = [];
  const target: SignalTarget = {
    on: (signal, listener) => emitter.on(signal, listener),
    off: (signal, listener) => emitter.off(signal, listener),
    exit: (code) => exits.push(code),
  };
  const undo = shutdownOnSignals(close, { target, onError: (error) => errors.push(error) });
  return { emitter, exits, errors, undo };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('shutdownOnSignals', () => {
  it('closes, then exits with 0', async () => {
    let closed = 0;
    const { emitter, exits } = begin(async () => {
      closed++;
    });
    emitter.emit('SIGTERM');
    assert.deepEqual(exits, []);
    await settle();
    assert.deepEqual([closed, exits], [1, [0]]);
  });
  it('exits at once with the second signal, of either kind', () => {
    const { emitter, exits } = begin(() => new Promise(() => undefined));
    emitter.emit('SIGINT');
    emitter.emit('SIGTERM');
    assert.deepEqual(exits, [1]);
  });
  it('exits with 1 where closing fails', async () => {
    const failed = new Error('x');
    const { emitter, exits, errors } = begin(() => Promise.reject(failed));
    emitter.emit('SIGTERM');
    await settle();
    assert.deepEqual([exits, errors], [[1], [failed]]);
  });
  it('can be taken back', () => {
    const { emitter, undo } = begin(async () => undefined);
    undo();
    assert.equal(emitter.listenerCount('SIGTERM') + emitter.listenerCount('SIGINT'), 0);
  });
});
