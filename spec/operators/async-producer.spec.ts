import assert from 'node:assert/strict';
import { firstValueFrom, lastValueFrom, of, take, toArray } from 'rxjs';
import { asyncProducer, pull } from '../../operators/index.js';

/** Lets every promise that is settled by now run its reactions. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const unlimited$ = of(Number.POSITIVE_INFINITY);

describe('asyncProducer', () => {
  it('gives the items of an async iterable in order, and its end', async () => {
    async function* letters() {
      yield* ['a', 'b', 'c'];
    }
    const result$ = pull({ open: () => asyncProducer(letters()), demand$: unlimited$ });
    assert.deepEqual(await lastValueFrom(result$.pipe(toArray())), ['a', 'b', 'c']);
  });

  it('does not call next() before somebody has room', async () => {
    let made = 0;
    async function* numbers() {
      for (;;) yield made++;
    }
    const subscription = pull({ open: () => asyncProducer(numbers()), demand$: of(2) }).subscribe();
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
    const result$ = pull({ open: () => asyncProducer(numbers()), demand$: unlimited$ });
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
    const open = () => asyncProducer(late, { onDiscard: (item) => discarded.push(item) });
    pull({ open, demand$: unlimited$ }).subscribe().unsubscribe();
    bring({ done: false, value: 'late' });
    await settled();
    assert.deepEqual(discarded, ['late']);
  });

  it('passes an error of the iterator on', async () => {
    const failure = new Error('broken');
    // biome-ignore lint/correctness/useYield: it fails before its first item
    async function* broken(): AsyncGenerator<string> {
      throw failure;
    }
    const result$ = pull({ open: () => asyncProducer(broken()), demand$: unlimited$ });
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
    const result$ = pull({ open: () => asyncProducer(stubborn()), demand$: unlimited$ });
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
