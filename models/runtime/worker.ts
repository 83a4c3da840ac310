import { type SchedulerLike, type Subscription, timer } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import type { ModelPicture } from '../contract.js';
import { Predictor } from './predictor.js';
import type { RunEnd, SessionProcess } from './process.js';
import type { ReadyMessage } from './protocol.js';

/** One batch to be run. */
export interface Job {
  readonly pictures: readonly ModelPicture[];
  readonly onReturn: () => void;
  /** Undefined once nobody waits. */
  onEnd: ((end: RunEnd) => void) | undefined;
}

/** A process that is loaded and warm, and what it has been given to do, in order. */
export interface Worker {
  readonly session: SessionProcess;
  readonly ready: ReadyMessage;
  readonly predictor: Predictor;
  readonly jobs: Job[];
  /** Ends when the head of `jobs` is answered. */
  watchdog?: Subscription;
  /** Gets no further job, and goes when the last is done. */
  retired: boolean;
  /** Its process is gone. */
  lost: boolean;
}

/** Waits until the session is warm. A process that takes longer is killed: ERR_MODEL_LOAD. */
export async function warmWorker(
  session: SessionProcess,
  timeoutMs: number,
  scheduler: SchedulerLike,
): Promise<Worker> {
  let late = false;
  const watchdog = timer(timeoutMs, scheduler).subscribe(() => {
    late = true;
    session.kill();
  });
  try {
    const ready = await session.ready;
    return {
      session,
      ready,
      predictor: new Predictor(ready.warmMs, ready.padded),
      jobs: [],
      retired: false,
      lost: false,
    };
  } catch (cause) {
    if (!late) throw cause;
    const message = `the model was not loaded and warm after ${timeoutMs} ms on ${session.device()}`;
    const details = { timeoutMs, device: session.device() };
    throw new TikitakaError('ERR_MODEL_LOAD', message, { cause, retryable: true, details });
  } finally {
    watchdog.unsubscribe();
  }
}
