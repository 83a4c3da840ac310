import { createSecureContext } from 'node:tls';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { type Connection, createConnections } from './connections.js';
import { dial, type Resolve, type SetUpTimes, systemResolve } from './dial.js';
import { createLinkPolicy, type LinkPolicy } from './link-policy.js';
import type { TransportResponse } from './transport.js';
import { createWarmOrigins, type WarmOrigin } from './warm-origins.js';
import { linkSignals } from './within.js';

export interface PoolOptions {
  /** False: every `lane` (so every source) has connections of its own, for comparison (`USE_CONNECTION_POOL=0`). Default true. */
  readonly reuse?: boolean;
  /** Connections open at once, over all origins, 1… Default 10. */
  readonly maxConnections?: number;
  /** Idle connections kept for later, 0…; the longest idle one goes first. Warmed origins always stay. Default 5. */
  readonly maxKeptAlive?: number;
  /** How long an idle connection is kept, ms. Default 30000. */
  readonly keepAliveMs?: number;
  /** Bound on the look-up and again on the TCP connection, ms. Default 2000. */
  readonly connectTimeoutMs?: number;
  /** Bound on each wait for the peer (handshake, headers, next bytes), ms; our own pauses do not count. Default 10000. */
  readonly readTimeoutMs?: number;
  /** Judges every link, redirects included, and every address before it is connected to. Default: public addresses only. */
  readonly policy?: LinkPolicy;
  /** PEM certificates trusted instead of the usual ones: for demo and tests. `NODE_EXTRA_CA_CERTS` adds to those. */
  readonly ca?: string;
  /** Name resolution. Default: the system's. */
  readonly resolve?: Resolve;
}

export interface PoolRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The answer to a GET. Its `body` must be read or `cancel`led, else its place on the connection stays taken. */
export interface PoolResponse extends TransportResponse {
  readonly connection: {
    readonly httpVersion: '1.1' | '2';
    /** Whether an earlier request had already used this connection, or `warm` had opened it. */
    readonly reused: boolean;
    /** What setting this connection up cost when that was done. */
    readonly setUp: SetUpTimes;
  };
}

/** Where requests are sent from: the shared connections, or (`reuse: false`) private ones that `close` ends. */
export interface Lane {
  /**
   * Sends one GET; redirects are answers like others. Errors: ERR_SOURCE_REFUSED, ERR_SOURCE_CONNECT, ERR_SOURCE_STALLED,
   * ERR_ABORTED.
   */
  request(url: string | URL, request?: PoolRequest): Promise<PoolResponse>;
  close(): void;
}

export type { WarmOrigin } from './warm-origins.js';

/** One process-wide set of connections: HTTP/2 where ALPN offers it (one connection, many streams), else HTTP/1.1. */
export interface Pool extends Omit<Lane, 'close'> {
  readonly policy: LinkPolicy;
  lane(): Lane;
  /**
   * Connects to origins before anybody asks, and keeps them connected until `close`; a lost one is dialled again after a
   * while. At most `maxConnections` of them. Never rejects: each failure stands in the list, and is tried again if it may pass.
   */
  warm(origins: readonly string[]): Promise<readonly WarmOrigin[]>;
  /**
   * Keeps origins that delivered connected for `forMs` from now; a lost connection is dialled again as `warm` does. The last
   * four of them; nothing where connections are not reused. Returns those that were not kept before.
   */
  keepWarm(origins: readonly string[], forMs: number): readonly string[];
  /** Connections open, those of them idle, and how many were ever dialled. */
  stats(): { readonly open: number; readonly idle: number; readonly dialled: number };
  /** Ends everything, what still runs with ERR_ABORTED. Idempotent. */
  close(): Promise<void>;
}

/** Creates a pool. Throws ERR_OPTION on values out of range. */
export function createPool(options: PoolOptions = {}): Pool {
  const { reuse = true, maxConnections = 10, maxKeptAlive = 5, keepAliveMs = 30_000 } = options;
  const {
    connectTimeoutMs = 2000,
    readTimeoutMs = 10_000,
    policy = createLinkPolicy(),
    ca,
    resolve = systemResolve,
  } = options;
  atLeast(1, { maxConnections, keepAliveMs, connectTimeoutMs, readTimeoutMs });
  atLeast(0, { maxKeptAlive });

  const closing = new AbortController();
  const secureContext = ca === undefined ? undefined : createSecureContext({ ca });
  const children = new Set<Pool>();
  const connections = createConnections({
    dial: (origin) =>
      dial(origin, { policy, resolve, secureContext, connectTimeoutMs, readTimeoutMs, signal: closing.signal }),
    maxConnections,
    maxKeptAlive,
    keepAliveMs,
    waitMs: readTimeoutMs,
    onClosed: (connection) => warmOrigins.lost(connection),
  });
  const warmOrigins = createWarmOrigins({ connections, policy, maxConnections, signal: closing.signal });

  async function request(link: string | URL, { headers = {}, signal }: PoolRequest = {}): Promise<PoolResponse> {
    const url = policy.checkUrl(link);
    for (;;) {
      const stop = linkSignals(signal, closing.signal);
      const connection = await connections.acquire(url, stop.signal).catch((error: unknown) => {
        stop.unlink();
        throw error;
      });
      const { transport, setUp } = connection;
      const reused = connection.uses > 0;
      connection.uses += 1;
      try {
        const exchange = { path: url.pathname + url.search, headers, stop, readTimeoutMs };
        const response = await transport.get(exchange, () => {
          stop.unlink();
          connections.release(connection);
        });
        const body = watched(connection, response.body);
        return { ...response, body, connection: { httpVersion: transport.httpVersion, reused, setUp } };
      } catch (error) {
        suspect(connection, error);
        // The server may have ended an idle connection a moment ago: on a new one the request is as good as the first.
        if (reused && codeOf(error) === 'ERR_SOURCE_CONNECT' && transport.closed) continue;
        throw error;
      }
    }
  }

  async function* watched(connection: Connection, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      suspect(connection, error);
      throw error;
    }
  }

  /** A silent connection may be dead without anybody having said so: nothing new is sent on it. */
  function suspect(connection: Connection, error: unknown) {
    if (codeOf(error) === 'ERR_SOURCE_STALLED') connections.retire(connection);
  }

  async function close() {
    closing.abort(new TikitakaError('ERR_ABORTED', 'The pool was closed'));
    warmOrigins.close();
    await Promise.all([connections.close(), ...[...children].map((child) => child.close())]);
  }

  return {
    policy,
    request,
    lane() {
      if (reuse) return { request, close: () => {} };
      const child = createPool({ ...options, reuse: true });
      children.add(child);
      return {
        request: child.request,
        close: () => {
          children.delete(child);
          void child.close();
        },
      };
    },
    warm: warmOrigins.warm,
    keepWarm: (origins, forMs) => (reuse ? origins.filter((origin) => warmOrigins.keep(origin, forMs)) : []),
    stats: connections.stats,
    close,
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof TikitakaError ? error.code : undefined;
}

function atLeast(least: number, values: Readonly<Record<string, number>>) {
  for (const [name, value] of Object.entries(values)) {
    if (!(value >= least)) throw new OptionError(`${name} must be at least ${least}, got ${value}`, { [name]: value });
  }
}
