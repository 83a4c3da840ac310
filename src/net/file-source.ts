import { createWriteStream, rmSync } from 'node:fs';
import { type FileHandle, mkdtemp, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { TikitakaError } from '../../operators/index.js';
import type { ByteSource } from './byte-source.js';
import { abortError, linkSignals } from './within.js';

/** Bytes per read. */
const CHUNK_BYTES = 262_144;

/** Opens a local file as a byte source (`url` is its file: URL). Errors: ERR_SOURCE_CONNECT where it is no readable file. */
export async function openFileSource(path: string): Promise<ByteSource> {
  const begun = performance.now();
  const { file, sizeBytes } = await openFile(path);
  let bytesRead = 0;
  let requests = 0;
  const life = linkSignals();
  return {
    url: pathToFileURL(resolve(path)).href,
    origins: new Set(),
    sizeBytes,
    acceptsRanges: true,
    connection: { httpVersion: 'file', reused: false, firstByteMs: performance.now() - begun },
    get bytesRead() {
      return bytesRead;
    },
    get requests() {
      return requests;
    },
    longestSilenceMs: 0,
    async *read({ start, end }, signal) {
      requests += 1;
      const stop = Math.min(end ?? Infinity, sizeBytes);
      for (let at = start; at < stop; ) {
        if (signal?.aborted) throw abortError(signal);
        if (life.signal.aborted) throw abortError(life.signal);
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, stop - at));
        const { bytesRead: got } = await file.read(chunk, 0, chunk.length, at).catch((cause: unknown) => {
          throw new TikitakaError('ERR_SOURCE_TRUNCATED', `Reading ${path} failed`, { cause, details: { at } });
        });
        if (got === 0) {
          throw new TikitakaError('ERR_SOURCE_TRUNCATED', `${path} became shorter while it was read`, {
            details: { at },
          });
        }
        bytesRead += got;
        at += got;
        yield chunk.subarray(0, got);
      }
    },
    close() {
      if (life.signal.aborted) return;
      life.abort(new TikitakaError('ERR_ABORTED', 'The source was closed'));
      file.close().catch(() => {});
    },
  };
}

/**
 * Reads a source to its end into a temporary file and closes it (strategy `STREAMING_DOWNLOAD=0`, `PARTIAL_DOWNLOAD=0`). The
 * result reads from that file, tells the connection and the counts of the original, and deletes the file on `close`.
 * Errors: those of `source.read`; ERR_ABORTED.
 */
export async function downloadToFile(source: ByteSource, signal?: AbortSignal): Promise<ByteSource> {
  const folder = await mkdtemp(join(tmpdir(), 'tikitaka-clip-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'clip');
    await pipeline(source.read({ start: 0 }, signal), createWriteStream(path));
    const file = await openFileSource(path);
    return {
      url: source.url,
      origins: source.origins,
      sizeBytes: file.sizeBytes,
      acceptsRanges: true,
      connection: source.connection,
      bytesRead: source.bytesRead,
      requests: source.requests,
      longestSilenceMs: source.longestSilenceMs,
      read: file.read,
      close() {
        file.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  } finally {
    source.close();
  }
}

async function openFile(path: string): Promise<{ readonly file: FileHandle; readonly sizeBytes: number }> {
  try {
    const file = await open(path);
    const status = await file.stat();
    if (status.isFile()) return { file, sizeBytes: status.size };
    await file.close();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    const why = code === 'ENOENT' ? 'there is no such file' : String(code ?? cause);
    throw new TikitakaError('ERR_SOURCE_CONNECT', `Cannot open ${path}: ${why}`, { cause, details: { path, code } });
  }
  throw new TikitakaError('ERR_SOURCE_CONNECT', `${path} is not a file`, { details: { path } });
}
