import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttp1Server } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createCertificate } from './certificate.js';

export interface ClipServerOptions {
  /** URL path → the bytes themselves, or the path of a local file. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** `h2` also speaks HTTP/1.1 to clients that do not offer HTTP/2. Default `h2`. */
  readonly protocol?: 'h2' | 'https/1.1' | 'http/1.1';
  /** Answers ranged requests with the whole file, as some servers do. Default false. */
  readonly ignoreRange?: boolean;
}

export interface ClipServer {
  /** Origin, e.g. `https://localhost:43210`. */
  readonly url: string;
  readonly port: number;
  /** PEM certificate that a client must trust; undefined for plain http. */
  readonly ca: string | undefined;
  /**
   * Connections accepted so far and open now, requests as `METHOD path range`, and body bytes handed to a socket or HTTP/2
   * stream (not necessarily received).
   */
  readonly stats: { connections: number; open: number; requests: string[]; sentBytes: number };
  /** Cuts all connections without a word and goes on listening. */
  dropConnections(): void;
  close(): Promise<void>;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** Bytes per write. */
const PIECE_BYTES = 65_536;

/** Serves files on a free port of this machine as a CDN would: TLS, HTTP/2, `Range`, `If-Range`, `ETag`, `HEAD`. */
export async function createClipServer(options: ClipServerOptions): Promise<ClipServer> {
  const { files, protocol = 'h2', ignoreRange = false } = options;
  const certificate = protocol === 'http/1.1' ? undefined : await createCertificate();
  const stats: ClipServer['stats'] = { connections: 0, open: 0, requests: [], sentBytes: 0 };
  const sockets = new Set<Socket>();

  async function answer(request: Request, response: Response) {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    stats.requests.push(`${request.method} ${pathname} ${request.headers.range ?? ''}`.trim());
    const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined;
    if (file === undefined) return end(response, 404, {});
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, { allow: 'GET, HEAD' });
    const { size, etag } = await identify(file);
    const range = ignoreRange ? undefined : wantedRange(request, size, etag);
    const headers = { 'content-type': 'video/mp4', 'accept-ranges': ignoreRange ? 'none' : 'bytes', etag };
    if (range === 'unsatisfiable') return end(response, 416, { ...headers, 'content-range': `bytes */${size}` });
    const [start, stop] = range ?? [0, size];
    response.writeHead(range ? 206 : 200, {
      ...headers,
      'content-length': stop - start,
      ...(range ? { 'content-range': `bytes ${start}-${stop - 1}/${size}` } : {}),
    });
    if (request.method === 'HEAD') return response.end();
    const left = new AbortController();
    response.once('close', () => left.abort());
    for await (const piece of pieces(file, start, stop)) {
      if (left.signal.aborted) return;
      stats.sentBytes += piece.length;
      if (!write(response, piece)) await once(response, 'drain', { signal: left.signal }).catch(() => {});
    }
    response.end();
  }

  const dropConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  const listener = (request: Request, response: Response) => {
    response.on('error', () => {});
    answer(request, response).catch(() => response.destroy());
  };
  const server: Server =
    certificate === undefined
      ? createPlainServer(listener)
      : protocol === 'h2'
        ? createSecureServer({ ...certificate, allowHTTP1: true }, listener)
        : createHttp1Server(certificate, listener);
  server.on('sessionError', () => {}).on('tlsClientError', () => {});
  server.on('connection', (socket) => {
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate ? 'https' : 'http'}://localhost:${port}`,
    port,
    ca: certificate?.cert,
    stats,
    dropConnections,
    async close() {
      const closed = once(server, 'close');
      server.close();
      dropConnections();
      await closed;
    },
  };
}

/** Half-open range, undefined for the whole file. Only the single-range form that players and we use. */
function wantedRange({ headers }: Request, size: number, etag: string): [number, number] | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
  const condition = headers['if-range'];
  if (!match || (condition !== undefined && condition !== etag)) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const stop = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  return start < stop ? [start, stop] : 'unsatisfiable';
}

async function identify(file: Uint8Array | string): Promise<{ readonly size: number; readonly etag: string }> {
  if (typeof file === 'string') {
    const { size, mtimeMs } = await stat(file);
    return { size, etag: `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"` };
  }
  const digest = createHash('sha1')
    .update(file.subarray(0, PIECE_BYTES))
    .update(String(file.length))
    .digest('base64url');
  return { size: file.length, etag: `"${digest}"` };
}

async function* pieces(file: Uint8Array | string, start: number, stop: number): AsyncGenerator<Uint8Array> {
  if (typeof file === 'string') {
    if (start < stop) yield* createReadStream(file, { start, end: stop - 1, highWaterMark: PIECE_BYTES });
    return;
  }
  for (let at = start; at < stop; at += PIECE_BYTES) yield file.subarray(at, Math.min(at + PIECE_BYTES, stop));
}

function write(response: Response, piece: Uint8Array): boolean {
  return 'stream' in response ? response.write(piece) : response.write(piece);
}

function end(response: Response, status: number, headers: Record<string, string>) {
  response.writeHead(status, { 'content-length': '0', ...headers });
  response.end();
}
