import { type SchedulerLike, Subscription } from 'rxjs';
import type { Understanding } from './question.js';
import type { Timeline } from './timeline.js';

export interface FresheningOptions {
  readonly understanding: Pick<Understanding<never, unknown>, 'refresh'>;
  /** Hard deadline, ms on the scheduler's clock; may move. */
  readonly hardAtMs: () => number;
  readonly timeline: Timeline;
  readonly scheduler: SchedulerLike;
}

/** Keeps the answer up to date behind the findings, in slices, without taking the cores from decoder and models. */
export interface Freshening {
  /** There are new findings. */
  outdated(): void;
  stop(): void;
}

/** A round of understanding is followed by a rest of so many times its length. Chosen: a twentieth of one core. */
const REST = 19;
/** Length of a round before one was timed, ms (measured: 750 frames, two busy cores). */
const FIRST_ROUND_MS = 60;
/** The last round begins so many times its expected length before the deadline. Chosen. */
const MARGIN = 2;

/**
 * Not after every batch: what is understood now is soon out of date again. A round begins when the last one has been rested
 * from, or when it would otherwise come too late to be in the answer.
 */
export function createFreshening({ understanding, hardAtMs, timeline, scheduler }: FresheningOptions): Freshening {
  const work = new Subscription();
  let waiting = false;
  let roundMs = 0;
  let costMs = FIRST_ROUND_MS;
  let restedAtMs = scheduler.now() + REST * costMs;

  const begin = () => {
    const nowMs = scheduler.now();
    const latestMs = hardAtMs() - MARGIN * costMs;
    waiting = true;
    work.add(
      scheduler.schedule(
        function (this) {
          const end = timeline.begin('scene');
          const startMs = scheduler.now();
          const done = understanding.refresh();
          end();
          roundMs += scheduler.now() - startMs;
          if (!done) return void this.schedule();
          costMs = roundMs;
          roundMs = 0;
          restedAtMs = scheduler.now() + REST * costMs;
          waiting = false;
        },
        Math.max(0, Math.min(restedAtMs, latestMs) - nowMs),
      ),
    );
  };
  return {
    outdated() {
      if (!waiting) begin();
    },
    stop: () => work.unsubscribe(),
  };
}
