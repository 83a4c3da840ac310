import type { IncomingMessage } from 'node:http';
import { TikitakaError } from '../../operators/index.js';

export interface ReadBodyOptions {
  /** Most bytes accepted. */
  readonly maxBytes: number;
  /** Longest time from the call to the last byte, ms. */
  readonly timeoutMs: number;
}

/**
 * Reads a request's whole body, holding never more than `maxBytes`. Rejects with ERR_BODY_TOO_LARGE (at once where
 * Content-Length says so), ERR_BODY_TIMEOUT, ERR_ABORTED (the caller hung up). What was not read stays in the socket: see `discardBody`.
 */
export function readBody(request: IncomingMessage, { maxBytes, timeoutMs }: ReadBodyOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (error?: TikitakaError) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      if (error) {
        request.pause();
        reject(error);
      } else resolve(Buffer.concat(chunks, size));
    };
    const tooLarge = () => new TikitakaError('ERR_BODY_TOO_LARGE', `The body is larger than ${maxBytes} bytes`);
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) finish(tooLarge());
      else chunks.push(chunk);
    };
    const onEnd = () => finish();
    const onClose = () => finish(new TikitakaError('ERR_ABORTED', 'The caller hung up'));
    const timer = setTimeout(
      () => finish(new TikitakaError('ERR_BODY_TIMEOUT', `The body did not arrive within ${timeoutMs} ms`)),
      timeoutMs,
    );
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return finish(tooLarge());
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

/** Bounds on what is read and thrown away behind a refusal, so that the caller can read the answer instead of a reset (chosen, as nginx's lingering close). */
const lingerBytes = 1 << 20;
const lingerMs = 2_000;

/** Behind an early answer: throws the rest of the body away, within bounds; beyond them the connection is cut. Does nothing once the body was read. */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let left = lingerBytes;
  const cut = () => request.destroy();
  const timer = setTimeout(cut, lingerMs);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer));
  request.on('error', () => undefined);
  request.resume();
}

export interface JsonBody {
  readonly text: string;
  readonly value: unknown;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws ERR_REQUEST for anything but UTF-8 JSON. */
export function decodeJson(body: Uint8Array): JsonBody {
  try {
    const text = utf8.decode(body);
    return { text, value: JSON.parse(text) };
  } catch (cause) {
    throw new TikitakaError('ERR_REQUEST', 'The body is not valid UTF-8 JSON', { cause });
  }
}
