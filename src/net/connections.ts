import { TikitakaError } from '../../operators/index.js';
import type { Dialled, SetUpTimes } from './dial.js';
import { createTransport, type Transport } from './transport.js';
import { abortError, within } from './within.js';

export interface Connection {
  readonly origin: string;
  readonly transport: Transport;
  readonly setUp: SetUpTimes;
  /** On `performance.now()`'s clock. */
  readonly openedAtMs: number;
  /** Requests sent so far: the first one is not a reuse. */
  uses: number;
  /** Exchanges under way. */
  active: number;
  /** Something on it went silent: whatever runs may end, nothing new begins. */
  retired: boolean;
}

export interface ConnectionsOptions {
  readonly dial: (origin: URL) => Promise<Dialled>;
  readonly maxConnections: number;
  readonly maxKeptAlive: number;
  readonly keepAliveMs: number;
  /** Longest wait for a free place among `maxConnections`, ms. */
  readonly waitMs: number;
  /** Runs when a connection has gone, whoever ended it. */
  readonly onClosed: (connection: Connection) => void;
}

/** The open connections of a pool: who may use which, when a new one is dialled, when an idle one goes. */
export interface Connections {
  /** A place on a connection: a shared one (HTTP/2), an idle or a new one. Give it back with `release`. */
  acquire(origin: URL, signal: AbortSignal): Promise<Connection>;
  release(connection: Connection): void;
  retire(connection: Connection): void;
  /** Connections of this origin are not reaped for idleness, until `unpin`. */
  pin(origin: string): void;
  unpin(origin: string): void;
  /** Connections open, those of them idle, and how many were ever dialled. */
  stats(): { readonly open: number; readonly idle: number; readonly dialled: number };
  close(): Promise<void>;
}

export function createConnections(options: ConnectionsOptions): Connections {
  const { dial, maxConnections, maxKeptAlive, keepAliveMs, waitMs, onClosed } = options;
  /** In the order of their last use: the first idle one is the one to go. */
  const open = new Set<Connection>();
  const idleTimers = new Map<Connection, NodeJS.Timeout>();
  const dialling = new Map<string, Set<Promise<Connection>>>();
  /** Origins that ALPN (or plain http) has shown to speak HTTP/1.1: there, one exchange needs one connection. */
  const exclusive = new Set<string>();
  const waiting = new Set<() => void>();
  const pinned = new Set<string>();
  let dialled = 0;
  let closed = false;

  function usable(origin: string): Connection | undefined {
    for (const connection of [...open].reverse()) {
      if (connection.origin !== origin || connection.retired || connection.transport.closed) continue;
      if (connection.transport.httpVersion === '2' || connection.active === 0) return connection;
    }
    return undefined;
  }

  function take(connection: Connection): Connection {
    clearTimeout(idleTimers.get(connection));
    idleTimers.delete(connection);
    open.delete(connection);
    open.add(connection);
    connection.active += 1;
    return connection;
  }

  function release(connection: Connection) {
    connection.active -= 1;
    if (connection.active > 0) return;
    if (connection.retired) end(connection);
    else if (open.has(connection)) rest(connection);
    if (idleTimers.size > maxKeptAlive) evict(false);
    wake();
  }

  function rest(connection: Connection) {
    clearTimeout(idleTimers.get(connection));
    const reap = () => {
      if (!pinned.has(connection.origin)) end(connection);
    };
    idleTimers.set(connection, setTimeout(reap, keepAliveMs).unref());
  }

  /** Closes the connection that has been idle longest, a pinned one only if there must be a place. */
  function evict(must: boolean): boolean {
    const idle = [...open].filter((connection) => idleTimers.has(connection));
    const victim = idle.find(({ origin }) => !pinned.has(origin)) ?? (must ? idle[0] : undefined);
    if (victim) end(victim);
    return victim !== undefined;
  }

  function end(connection: Connection) {
    void connection.transport.close();
    forget(connection);
  }

  function forget(connection: Connection) {
    clearTimeout(idleTimers.get(connection));
    idleTimers.delete(connection);
    if (!open.delete(connection)) return;
    onClosed(connection);
    wake();
  }

  function wake() {
    for (const resume of [...waiting]) resume();
  }

  function dialFor(url: URL): Promise<Connection> {
    const { origin } = url;
    const underWay = dialling.get(origin) ?? new Set();
    dialling.set(origin, underWay);
    const work = dial(url).then((socket) => {
      if (closed) {
        socket.socket.destroy();
        throw new TikitakaError('ERR_ABORTED', 'The pool was closed');
      }
      dialled += 1;
      if (socket.httpVersion === '2') exclusive.delete(origin);
      else exclusive.add(origin);
      const transport = createTransport(url, socket, () => forget(connection));
      const connection: Connection = {
        origin,
        transport,
        setUp: socket.setUp,
        openedAtMs: performance.now(),
        uses: 0,
        active: 0,
        retired: false,
      };
      open.add(connection);
      rest(connection);
      return connection;
    });
    underWay.add(work);
    work
      .catch(() => {})
      .finally(() => {
        underWay.delete(work);
        if (underWay.size === 0) dialling.delete(origin);
        wake();
      });
    return work;
  }

  function places(): number {
    let taken = open.size;
    for (const underWay of dialling.values()) taken += underWay.size;
    return maxConnections - taken;
  }

  async function acquire(url: URL, signal: AbortSignal): Promise<Connection> {
    for (;;) {
      if (signal.aborted) throw abortError(signal);
      const found = usable(url.origin);
      if (found) return take(found);
      const [other] = dialling.get(url.origin) ?? [];
      if (other && !exclusive.has(url.origin)) await within(other, { signal });
      else if (places() > 0 || evict(true)) await within(dialFor(url), { signal });
      else await within(nextChange(), { signal, limit: { timeoutMs: waitMs, late: noPlace } });
    }
  }

  function nextChange(): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        waiting.delete(resume);
        resolve();
      };
      waiting.add(resume);
    });
  }

  return {
    acquire,
    release,
    retire(connection) {
      connection.retired = true;
      if (connection.active === 0) end(connection);
    },
    pin: (origin) => pinned.add(origin),
    unpin(origin) {
      pinned.delete(origin);
      for (const connection of idleTimers.keys()) if (connection.origin === origin) rest(connection);
    },
    stats: () => ({ open: open.size, idle: idleTimers.size, dialled }),
    async close() {
      closed = true;
      const gone = [...open].map(({ transport }) => transport.close());
      for (const connection of [...open]) forget(connection);
      await Promise.all(gone);
    },
  };
}

function noPlace(): TikitakaError {
  return new TikitakaError('ERR_SOURCE_CONNECT', 'No connection became free in time', { retryable: true });
}
