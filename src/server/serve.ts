import { TikitakaError } from '../../operators/index.js';
import type { ServerApp } from './app.js';
import { type DoorOptions, openDoor } from './door.js';

export interface ServeOptions extends DoorOptions {
  readonly app: ServerApp;
  /** Where the status page and `/metrics` are served; strangers must not reach it. Default nowhere. */
  readonly status?: Pick<DoorOptions, 'host' | 'port'> | undefined;
  /** How long `close` lets runs finish before it cuts them, ms. Default 10,000. */
  readonly graceMs?: number;
}

export interface RunningServer {
  /** The port that is really bound. */
  readonly port: number;
  /** `http://host:port` to reach it from this machine. */
  readonly url: string;
  /** The same of the status page, where it is served. */
  readonly statusUrl: string | undefined;
  /** The addresses that are really bound, for who wants to know who can reach them: `http://0.0.0.0:7999`. */
  readonly boundUrl: string;
  readonly statusBoundUrl: string | undefined;
  /**
   * Graceful end: unready and refusing at once, what runs may finish for `graceMs`, then it is cut; resolves when every
   * connection is closed. Idempotent; never rejects.
   */
  close(): Promise<void>;
}

/** What is cut gets this long to be told so, ms. */
const farewellMs = 500;

/** Listens. Errors: ERR_LISTEN (address in use, no permission). */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { app, status, graceMs = 10_000 } = options;
  const { serves, refused } = app;
  const front = await openDoor({ listener: app.koa.callback(), serves, refused }, options);
  const doors = [front];
  if (status) {
    const keeper = { listener: app.statusKoa.callback(), serves, refused };
    const back = await openDoor(keeper, { ...options, ...status }).catch((cause: Error) => {
      front.server.close();
      throw new TikitakaError('ERR_LISTEN', `The status page: ${cause.message}`, { cause });
    });
    doors.push(back);
  }
  let closing: Promise<void> | undefined;
  const close = async () => {
    app.drain();
    const closed = Promise.all(
      doors.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
    // Connections become idle one by one while the last answers leave; Node closes only those that already are.
    const sweep = setInterval(() => {
      for (const { server } of doors) server.closeIdleConnections();
    }, 100);
    await within(graceMs, Promise.all([app.idle(), closed]));
    app.cut();
    await within(farewellMs, closed);
    for (const { server } of doors) server.closeAllConnections();
    await closed;
    clearInterval(sweep);
  };
  return {
    port: front.port,
    url: front.url,
    statusUrl: doors[1]?.url,
    boundUrl: front.boundUrl,
    statusBoundUrl: doors[1]?.boundUrl,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
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
