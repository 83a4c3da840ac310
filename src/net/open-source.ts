import { fileURLToPath } from 'node:url';
import { TikitakaError } from '../../operators/index.js';
import type { ByteSource } from './byte-source.js';
import { downloadToFile, openFileSource } from './file-source.js';
import { type HttpSourceOptions, openHttpSource } from './http-source.js';
import { limitBytes } from './limit-bytes.js';

export interface ByteSourceOptions extends HttpSourceOptions {
  /** Lets paths and file: URLs be opened: for the command line, never for links that strangers send. Default false. */
  readonly allowFiles?: boolean;
  /** `stream` reads what is asked for (default), `download` fetches the whole into a temporary file first. */
  readonly strategy?: 'stream' | 'download';
  /** Only so many bytes from the start, 1…; everything by default. */
  readonly limitBytes?: number;
}

/** Opens a link, and where allowed a local file, the way the strategy says. Errors: see `openHttpSource`, `openFileSource`, `downloadToFile`. */
export async function openByteSource(target: string, options: ByteSourceOptions): Promise<ByteSource> {
  const { allowFiles = false, strategy = 'stream', limitBytes: limit, signal } = options;
  const source = await openAny(target, allowFiles, options);
  const limited = limit === undefined ? source : limitBytes(source, limit);
  return strategy === 'download' && source.connection.httpVersion !== 'file'
    ? downloadToFile(limited, signal)
    : limited;
}

function openAny(target: string, allowFiles: boolean, options: HttpSourceOptions): Promise<ByteSource> {
  if (allowFiles && !/^[a-z][a-z0-9+.-]+:/i.test(target)) return openFileSource(target);
  if (allowFiles && /^file:/i.test(target)) return openFileSource(pathOf(target));
  return openHttpSource(target, options);
}

function pathOf(fileUrl: string): string {
  try {
    return fileURLToPath(fileUrl);
  } catch (cause) {
    throw new TikitakaError('ERR_SOURCE_REFUSED', `Refused link: ${fileUrl} names no local file`, { cause });
  }
}
