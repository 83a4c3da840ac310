import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, statfsSync, unlinkSync, writevSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TikitakaError } from '../../operators/index.js';

/** A reused piece of memory that a child process reads: the pictures of a batch go through it, not through a pipe. */
export interface SharedFile {
  /** Inherited by the child (stdio). */
  readonly fd: number;
  /** Writes the buffers one after another from `offset`. Errors: ERR_INFERENCE (memory file full), thrown at call. */
  write(buffers: readonly Uint8Array[], offset: number): void;
  /** Idempotent. */
  close(): void;
}

/**
 * Memory in /dev/shm where that has room, else a file in the temp folder; mode 0600. Its name is removed at once, where
 * the system allows that (not on Windows), so that nothing is left behind however the process ends.
 */
export function createSharedFile(bytes: number): SharedFile {
  const path = join(folderWithRoom(bytes), `tikitaka-${process.pid}-${randomBytes(6).toString('hex')}`);
  const fd = openSync(path, 'wx+', 0o600);
  const nameless = process.platform !== 'win32';
  if (nameless) unlinkSync(path);
  ftruncateSync(fd, bytes);
  let open = true;
  return {
    fd,
    write(buffers, offset) {
      const expected = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
      let written = 0;
      let cause: unknown;
      try {
        written = writevSync(fd, buffers, offset);
      } catch (error) {
        cause = error;
      }
      if (written === expected) return;
      throw new TikitakaError('ERR_INFERENCE', `only ${written} of ${expected} bytes of a batch fit into ${path}`, {
        cause,
        retryable: true,
        details: { path, written, expected },
      });
    },
    close() {
      if (!open) return;
      open = false;
      closeSync(fd);
      if (!nameless) unlinkSync(path);
    },
  };
}

function folderWithRoom(bytes: number): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > bytes) return '/dev/shm';
  } catch {
    // No /dev/shm (macOS, Windows): the temp folder does the same, through the page cache.
  }
  return tmpdir();
}
