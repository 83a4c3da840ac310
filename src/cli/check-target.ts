import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../app/config.js';
import type { Logger } from '../app/log.js';
import { createLinkPolicy, createPool, openByteSource } from '../net/index.js';

export interface CheckTargetOptions {
  readonly config: Config;
  readonly signal?: AbortSignal;
}

/**
 * Opens a file or link that a command was given and closes it again: a command that loads models for seconds should not begin where there
 * is nothing to answer. Takes a connection of its own, so that what is measured afterwards is still the first one.
 * Errors: ERR_SOURCE_*, ERR_ABORTED.
 */
export async function checkTarget(target: string, { config, signal }: CheckTargetOptions): Promise<void> {
  const pool = createPool({
    policy: createLinkPolicy({ allowPrivate: true }),
    connectTimeoutMs: config.CONNECT_TIMEOUT_S * 1000,
    readTimeoutMs: config.READ_TIMEOUT_S * 1000,
  });
  try {
    const source = await openByteSource(target, {
      pool,
      allowFiles: true,
      headBytes: 1,
      retries: config.RETRIES,
      maxBytes: config.MAX_VIDEO_MB * 1e6,
      ...(signal ? { signal } : {}),
    });
    source.close();
  } finally {
    await pool.close();
  }
}

/** A link that fails mostly has by then: no such host, nobody listening, 404. Chosen. */
const QUICK_MS = 500;

export interface LoadForOptions<T> {
  readonly config: Config;
  /** Falls silent where `load` goes on in vain. */
  readonly log: Logger;
  readonly load: () => Promise<T>;
}

/**
 * What `load` makes (the engine), unless the target turns out to be nothing: a path, a malformed link and one that is refused at once before
 * loading begins, a slower one while it goes on; what was loaded in vain is closed behind the caller's back. Errors: those of
 * `checkTarget` and `load`.
 */
export async function loadFor<T extends { close(): Promise<void> }>(
  target: string,
  { config, log, load }: LoadForOptions<T>,
): Promise<T> {
  if (!/^https?:/i.test(target)) {
    await checkTarget(target, { config });
    return load();
  }
  createLinkPolicy({ allowPrivate: true }).checkUrl(target);
  const loaded = new AbortController();
  const checked = checkTarget(target, { config, signal: loaded.signal });
  await Promise.race([checked, pause(QUICK_MS)]);
  const loading = load();
  try {
    return await Promise.race([loading, checked.then(() => loading)]);
  } catch (error) {
    log.level = 'silent';
    loading.then((it) => it.close()).catch(() => undefined);
    throw error;
  } finally {
    loaded.abort();
  }
}
