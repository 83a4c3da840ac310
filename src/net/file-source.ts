import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
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
  const firstByteMs = performance.now() - begun;
  return sourceOf({ file, sizeBytes, name: path, url: pathToFileURL(resolve(path)).href, firstByteMs });
}

interface OpenFile {
  readonly file: FileHandle;
  readonly sizeBytes: number;
  /** For errors. */
  readonly name: string;
  readonly url: string;
  readonly firstByteMs: number;
}

/** Reads from an open file, and closes it with the source. */
function sourceOf({ file, sizeBytes, name, url, firstByteMs }: OpenFile): ByteSource {
  let bytesRead = 0;
  let requests = 0;
  const life = linkSignals();
  return {
    url,
    origins: new Set(),
    sizeBytes,
    acceptsRanges: true,
    connection: { httpVersion: 'file', reused: false, firstByteMs },
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
          throw new TikitakaError('ERR_SOURCE_TRUNCATED', `Reading ${name} failed`, { cause, details: { at } });
        });
        if (got === 0) {
          throw new TikitakaError('ERR_SOURCE_TRUNCATED', `${name} became shorter while it was read`, {
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
 * Reads a source to its end into a temporary file and closes it (`STREAMING_DOWNLOAD=0`). The result reads from that file and tells the
 * connection and the counts of the original. The file has no name from the start: it is gone with its reader, however that ends.
 * Errors: those of `source.read`; ERR_TEMP_STORAGE where the temporary folder is missing, full or not ours; ERR_ABORTED.
 */
export async function downloadToFile(source: ByteSource, signal?: AbortSignal): Promise<ByteSource> {
  try {
    const file = await openNameless();
    try {
      await writeFile(file, source.read({ start: 0 }, signal));
      const { size: sizeBytes } = await file.stat();
      const { url, origins, connection, bytesRead, requests, longestSilenceMs } = source;
      const { firstByteMs } = connection;
      const { read, close } = sourceOf({ file, sizeBytes, name: 'The downloaded clip', url, firstByteMs });
      return {
        url,
        origins,
        sizeBytes,
        acceptsRanges: true,
        connection,
        bytesRead,
        requests,
        longestSilenceMs,
        read,
        close,
      };
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (cause) {
    throw cause instanceof TikitakaError ? cause : noStorage(cause);
  } finally {
    source.close();
  }
}

/** A new file in the temporary folder that nobody else can open or has to remove. */
async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `tikitaka-clip-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/** The folder is told to the log only. */
function noStorage(cause: unknown): TikitakaError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
  return new TikitakaError('ERR_TEMP_STORAGE', `This server cannot keep the clip while it is read (${reason})`, {
    cause,
    retryable: true,
    details: { folder: tmpdir(), reason },
  });
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
