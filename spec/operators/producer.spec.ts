import assert from 'node:assert/strict';
import { firstValueFrom, lastValueFrom, of, take, toArray } from 'rxjs';
import { pull } from '../../operators/index.js';

/** Lets every promise that is settled by now run its reactions. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('pull, of an async iterable', () => {
  it('gives the items of an async iterable in order, and its end', async () => {
    async function* letters() {
      yield* ['a', 'b', 'c'];
    }
    const result$ = pull({ open: () => letters() });
    assert.deepEqual(await lastValueFrom(result$.pipe(toArray())), ['a', 'b', 'c']);
  });

  it('does not call next() before somebody has room', async () => {
    let made = 0;
    async function* numbers() {
      for (;;) yield made++;
    }
    const subscription = pull({ open: numbers, demand$: of(2) }).subscribe();
    await settled();
    assert.equal(made, 2);
    subscription.unsubscribe();
  });

  it('ends an iterator whose consumer leaves', async () => {
    let ended = false;
    async function* numbers() {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        ended = true;
      }
    }
    const result$ = pull({ open: () => numbers() });
    await lastValueFrom(result$.pipe(take(2)));
    await settled();
    assert.equal(ended, true);
  });

  it('hands back the item that a call brings after the consumer left', async () => {
    const discarded: string[] = [];
    let bring: (result: IteratorResult<string>) => void = () => {};
    const late: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((resolve) => {
            bring = resolve;
          }),
      }),
    };
    pull({ open: () => late, onDiscard: (item) => discarded.push(item) })
      .subscribe()
      .unsubscribe();
    bring({ done: false, value: 'late' });
    await settled();
    assert.deepEqual(discarded, ['late']);
  });

  it('tells what the iterator waits for that everybody has left', async () => {
    const signals: AbortSignal[] = [];
    async function* numbers() {
      yield* [1, 2, 3];
    }
    const open = (signal: AbortSignal) => {
      signals.push(signal);
      return numbers();
    };
    await lastValueFrom(pull({ open }).pipe(take(2)));
    await lastValueFrom(pull({ open }));
    const waiting = pull({ open }).subscribe();
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true, true, false],
    );
    waiting.unsubscribe();
    assert.equal(signals[2]?.aborted, true);
  });

  it('passes an error of the iterator on', async () => {
    const failure = new Error('broken');
    // biome-ignore lint/correctness/useYield: it fails before its first item
    async function* broken(): AsyncGenerator<string> {
      throw failure;
    }
    const result$ = pull({ open: () => broken() });
    await assert.rejects(firstValueFrom(result$), failure);
  });

  it('drops what return() rejects with: nobody is left to tell', async () => {
    async function* stubborn() {
      try {
        yield 1;
        yield 2;
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: the failure under test
        throw new Error('cannot close');
      }
    }
    const result$ = pull({ open: () => stubborn() });
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.prependListener('unhandledRejection', note);
    try {
      assert.equal(await firstValueFrom(result$), 1);
      await settled();
    } finally {
      process.off('unhandledRejection', note);
    }
    assert.deepEqual(unhandled, []);
  });
});
