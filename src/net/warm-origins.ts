import { OptionError, TikitakaError } from '../../operators/index.js';
import type { Connection, Connections } from './connections.js';
import type { SetUpTimes } from './dial.js';
import { type LinkPolicy, shown } from './link-policy.js';
import { abortError } from './within.js';

export interface WarmOrigin {
  readonly origin: string;
  readonly httpVersion?: '1.1' | '2';
  readonly setUp?: SetUpTimes;
  readonly error?: TikitakaError;
}

export interface WarmOriginsOptions {
  readonly connections: Pick<Connections, 'acquire' | 'release' | 'pin' | 'unpin'>;
  /** Judges every origin at every dialling. */
  readonly policy: Pick<LinkPolicy, 'checkUrl'>;
  /** How many connections there may be at all. */
  readonly maxConnections: number;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Does something later, and returns what takes that back; must not keep the process alive. Default: an unref'd timer. */
  readonly later?: (work: () => void, ms: number) => () => void;
  /** The clock of `openedAtMs`. Default `performance.now`. */
  readonly now?: () => number;
}

/** Origins that stay connected though nobody asks for them at the moment: named ones until the end, others for a while. */
export interface WarmOrigins {
  /** Connects to named origins; see `Pool.warm`. */
  warm(origins: readonly string[]): Promise<readonly WarmOrigin[]>;
  /** Keeps an origin connected for so long from now; see `Pool.keepWarm`. True = it was not kept before. */
  keep(origin: string, forMs: number): boolean;
  /** A connection has gone, whoever ended it. */
  lost(connection: Pick<Connection, 'origin' | 'openedAtMs'>): void;
  close(): void;
}

/** First pause before a lost origin is dialled again, and the longest, ms. Chosen. */
const PAUSE_MS = { first: 1000, longest: 60_000 };
/** A connection that lived so long was worth dialling: the next pause is the first again, ms. Chosen. */
const WORTHWHILE_MS = 60_000;
/** Origins kept besides the named ones; the one that delivered longest ago goes first. Chosen: callers use one or two. */
const MOST_KEPT = 4;

interface Warm {
  /** Undefined for a named origin, which stays. */
  forget: (() => void) | undefined;
  redial: (() => void) | undefined;
  pauseMs: number;
}

const unrefTimer = (work: () => void, ms: number) => {
  const timer = setTimeout(work, ms).unref();
  return () => clearTimeout(timer);
};

export function createWarmOrigins(options: WarmOriginsOptions): WarmOrigins {
  const { connections, policy, maxConnections, signal, later = unrefTimer, now = () => performance.now() } = options;
  /** In the order of the last delivery. */
  const warmed = new Map<string, Warm>();
  const kept = () => [...warmed].filter(([, { forget }]) => forget !== undefined);

  async function connect(link: string): Promise<WarmOrigin> {
    const origin = URL.canParse(link) ? new URL(link).origin : shown(link);
    try {
      const url = policy.checkUrl(link);
      const connection = await connections.acquire(url, signal);
      connection.uses += 1;
      connections.release(connection);
      return { origin, httpVersion: connection.transport.httpVersion, setUp: connection.setUp };
    } catch (cause) {
      const error = cause instanceof TikitakaError ? cause : abortError(signal);
      const lasts = !error.retryable;
      if (!lasts) again(origin);
      else if (warmed.get(origin)?.forget) drop(origin);
      return { origin, error };
    }
  }

  function again(origin: string) {
    const one = warmed.get(origin);
    if (!one || signal.aborted) return;
    one.redial?.();
    one.redial = later(() => {
      one.redial = undefined;
      void connect(origin);
    }, one.pauseMs);
    one.pauseMs = Math.min(one.pauseMs * 2, PAUSE_MS.longest);
  }

  function drop(origin: string) {
    const one = warmed.get(origin);
    one?.forget?.();
    one?.redial?.();
    warmed.delete(origin);
    connections.unpin(origin);
  }

  async function warmNamed(link: string): Promise<WarmOrigin> {
    const origin = allowed(link);
    if (origin === undefined) return connect(link);
    if (warmed.get(origin)?.forget) drop(origin);
    if (!warmed.has(origin)) {
      const named = warmed.size - kept().length;
      if (named >= maxConnections) return { origin, error: noPlaceFor(named + 1, maxConnections) };
      warmed.set(origin, { forget: undefined, redial: undefined, pauseMs: PAUSE_MS.first });
      connections.pin(origin);
    }
    return connect(link);
  }

  function allowed(link: string): string | undefined {
    try {
      return policy.checkUrl(link).origin;
    } catch {
      return undefined;
    }
  }

  return {
    warm: (origins) => Promise.all(origins.map(warmNamed)),
    keep(origin, forMs) {
      const known = warmed.get(origin);
      if (signal.aborted || (known && !known.forget)) return false;
      const named = warmed.size - kept().length;
      const most = Math.min(MOST_KEPT, maxConnections - named - 1);
      if (most < 1) return false;
      known?.forget?.();
      warmed.delete(origin);
      const one = known ?? { forget: undefined, redial: undefined, pauseMs: PAUSE_MS.first };
      one.forget = later(() => drop(origin), forMs);
      warmed.set(origin, one);
      connections.pin(origin);
      const [oldest] = kept();
      if (kept().length > most && oldest) drop(oldest[0]);
      if (known) return false;
      // Its connection may have been closed with the last answer.
      again(origin);
      one.pauseMs = PAUSE_MS.first;
      return true;
    },
    lost({ origin, openedAtMs }) {
      const one = warmed.get(origin);
      if (!one) return;
      if (now() - openedAtMs >= WORTHWHILE_MS) one.pauseMs = PAUSE_MS.first;
      again(origin);
    },
    close() {
      for (const { forget, redial } of warmed.values()) {
        forget?.();
        redial?.();
      }
      warmed.clear();
    },
  };
}

function noPlaceFor(origins: number, maxConnections: number): OptionError {
  return new OptionError(`maxConnections must be at least ${origins}, got ${maxConnections}`, { maxConnections });
}
