import type { SchedulerLike, Subscription } from 'rxjs';
import { quantile } from './quantile.js';

/** How late timers fire here: the event loop's own work, and how long this process waits for a core. */
export interface LoopLag {
  /** What nine of ten timers of the last second or so were late at most, ms. */
  readonly ms: number;
  /** Measures until the returned function is called; several may at once. */
  watch(): () => void;
}

/** Chosen: a load that begins shows within a fifth of a second, and 50 timers a second cost nothing. */
const TICK_MS = 20;
const TICKS = 48;
const Q = 0.9;

export function createLoopLag(scheduler: SchedulerLike): LoopLag {
  const lateMs: number[] = [];
  let watchers = 0;
  let ticking: Subscription | undefined;

  const begin = () => {
    let dueMs = scheduler.now() + TICK_MS;
    return scheduler.schedule(function (this) {
      const nowMs = scheduler.now();
      lateMs.push(Math.max(0, nowMs - dueMs));
      if (lateMs.length > TICKS) lateMs.shift();
      dueMs = nowMs + TICK_MS;
      this.schedule(undefined, TICK_MS);
    }, TICK_MS);
  };
  return {
    get ms() {
      return lateMs.length > 0 ? quantile(lateMs, Q) : 0;
    },
    watch() {
      if (watchers++ === 0) ticking = begin();
      let watching = true;
      return () => {
        if (!watching) return;
        watching = false;
        if (--watchers === 0) ticking?.unsubscribe();
      };
    },
  };
}
