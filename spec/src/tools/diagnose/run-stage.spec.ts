import assert from 'node:assert/strict';
import { TikitakaError } from '../../../../operators/index.js';
import { runStage, StageError } from '../../../../src/tools/diagnose/run-stage.js';

describe('runStage', () => {
  const { signal } = new AbortController();
  const limited = { stage: 'transfer', limitMs: 60_000, signal } as const;
  const failing = (error: unknown) =>
    assert.rejects.bind(
      undefined,
      runStage(limited, () => Promise.reject(error)),
    );

  it('gives what the work gives', async () => {
    assert.equal(await runStage(limited, async () => 7), 7);
  });

  it('names the stage of a failure and keeps its code and cause', async () => {
    const cause = new TikitakaError('ERR_SOURCE_STALLED', 'Nothing came');
    await failing(cause)((error: unknown) => {
      assert.ok(error instanceof StageError);
      assert.deepEqual([error.stage, error.code, error.message], ['transfer', 'ERR_SOURCE_STALLED', 'Nothing came']);
      return error.cause === cause;
    });
  });

  it('leaves the stage that a failure knows better', async () => {
    await failing(new StageError('DNS look-up', 'ERR_SOURCE_CONNECT', 'no such name'))({ stage: 'DNS look-up' });
  });

  it('takes what is no error of ours for a fault of the program', async () => {
    await failing(new RangeError('off by one'))({ code: 'ERR_INTERNAL', stage: 'transfer' });
  });

  it('ends work that takes too long, and tells it to stop', async () => {
    let told: unknown;
    const never = (stop: AbortSignal) =>
      new Promise<never>(() => stop.addEventListener('abort', () => (told = stop.reason)));
    await assert.rejects(runStage({ ...limited, limitMs: 1 }, never), { code: 'ERR_STAGE_TIMEOUT', stage: 'transfer' });
    assert.ok(told instanceof StageError);
  });

  it('ends with the signal', async () => {
    const leave = new AbortController();
    const running = runStage({ ...limited, signal: leave.signal }, () => new Promise<never>(() => {}));
    leave.abort();
    await assert.rejects(running, { code: 'ERR_ABORTED', stage: 'transfer' });
  });
});
