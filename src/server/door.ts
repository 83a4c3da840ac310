import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TikitakaError } from '../../operators/index.js';
import { boundClients } from './clients.js';
import { errorResponse } from './error-response.js';

export interface DoorOptions {
  /** Address to bind. */
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Longest time for a request's head to arrive, and for a new connection to say anything, ms. Default 10,000 (chosen). */
  readonly headTimeoutMs?: number;
  /** Most bytes of a request's head. Default 16,384. */
  readonly maxHeadBytes?: number;
  /**
   * Connections at once, 1 or more; one more takes the place of that which was idle longest. Default 256 (chosen: four times the
   * callers that a subnet can have).
   */
  readonly maxClients?: number;
  /** Told what the listening socket complains of later (no more files); the server goes on. Default nobody. */
  readonly onError?: (error: Error) => void;
}

/** What a door asks and tells of its connections. */
export interface DoorKeeper {
  readonly listener: RequestListener;
  /** Whether a connection may not be closed to make room. */
  readonly serves: (connection: Socket) => boolean;
  /** Told what was refused before there was a request. */
  readonly refused: (error: TikitakaError, connection: Socket) => void;
}

/** One listening HTTP server. */
export interface Door {
  readonly server: Server;
  readonly port: number;
  /** `http://host:port` to reach it from this machine. */
  readonly url: string;
  /** The same of the address that is really bound. */
  readonly boundUrl: string;
}

/** Node's 5 s equals httpx's idle time: both ends would close at once, and requests be lost (docs/protocol.md §1). */
const keepAliveMs = 65_000;
/** How often Node looks for late heads; its default of 30 s would let them live that much longer. */
const connectionsCheckingInterval = 1_000;
/** Silence on a connection after which it is cut: longer than the callers' time-out of 240 s. Each route bounds the time of a body. */
const idleSocketMs = 300_000;

/** Listens. Every connection is answered or closed, whatever comes on it. Errors: ERR_LISTEN (address in use, no permission). */
export async function openDoor({ listener, serves, refused }: DoorKeeper, options: DoorOptions): Promise<Door> {
  const { host, port, headTimeoutMs = 10_000, maxHeadBytes = 16_384, maxClients = 256, onError } = options;
  const server = createServer(
    {
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headTimeoutMs,
      requestTimeout: headTimeoutMs + idleSocketMs,
      connectionsCheckingInterval,
      maxHeaderSize: maxHeadBytes,
    },
    listener,
  );
  server.timeout = idleSocketMs;
  const refuse = (connection: Duplex, error: TikitakaError) => {
    // Node's server knows of nothing but sockets; its types speak of any stream.
    if (!(connection instanceof Socket)) return connection.destroy();
    refused(error, connection);
    connection.on('error', () => undefined);
    // As Node does it: the kernel has these few bytes, and who does not read them must not hold the connection.
    connection.write(rawAnswer(error));
    connection.destroy();
  };
  const clients = boundClients(server, {
    maxClients,
    serves,
    onFull: (connection, idle) => {
      const reason = idle ? 'an idle one made room' : 'all are at work';
      const full = new TikitakaError('ERR_CLIENTS', 'Too many connections', { retryable: true, details: { reason } });
      if (!idle) return refuse(connection, full);
      // It asked for nothing that could be answered.
      refused(full, connection);
      connection.destroy();
    },
  });
  // The server takes its own error listeners away before it emits this.
  server.on('connect', (_request, connection) =>
    refuse(connection, new TikitakaError('ERR_METHOD', 'Method Not Allowed')),
  );
  server.on('clientError', (fault: NodeJS.ErrnoException, connection) => {
    const lost = fault.code === 'ECONNRESET' || !connection.writable;
    // In the middle of an answer a second one would be read as part of it.
    if (lost || !(connection instanceof Socket) || clients.awaits(connection)) connection.destroy();
    else refuse(connection, parserError(fault));
  });
  await listen(server, host, port);
  server.on('error', (error) => onError?.(error));
  const address = server.address();
  const bound = typeof address === 'object' && address ? address : { address: host, port };
  const everywhere = bound.address === '0.0.0.0' || bound.address === '::';
  return {
    server,
    port: bound.port,
    url: httpUrl(everywhere ? '127.0.0.1' : host, bound.port),
    boundUrl: httpUrl(bound.address, bound.port),
  };
}

const httpUrl = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;

/** What Node's HTTP parser and its clocks complain of. */
function parserError(cause: NodeJS.ErrnoException): TikitakaError {
  switch (cause.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new TikitakaError('ERR_HEAD_TIMEOUT', 'The request did not arrive in time', { cause });
    case 'HPE_HEADER_OVERFLOW':
      return new TikitakaError('ERR_HEAD_TOO_LARGE', 'The head of the request is too large', { cause });
    default:
      return new TikitakaError('ERR_REQUEST', 'Not an HTTP/1.1 request', { cause, details: { reason: 'not HTTP' } });
  }
}

/** The answer to what never became a request, as it stands on the wire. */
function rawAnswer(error: TikitakaError): string {
  const { status, body, headers } = errorResponse(error);
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    Connection: 'close',
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(text)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new TikitakaError('ERR_LISTEN', `Cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
}
