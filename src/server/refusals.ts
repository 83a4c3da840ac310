import { type SchedulerLike, type Subscription, timer } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import type { ServerLog } from './challenge-route.js';

/** What is known of somebody who was turned away: short printable texts, nothing of it verified. */
export interface RefusedRequest {
  /** Method and path; `-` where the request has neither. */
  readonly target: string;
  /** Address of the connection. */
  readonly from: string;
  /** Whose hot key the caller claims to have, shortened. */
  readonly hotkey?: string;
}

/** Requests that were turned away for one reason, since the start. */
export interface RefusedReason {
  /** Code, with what it was about where a code has several causes. */
  readonly reason: string;
  readonly times: number;
  /** Wall clock, ms since 1970. */
  readonly lastAtMs: number;
  readonly last: RefusedRequest;
}

/** Who was not let in and why: an operator's first question when challenges stop. */
export interface Refusals {
  /** Counts an error that ended a request before it became a challenge; others are ignored, for they have a log line of their own. */
  note(error: unknown, request: RefusedRequest): void;
  /** Latest first. */
  readonly reasons: readonly RefusedReason[];
  /** Logs what was only counted so far and stops the timers. */
  close(): void;
}

export interface RefusalsOptions {
  readonly log: Pick<ServerLog, 'info' | 'warn'>;
  /** Times the intervals. */
  readonly scheduler: SchedulerLike;
  /** After a line about a reason, how long further ones are only counted, ms. Default 60,000 (chosen). */
  readonly quietMs?: number;
  /** Wall clock, ms since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** Codes of refusals; `warn` where it may be the operator who has to do something about it. */
const levels = new Map<string, 'info' | 'warn'>([
  ['ERR_UNAUTHENTICATED', 'warn'],
  ['ERR_FORBIDDEN', 'warn'],
  ['ERR_HEADERS_MISSING', 'warn'],
  ['ERR_CHAIN_UNAVAILABLE', 'warn'],
  ['ERR_CLIENTS', 'warn'],
  ['ERR_NO_VIDEO_URL', 'warn'],
  ['ERR_REQUEST', 'info'],
  ['ERR_NOT_FOUND', 'info'],
  ['ERR_METHOD', 'info'],
  ['ERR_HEAD_TIMEOUT', 'info'],
  ['ERR_HEAD_TOO_LARGE', 'info'],
  ['ERR_BODY_TIMEOUT', 'info'],
  ['ERR_BODY_TOO_LARGE', 'info'],
]);
/** Chosen: twice the reasons there are; an `Auth` of somebody's own may bring more. */
const maxReasons = 40;

interface Entry {
  readonly level: 'info' | 'warn';
  times: number;
  unsaid: number;
  lastAtMs: number;
  last: RefusedRequest;
  quiet?: Subscription | undefined;
}

/** The first of a reason is logged at once, those within `quietMs` as one line with their count: strangers cannot fill the log. */
export function createRefusals({ log, scheduler, quietMs = 60_000, now = Date.now }: RefusalsOptions): Refusals {
  const entries = new Map<string, Entry>();
  const say = (reason: string, entry: Entry) => {
    const { level, unsaid, last } = entry;
    entry.unsaid = 0;
    log[level]({ reason, times: unsaid, ...last }, 'requests refused');
  };
  const sayAndRest = (reason: string, entry: Entry) => {
    say(reason, entry);
    entry.quiet = timer(quietMs, scheduler).subscribe(() => {
      entry.quiet = undefined;
      if (entry.unsaid > 0) sayAndRest(reason, entry);
    });
  };
  return {
    note(error, request) {
      const level = error instanceof TikitakaError ? levels.get(error.code) : undefined;
      if (level === undefined || !(error instanceof TikitakaError)) return;
      const named = typeof error.details.reason === 'string' ? `${error.code} (${error.details.reason})` : error.code;
      const reason = entries.has(named) || entries.size < maxReasons ? named : 'others';
      const entry: Entry = entries.get(reason) ?? { level, times: 0, unsaid: 0, lastAtMs: 0, last: request };
      entry.times++;
      entry.unsaid++;
      entry.lastAtMs = now();
      entry.last = request;
      // Moved to the end: the map is in the order of the last refusals.
      entries.delete(reason);
      entries.set(reason, entry);
      if (!entry.quiet) sayAndRest(reason, entry);
    },
    get reasons() {
      return [...entries].reverse().map(([reason, { times, lastAtMs, last }]) => ({ reason, times, lastAtMs, last }));
    },
    close() {
      for (const [reason, entry] of entries) {
        entry.quiet?.unsubscribe();
        if (entry.unsaid > 0) say(reason, entry);
      }
    },
  };
}

const maxShownLength = 64;

/** A stranger's text for logs and pages: one line of printable ASCII, cut where it is long. */
export function printable(text: string): string {
  const escaped = text
    .slice(0, maxShownLength)
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return text.length > maxShownLength ? `${escaped}…` : escaped;
}

/** Enough of an ss58 address to recognise it. */
export function shortHotkey(hotkey: string): string {
  return hotkey.length > 12 ? `${printable(hotkey.slice(0, 6))}…${printable(hotkey.slice(-4))}` : printable(hotkey);
}
