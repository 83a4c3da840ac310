import { OptionError, TikitakaError } from '../../operators/index.js';
import type { Frame } from './frame.js';

export interface FramePoolOptions {
  /** How many frames may exist at once (`PREFETCH_FRAMES`), ≥ 1. */
  readonly slots: number;
  /** Size of one picture: width × height × 3. */
  readonly bytesPerSlot: number;
}

/** What is known of a picture once it is in its slot. */
export type FrameFacts = Pick<Frame, 'index' | 'ptsUs' | 'keyframe' | 'sourceWidth' | 'sourceHeight'>;

/** A slot that is filled next. Its holder ends with exactly one of `frame` and `release`. */
export interface Slot {
  /** uint8 [bytesPerSlot], contents undefined. */
  readonly pixels: Uint8Array;
  /** The same memory with `SLOT_MARGIN_BYTES` behind it, into which a vectorised scaler may run over. */
  readonly memory: Uint8Array;
  /** Turns the slot into a frame, which owns it from here on. */
  frame(facts: FrameFacts): Frame;
  /** Gives the slot back unused. ERR_RELEASED when it is no longer held. */
  release(): void;
}

export interface FramePool {
  readonly slots: number;
  readonly bytesPerSlot: number;
  /** Slots that `tryAcquire` would give. */
  readonly free: number;
  /** Slots being filled or owned by frames, lent ones included. */
  readonly inUse: number;
  /** Of those: read by a running inference. */
  readonly lent: number;
  /** First come, first served. Errors: ERR_ABORTED by `signal`, ERR_RELEASED after `close`. */
  acquire(signal?: AbortSignal): Promise<Slot>;
  tryAcquire(): Slot | undefined;
  /** Resolves when every slot is free; for tests, shutdown and the drain after a budget. */
  idle(): Promise<void>;
  /** Refuses further slots and rejects who waits for one; frames that exist stay valid until released. Idempotent. */
  close(): void;
}

/** swscale writes rows in vectors of up to 64 bytes. */
export const SLOT_MARGIN_BYTES = 64;

/**
 * A fixed number of picture slots: back-pressure by ownership (docs/architecture.md "Ownership"). Memory is taken when a slot is used
 * for the first time and kept for reuse.
 */
export function createFramePool({ slots, bytesPerSlot }: FramePoolOptions): FramePool {
  if (!Number.isInteger(slots) || slots < 1) throw new OptionError('slots must be an integer of at least 1', { slots });
  if (!Number.isInteger(bytesPerSlot) || bytesPerSlot < 1)
    throw new OptionError('bytesPerSlot must be an integer of at least 1', { bytesPerSlot });

  const spare: Uint8Array[] = [];
  const waiting = new Set<{ give(slot: Slot): void; fail(error: TikitakaError): void }>();
  let idlers: (() => void)[] = [];
  let inUse = 0;
  let lent = 0;
  let closed = false;

  function giveBack(memory: Uint8Array): void {
    spare.push(memory);
    inUse--;
    const [next] = waiting;
    if (next) {
      waiting.delete(next);
      next.give(take());
    } else if (inUse === 0) {
      const woken = idlers;
      idlers = [];
      for (const wake of woken) wake();
    }
  }

  function take(): Slot {
    const memory = spare.pop() ?? new Uint8Array(bytesPerSlot + SLOT_MARGIN_BYTES);
    const pixels = memory.subarray(0, bytesPerSlot);
    inUse++;
    let owner: 'slot' | 'frame' | undefined = 'slot';
    const check = (expected: 'slot' | 'frame') => {
      if (owner !== expected) throw new TikitakaError('ERR_RELEASED', 'this slot has already been given back');
    };
    return {
      pixels,
      memory,
      frame(facts) {
        check('slot');
        owner = 'frame';
        let isLent = false;
        return {
          ...facts,
          pixels,
          lend() {
            check('frame');
            if (!isLent) lent++;
            isLent = true;
          },
          release() {
            check('frame');
            owner = undefined;
            if (isLent) lent--;
            giveBack(memory);
          },
        };
      },
      release() {
        check('slot');
        owner = undefined;
        giveBack(memory);
      },
    };
  }

  const tryAcquire = () => (!closed && waiting.size === 0 && inUse < slots ? take() : undefined);

  return {
    slots,
    bytesPerSlot,
    get free() {
      return closed ? 0 : slots - inUse;
    },
    get inUse() {
      return inUse;
    },
    get lent() {
      return lent;
    },
    tryAcquire,
    acquire(signal) {
      if (closed) return Promise.reject(closedError());
      if (signal?.aborted) return Promise.reject(abortedError(signal));
      const slot = tryAcquire();
      if (slot) return Promise.resolve(slot);
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          waiting.delete(waiter);
          if (signal) reject(abortedError(signal));
        };
        const waiter = {
          give(given: Slot) {
            signal?.removeEventListener('abort', onAbort);
            resolve(given);
          },
          fail(error: TikitakaError) {
            signal?.removeEventListener('abort', onAbort);
            reject(error);
          },
        };
        waiting.add(waiter);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
    idle: () => (inUse === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    close() {
      closed = true;
      for (const waiter of waiting) waiter.fail(closedError());
      waiting.clear();
    },
  };
}

const closedError = () => new TikitakaError('ERR_RELEASED', 'the frame pool is closed');

const abortedError = (signal: AbortSignal) =>
  new TikitakaError('ERR_ABORTED', 'waiting for a frame slot was cancelled', { cause: signal.reason });
