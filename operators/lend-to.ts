import { defer, Observable, type ObservableInput, type OperatorFunction } from 'rxjs';
import { boundedMap } from './bounded-map.js';

/** Something with an owner, who ends its journey by giving it back. */
export interface Owned {
  release(): void;
}

export interface LendOptions<T> {
  /** How many inputs may be lent at once. Default 1. */
  readonly concurrency?: number;
  /** How many more may wait; one too many is ERR_OVERFLOW. Default: as many as the source makes before it gets some back. */
  readonly maxQueued?: number;
  /** Gives an input back. Default: its `release()`, or that of each of its members. Must not throw. */
  readonly release?: (input: T) => void;
}

/** Work on a borrowed input: results as they come; its end gives the input back. `signal` aborts when nobody waits for it. */
export type Borrower<T, R> = (input: T, signal: AbortSignal) => ObservableInput<R>;

/**
 * Lends each input to some work and takes it back when that work is done with it, also where the consumer has left long ago:
 * pixels that a promise still reads are nobody else's.
 *
 * `lendTo(work, { concurrency: 1 })`, where the work takes `---a|` and `--b|`; the consumer leaves at 5
 * ```
 * source    ab----
 * work a    ^---!
 * work b    ----^--!
 * result    ---a--
 * released  ----a--b
 * ```
 *
 * Nearest in rxjs: `concatMap` and `mergeMap`, which leave the work together with the consumer and know nothing of owners.
 *
 * - **Ends** when the source has ended and the last work is done.
 * - **Order of use**: where owned things are looked at; `rampBatch` above it, a cut below.
 * - **Pressure**: inputs that find no place wait in order, as many as the source makes without getting any back: a source
 *   of owned things stops by itself. Set `maxQueued` for one that does not.
 * - **Errors**: ERR_OPTION when called; those of the source and of the work pass through. Every input is released once: when
 *   its work ends, fails or throws, or at once where its work never began. What abandoned work still fails with is dropped.
 */
export function lendTo<T extends Owned | readonly Owned[], R>(
  work: Borrower<T, R>,
  options?: LendOptions<T>,
): OperatorFunction<T, R>;
export function lendTo<T, R>(
  work: Borrower<T, R>,
  options: LendOptions<T> & Required<Pick<LendOptions<T>, 'release'>>,
): OperatorFunction<T, R>;
export function lendTo<T, R>(work: Borrower<T, R>, options: LendOptions<T> = {}): OperatorFunction<T, R> {
  const { concurrency = 1, maxQueued = Number.MAX_SAFE_INTEGER, release = releaseOwned } = options;
  const project = (input: T) =>
    new Observable<R>((subscriber) => {
      const leaving = new AbortController();
      subscriber.add(() => leaving.abort());
      // Not this subscriber's own subscription: work that is abandoned goes on until it has let go of its input.
      defer(() => work(input, leaving.signal)).subscribe({
        next: (result) => subscriber.next(result),
        error: (error) => {
          release(input);
          subscriber.error(error);
        },
        complete: () => {
          release(input);
          subscriber.complete();
        },
      });
    });
  return boundedMap({ project, concurrency, maxQueued, onDiscard: release });
}

function releaseOwned(input: unknown): void {
  const owned = (Array.isArray(input) ? input : [input]) as readonly Owned[];
  for (const item of owned) item.release();
}
