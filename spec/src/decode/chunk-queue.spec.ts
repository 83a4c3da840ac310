import assert from 'node:assert/strict';
import { TikitakaError } from '../../../operators/index.js';
import { createChunkQueue } from '../../../src/decode/chunk-queue.js';

const bytes = (...values: readonly number[]) => Uint8Array.from(values);

async function* of(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

describe('createChunkQueue', () => {
  it('hands out at most what is asked for, in order, then null for ever', async () => {
    const queue = createChunkQueue(of(bytes(1, 2, 3), bytes(), bytes(4)));
    assert.deepEqual(await queue.read(2), bytes(1, 2));
    assert.deepEqual(await queue.read(2), bytes(3));
    assert.deepEqual(await queue.read(9), bytes(4));
    assert.equal(await queue.read(9), null);
    assert.equal(await queue.read(9), null);
    assert.equal(queue.error, undefined);
  });

  it('ends with null where the source fails, and keeps the error beside', async () => {
    const broken = new TikitakaError('ERR_SOURCE_CONNECT', 'gone');
    const queue = createChunkQueue(
      (async function* () {
        yield bytes(1);
        throw broken;
      })(),
    );
    assert.deepEqual(await queue.read(9), bytes(1));
    assert.equal(await queue.read(9), null);
    assert.equal(queue.error, broken);
  });

  it('settles a pending read at once when it stops, though the source never answers', async () => {
    let left = false;
    const queue = createChunkQueue(
      (async function* () {
        try {
          yield bytes(1);
          await new Promise(() => undefined);
        } finally {
          left = true;
        }
      })(),
    );
    await queue.read(1);
    const pending = queue.read(1);
    queue.stop();
    queue.stop();
    assert.equal(await pending, null);
    assert.equal(await queue.read(1), null);
    assert.ok(queue.error instanceof TikitakaError && queue.error.code === 'ERR_ABORTED');
    assert.equal(left, false, 'a generator that waits cannot be left; the source’s own signal ends it');
  });

  it('leaves a source that is not waiting', async () => {
    let left = false;
    const queue = createChunkQueue(
      (async function* () {
        try {
          for (;;) yield bytes(1);
        } finally {
          left = true;
        }
      })(),
    );
    await queue.read(1);
    queue.stop();
    await Promise.resolve();
    assert.equal(left, true);
  });

  it('fills up to a size, and no further', async () => {
    let handed = 0;
    const queue = createChunkQueue(
      (async function* () {
        for (;;) {
          handed++;
          yield bytes(1, 2, 3, 4);
        }
      })(),
    );
    await queue.fill(10, 60_000);
    assert.equal(handed, 3);
    await queue.fill(10, 60_000);
    assert.equal(handed, 3);
    queue.stop();
  });

  it('stops filling at the end of the source and when the time is up', async () => {
    await createChunkQueue(of(bytes(1))).fill(10, 60_000);
    const silent = createChunkQueue({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }),
    });
    await silent.fill(10, 0);
    silent.stop();
  });
});
