import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childEnvironment, childFlags } from '../../../models/index.js';
import { TikitakaError } from '../../../operators/index.js';
import type { ClipServerOptions } from './clip-server.js';
import type { ShapedLinkOptions } from './shaped-link.js';

export interface FarServerOptions extends Omit<ClipServerOptions, 'files'> {
  /** URL path → path of a local file. */
  readonly files: Readonly<Record<string, string>>;
  readonly link: Omit<ShapedLinkOptions, 'targetPort'>;
}

/** A clip server at the other end of a shaped link. */
export interface FarServer {
  /** Origin at this end of the link, e.g. `https://localhost:43210`. */
  readonly url: string;
  /** PEM certificate that a client must trust; undefined for plain http. */
  readonly ca: string | undefined;
  close(): Promise<void>;
}

const childFile = fileURLToPath(
  new URL(`./far-server-child${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url),
);

/**
 * Clip server and shaped link in a process of their own, as far from our event loop as a real CDN: in one process a busy
 * answerer would slow down its own link. Errors: ERR_DEMO_SERVER where the process ends early.
 */
export async function createFarServer(options: FarServerOptions): Promise<FarServer> {
  const child = fork(childFile, [], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: childFlags(),
    env: childEnvironment(),
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.send(options);
  const { url, ca } = await firstMessage(child);
  child.channel?.unref();
  child.unref();
  return {
    url,
    ca,
    async close() {
      process.off('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.ref();
      kill();
      await gone;
    },
  };
}

async function firstMessage(child: ChildProcess): Promise<Pick<FarServer, 'url' | 'ca'>> {
  const arrived = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: arrived.signal }).then(([message]) => message),
      once(child, 'exit', { signal: arrived.signal }).then(([code]) => {
        throw new TikitakaError('ERR_DEMO_SERVER', `the clip server's process ended with ${code}`);
      }),
    ]);
  } finally {
    arrived.abort();
  }
}
