import type { IncomingHttpHeaders } from 'node:http';
import { Client } from 'undici';
import { TikitakaError } from '../../operators/index.js';
import type { Dialled } from './dial.js';
import type { LinkedSignal } from './within.js';

/**
 * Windows of HTTP/2 flow control, bytes. They decide the speed: at 60 ms and 5 MB/s undici's defaults give 2.9 MB/s, these
 * 4.5 (docs/measurements.md "HTTP/2"); a paused reader holds at most one stream window on the wire.
 */
const STREAM_WINDOW_BYTES = 1 << 20;
const CONNECTION_WINDOW_BYTES = 2 << 20;
/** Keeps middle boxes from forgetting a quiet connection, and finds out that one is dead. Chosen. */
const PING_INTERVAL_MS = 15_000;
/** HTTP/2 streams in flight on one connection; the servers' usual limit is 100. */
const MAX_STREAMS = 100;
/** Longest wait that undici's own idle timer allows; the pool reaps earlier, a server's `Keep-Alive` hint may too. */
const IDLE_MS = 600_000;

export interface TransportRequest {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the exchange; fired from inside when the peer goes silent. */
  readonly stop: LinkedSignal;
  /** Longest wait for the next header or body byte *while somebody waits for it*, ms. A paused reader never times out. */
  readonly readTimeoutMs: number;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Request sent → headers here, ms. */
  readonly firstByteMs: number;
  /**
   * For one reader. Leaving early resets this stream only (on HTTP/1.1 it costs the connection). Errors: ERR_SOURCE_STALLED,
   * ERR_SOURCE_TRUNCATED (the body broke off), ERR_ABORTED.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the body up, read or not. Idempotent. */
  cancel(): void;
}

/** HTTP over one socket, never another: when that is gone the transport is closed for good and the pool dials anew. */
export interface Transport {
  readonly httpVersion: '1.1' | '2';
  readonly closed: boolean;
  /** Sends a GET. Errors before the headers: ERR_SOURCE_CONNECT, ERR_SOURCE_STALLED, ERR_ABORTED. `onDone` runs once, when the exchange is over. */
  get(request: TransportRequest, onDone: () => void): Promise<TransportResponse>;
  close(): Promise<void>;
}

/**
 * Speaks HTTP/2 or HTTP/1.1 on a dialled socket; the only place that knows undici. undici's reconnecting is switched off on
 * purpose: its client is given one socket and refused a second, so a GOAWAY can not leave a half-dead client behind.
 */
export function createTransport(origin: URL, { socket, httpVersion }: Dialled, onClosed: () => void): Transport {
  let closed = false;
  let handedOver = false;
  const client = new Client(origin.origin, {
    allowH2: httpVersion === '2',
    pipelining: httpVersion === '2' ? MAX_STREAMS : 1,
    initialWindowSize: STREAM_WINDOW_BYTES,
    connectionWindowSize: CONNECTION_WINDOW_BYTES,
    pingInterval: PING_INTERVAL_MS,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    headersTimeout: 0,
    bodyTimeout: 0, // it counts the reader's pauses too (docs/measurements.md "HTTP/2"); the watchdog below does not
    connect: (_options, callback) => {
      const first = !handedOver;
      handedOver = true;
      // A callback in the same tick is lost: undici still is inside its resume loop then.
      queueMicrotask(() => (first ? callback(null, socket) : callback(gone(), null)));
    },
  });
  socket.once('close', end).on('error', () => {});
  if (httpVersion === '2') {
    // An aborted request is dropped before it is sent, but the session is opened: settings, window and PING begin at once.
    client.request({ method: 'GET', path: '/', signal: AbortSignal.abort() }).catch(() => {});
  }

  function end() {
    if (closed) return;
    closed = true;
    onClosed();
    setImmediate(() => void close());
  }

  async function close() {
    closed = true;
    await client.destroy();
    socket.destroy();
  }

  return {
    httpVersion,
    get closed() {
      return closed || socket.destroyed; // the socket knows some ticks earlier than undici's client
    },
    async get({ path, headers, stop, readTimeoutMs }, onDone) {
      let done = false;
      const finish = () => {
        if (done) return;
        done = true;
        onDone();
      };
      const watched = async <T>(work: () => Promise<T>): Promise<T> => {
        const timer = setTimeout(() => stop.abort(stalled(readTimeoutMs)), readTimeoutMs);
        try {
          return await work();
        } finally {
          clearTimeout(timer);
        }
      };

      const begun = performance.now();
      const response = await watched(() => client.request({ method: 'GET', path, headers, signal: stop.signal })).catch(
        (cause: unknown) => {
          finish();
          throw failure(cause, 'ERR_SOURCE_CONNECT', 'The connection broke before an answer');
        },
      );
      const firstByteMs = performance.now() - begun;
      const cancel = () => {
        response.body.on('error', () => {}).destroy();
        finish();
      };
      const { body } = response;
      body.once('close', finish).on('error', () => {});

      async function* chunks(): AsyncGenerator<Uint8Array> {
        const iterator: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
        try {
          for (;;) {
            const { value, done } = await watched(() => iterator.next());
            if (done) return;
            yield value;
          }
        } catch (cause) {
          throw failure(cause, 'ERR_SOURCE_TRUNCATED', 'The body broke off');
        } finally {
          cancel();
        }
      }
      return { status: response.statusCode, headers: response.headers, firstByteMs, body: chunks(), cancel };
    },
    close,
  };
}

function gone(): TikitakaError {
  return new TikitakaError('ERR_SOURCE_CONNECT', 'The connection is gone', { retryable: true });
}

function stalled(readTimeoutMs: number): TikitakaError {
  return new TikitakaError('ERR_SOURCE_STALLED', `Nothing came for ${readTimeoutMs} ms`, {
    retryable: true,
    details: { readTimeoutMs },
  });
}

function failure(cause: unknown, code: string, message: string): TikitakaError {
  if (cause instanceof TikitakaError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const details = cause instanceof Error && 'code' in cause ? { code: String(cause.code) } : {};
  return new TikitakaError(code, `${message}: ${reason}`, { cause, retryable: true, details });
}
