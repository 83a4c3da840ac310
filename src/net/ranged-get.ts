import { TikitakaError } from '../../operators/index.js';
import { type RangeAnswer, readRangeAnswer, sameFile, strongValidator } from './http-answer.js';
import { shown } from './link-policy.js';
import type { Lane, PoolResponse } from './pool.js';
import { pause } from './within.js';

const MAX_REDIRECTS = 5;
/** Largest chunk handed on, bytes. */
const CHUNK_BYTES = 262_144;
/** A body that broke off after this many new bytes made progress: its retries are counted afresh. Chosen. */
const PROGRESS_BYTES = 262_144;
/** An unwanted body up to this size is read away, which saves an HTTP/1.1 connection; a longer one is cut off. Chosen. */
const DISCARD_BYTES = 65_536;

export interface RangedGetOptions {
  readonly link: URL;
  readonly lane: Lane;
  readonly maxBytes: number;
  readonly retries: number;
  readonly backOffMs: number;
}

/** A ranged GET that was answered well: what the headers say, and the body still to be read. */
export interface Exchange {
  readonly answer: RangeAnswer;
  readonly response: PoolResponse;
}

/** Ranged GETs of one file: redirects, retries with back-off, resumption behind the last byte that came, and proof that it still is the same file. */
export interface RangedGet {
  readonly requests: number;
  readonly bytesRead: number;
  /** Origins that answered, redirects included. */
  readonly origins: ReadonlySet<string>;
  /** The first request, for the bytes from 0 to `end`; its answer says what the file is. */
  open(end: number, signal: AbortSignal): Promise<Exchange>;
  /**
   * Bytes from `start` to `end` (or of the file's end) in chunks of at most 256 KiB, out of `opening` first where given. Asks
   * for a chunk only when one is wanted. Errors: those of `Lane.request`, ERR_SOURCE_STATUS, ERR_SOURCE_TRUNCATED,
   * ERR_SOURCE_TOO_LARGE, ERR_SOURCE_CHANGED.
   */
  bytes(start: number, end: number | undefined, signal: AbortSignal, opening?: Exchange): AsyncGenerator<Uint8Array>;
}

export function createRangedGet({ link, lane, maxBytes, retries, backOffMs }: RangedGetOptions): RangedGet {
  let url = link;
  let file: RangeAnswer | undefined;
  let requests = 0;
  let bytesRead = 0;
  const origins = new Set<string>();

  async function send(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<PoolResponse> {
    let target = url;
    for (let hops = 0; ; hops += 1) {
      requests += 1;
      const response = await lane.request(target, { headers, signal });
      origins.add(target.origin);
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) {
        if (response.status < 300) url = target;
        return response;
      }
      discard(response);
      if (hops === MAX_REDIRECTS || !URL.canParse(location, target.href)) {
        const details = { status: response.status, redirects: hops + 1 };
        throw new TikitakaError('ERR_SOURCE_STATUS', 'The redirects lead nowhere', { details });
      }
      target = new URL(location, target);
    }
  }

  async function ask(start: number, end: number, signal: AbortSignal): Promise<Exchange> {
    const validator = file && strongValidator(file);
    const response = await send(
      {
        'user-agent': 'tikitaka',
        'accept-encoding': 'identity',
        range: `bytes=${start}-${Number.isFinite(end) ? end - 1 : ''}`,
        ...(validator === undefined ? {} : { 'if-range': validator }),
      },
      signal,
    );
    try {
      const answer = readRangeAnswer(response.status, response.headers);
      if (file && !sameFile(file, answer)) {
        throw new TikitakaError('ERR_SOURCE_CHANGED', `${shown(url)} changed while it was read`);
      }
      if (answer.partial ? answer.start !== start : start > 0) {
        const details = { status: response.status, asked: start, got: answer.start };
        throw new TikitakaError('ERR_SOURCE_STATUS', 'The server sent another range than was asked for', { details });
      }
      if ((answer.sizeBytes ?? 0) > maxBytes) throw tooLarge(answer.sizeBytes);
      file ??= answer;
      return { answer, response };
    } catch (error) {
      discard(response);
      throw error;
    }
  }

  function tooLarge(sizeBytes?: number): TikitakaError {
    const details = { maxBytes, ...(sizeBytes === undefined ? {} : { sizeBytes }) };
    return new TikitakaError('ERR_SOURCE_TOO_LARGE', `The file is larger than ${maxBytes} bytes`, { details });
  }

  /** Waits before the next try, or throws `error` where there is none. */
  async function backOff(error: unknown, failures: number, signal: AbortSignal) {
    if (!(error instanceof TikitakaError) || !error.retryable || failures >= retries) throw error;
    await pause(backOffMs * 2 ** failures * (0.75 + Math.random() / 2), signal);
  }

  return {
    get requests() {
      return requests;
    },
    get bytesRead() {
      return bytesRead;
    },
    origins,
    async open(end, signal) {
      for (let failures = 0; ; failures += 1) {
        try {
          return await ask(0, end, signal);
        } catch (error) {
          await backOff(error, failures, signal);
        }
      }
    },
    async *bytes(start, end, signal, opening) {
      const stop = Math.min(end ?? Infinity, file?.sizeBytes ?? Infinity);
      let at = start;
      let failures = 0;
      let failedAt = start;
      let ready = opening;
      while (at < stop) {
        let exchange: Exchange | undefined;
        try {
          exchange = ready ?? (await ask(at, stop, signal));
          ready = undefined;
          const { answer, response } = exchange;
          for await (const chunk of response.body) {
            bytesRead += chunk.length;
            const wanted = chunk.subarray(0, stop - at);
            for (let from = 0; from < wanted.length; from += CHUNK_BYTES) {
              const piece = wanted.subarray(from, from + CHUNK_BYTES);
              at += piece.length;
              if (at > maxBytes) throw tooLarge();
              yield piece;
            }
            if (at >= stop && answer.end !== at) break;
          }
          // Where nobody tells the size, the end of what was announced is the end.
          if (answer.end === undefined || (file?.sizeBytes === undefined && at >= answer.end)) return;
          if (at < Math.min(stop, answer.end)) {
            throw new TikitakaError('ERR_SOURCE_TRUNCATED', `The body ended at byte ${at} of ${answer.end}`, {
              retryable: true,
              details: { at, end: answer.end },
            });
          }
        } catch (error) {
          if (file?.partial === false && at > 0) throw error;
          if (at - failedAt >= PROGRESS_BYTES) failures = 0;
          failedAt = at;
          await backOff(error, failures, signal);
          failures += 1;
        }
      }
    },
  };
}

/** Reads a body that nobody wants away, within reason. */
function discard({ body, cancel }: PoolResponse) {
  const reading = (async () => {
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > DISCARD_BYTES) return;
    }
  })();
  reading.then(cancel, cancel);
}
