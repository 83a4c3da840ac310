import { once } from 'node:events';
import {
  constants,
  createSecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createCertificate } from '../../src/tools/demo/certificate.js';

/** One request to a hostile server, and ways to mistreat it. */
export interface HostileExchange {
  /** 1 for the first request that the server sees. */
  readonly number: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Wanted range of the file, half-open. */
  readonly start: number;
  readonly end: number;
  readonly stream: ServerHttp2Stream;
  readonly session: Http2Session;
  /** Sends the headers of a good 206 (other values through `headers`). */
  begin(headers?: Readonly<Record<string, string | number>>): void;
  /** Sends file bytes from `start`, to `upTo` or the wanted end, and leaves the stream open. */
  send(upTo?: number): Promise<void>;
  /** The good answer: headers, bytes, end. */
  serve(): Promise<void>;
  /** An answer without a body. */
  status(code: number, headers?: Readonly<Record<string, string>>): void;
  /** RST_STREAM. */
  reset(): void;
  /** All TCP connections go. */
  hangUp(): void;
}

export interface HostileServer {
  readonly url: string;
  readonly port: number;
  readonly ca: string;
  readonly stats: { connections: number; open: number; requests: number };
  close(): Promise<void>;
}

/** Resolves when a full stream takes bytes again, or is closed. */
export function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.off('drain', settle).off('close', settle);
      resolve();
    };
    stream.on('drain', settle).on('close', settle);
  });
}

/** An HTTP/2 server for one file, whose every answer the test decides. */
export async function createHostileServer(
  file: Uint8Array,
  answer: (exchange: HostileExchange) => void | Promise<void>,
): Promise<HostileServer> {
  const { key, cert } = await createCertificate(['rebound.test']);
  const stats = { connections: 0, open: 0, requests: 0 };
  const server = createSecureServer({ key, cert });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    stats.connections += 1;
    stats.open += 1;
    sockets.add(socket);
    socket
      .on('error', () => {})
      .once('close', () => {
        stats.open -= 1;
        sockets.delete(socket);
      });
  });
  server.on('sessionError', () => {});
  server.on('session', (session) => session.on('error', () => {}));
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {});
    const { session } = stream;
    if (!session) return;
    stats.requests += 1;
    const [, first = 0, last = ''] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? [];
    const start = Number(first);
    const end = last === '' ? file.length : Math.min(Number(last) + 1, file.length);
    const exchange: HostileExchange = {
      number: stats.requests,
      path: String(headers[':path']),
      headers,
      start,
      end,
      stream,
      session,
      begin(more) {
        stream.respond({
          ':status': 206,
          'content-range': `bytes ${start}-${end - 1}/${file.length}`,
          'content-length': end - start,
          etag: '"one"',
          ...more,
        });
      },
      async send(upTo = end) {
        for (let at = start; at < upTo && !stream.destroyed; at += 16_384) {
          const piece = file.subarray(at, Math.min(at + 16_384, upTo));
          if (!stream.write(piece)) await drained(stream);
        }
      },
      async serve() {
        exchange.begin();
        await exchange.send();
        stream.end();
      },
      status(code, more) {
        stream.respond({ ':status': code, 'content-length': 0, ...more }, { endStream: true });
      },
      reset: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      hangUp: () => {
        for (const socket of sockets) socket.destroy();
      },
    };
    Promise.resolve(answer(exchange)).catch(() => stream.close());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://localhost:${port}/clip.mp4`,
    port,
    ca: cert,
    stats,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
