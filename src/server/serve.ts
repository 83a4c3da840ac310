import { createServer, type Server } from 'node:http';
import { TikitakaError } from '../../operators/index.js';
import type { ServerApp } from './app.js';

export interface ServeOptions {
  readonly app: ServerApp;
  /** Address to bind. */
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** How long `close` lets runs finish before it cuts them, ms. Default 10,000. */
  readonly graceMs?: number;
  /** Longest time for a request's head to arrive, ms. Default 66,000; must be more than the keep-alive of 65 s in production. */
  readonly headersTimeoutMs?: number;
}

export interface RunningServer {
  /** The port that is really bound. */
  readonly port: number;
  /** `http://host:port` to reach it from this machine. */
  readonly url: string;
  /**
   * Graceful end: unready and refusing at once, what runs may finish for `graceMs`, then it is cut; resolves when every
   * connection is closed. Idempotent; never rejects.
   */
  close(): Promise<void>;
}

/** Node's 5 s equals httpx's idle time: both ends would close at once, and requests be lost (PROTOCOL §1). */
const keepAliveMs = 65_000;
/** How often Node looks for late heads and bodies; its default of 30 s would let them live that much longer. */
const connectionsCheckingInterval = 1_000;
/** Silence on a connection after which it is cut: longer than the callers' time-out of 240 s. */
const idleSocketMs = 300_000;
/** What is cut gets this long to be told so, ms. */
const farewellMs = 500;

/** Listens. Errors: ERR_LISTEN (address in use, no permission). */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { app, host, port, graceMs = 10_000, headersTimeoutMs = 66_000 } = options;
  const server = createServer(
    {
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersTimeoutMs,
      requestTimeout: headersTimeoutMs + 10_000,
      connectionsCheckingInterval,
      maxHeaderSize: 16_384,
    },
    app.koa.callback(),
  );
  server.timeout = idleSocketMs;
  await listen(server, host, port);
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  let closing: Promise<void> | undefined;
  const close = async () => {
    app.drain();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // Connections become idle one by one while the last answers leave; Node closes only those that already are.
    const sweep = setInterval(() => server.closeIdleConnections(), 100);
    await within(graceMs, Promise.all([app.idle(), closed]));
    app.cut();
    await within(farewellMs, closed);
    server.closeAllConnections();
    await closed;
    clearInterval(sweep);
  };
  return {
    port: bound,
    url: `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${bound}`,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new TikitakaError('ERR_LISTEN', `Cannot listen on ${host}:${port}: ${cause.message}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    }),
  ]);
  clearTimeout(timer);
}
