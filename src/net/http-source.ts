import { OptionError, TikitakaError } from '../../operators/index.js';
import type { ByteSource } from './byte-source.js';
import { createHead } from './head.js';
import type { Pool } from './pool.js';
import { createRangedGet, type RangedGet } from './ranged-get.js';
import { directLink } from './share-links.js';
import { createSilence } from './silence.js';
import { linkSignals, within } from './within.js';

export interface HttpSourceOptions {
  readonly pool: Pool;
  /** Bytes that the opening request asks for and that are kept, 1… Default 262144. */
  readonly headBytes?: number;
  /** Largest file that is read at all, bytes. Default 512 MiB. */
  readonly maxBytes?: number;
  /** Further tries after a failure that may pass (connection, 408, 429, 5xx, broken-off body), 0… Default 3. */
  readonly retries?: number;
  /** Pause before the first further try, doubled for each next one, ms. Default 100. */
  readonly backOffMs?: number;
  /** Ends the source and everything that reads from it. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a file behind an http(s) link with one ranged request, which already brings the first `headBytes`: they are kept, and
 * reads within them cost no request. Further reads are ranged requests of their own, as many at a time as the caller
 * starts; on HTTP/2 they share the connection. Reading on from the head over an open end asks for the rest at once, so give
 * `end` wherever it is known. A server that ignores `Range` is read from 0 once; only the head can be read again.
 * Errors: ERR_OPTION, ERR_SOURCE_REFUSED, ERR_SOURCE_CONNECT, ERR_SOURCE_STATUS, ERR_SOURCE_STALLED, ERR_SOURCE_TOO_LARGE,
 * ERR_ABORTED; while reading also ERR_SOURCE_TRUNCATED and ERR_SOURCE_CHANGED.
 */
export async function openHttpSource(link: string | URL, options: HttpSourceOptions): Promise<ByteSource> {
  const { pool, headBytes = 262_144, maxBytes = 512 * 1024 * 1024, retries = 3, backOffMs = 100, signal } = options;
  if (!(headBytes >= 1)) throw new OptionError(`headBytes must be at least 1, got ${headBytes}`, { headBytes });
  const life = linkSignals(signal);
  const lane = pool.lane();
  const close = () => {
    life.abort(new TikitakaError('ERR_ABORTED', 'The source was closed'));
    life.unlink();
    lane.close();
  };
  try {
    const get = createRangedGet({ link: directLink(pool.policy.checkUrl(link)), lane, maxBytes, retries, backOffMs });
    const silence = createSilence();
    const bytes: RangedGet['bytes'] = (...wanted) => silence.listen(get.bytes(...wanted));
    const opening = await get.open(headBytes, life.signal);
    const { answer, response } = opening;
    const { httpVersion, reused, setUp } = response.connection;
    const { partial: acceptsRanges, sizeBytes } = answer;
    const capacity = Math.min(headBytes, (acceptsRanges ? answer.end : sizeBytes) ?? headBytes);
    const head = createHead(capacity, bytes(0, acceptsRanges ? capacity : undefined, life.signal, opening));
    let restTaken = false;

    /** What lies behind the head, from `start`. */
    function tail(start: number, end: number | undefined, reading: AbortSignal): AsyncGenerator<Uint8Array> {
      if (acceptsRanges) return bytes(start, end, reading);
      if (start !== capacity || restTaken) {
        throw new TikitakaError(
          'ERR_SOURCE_STATUS',
          'The server does not do ranges: only one read from 0 is possible',
          {
            details: { status: response.status, start },
          },
        );
      }
      restTaken = true;
      return clipped(head.rest(), (end ?? Infinity) - start);
    }

    return {
      url: String(link),
      origins: get.origins,
      sizeBytes,
      acceptsRanges,
      connection: {
        httpVersion,
        reused,
        firstByteMs: response.firstByteMs,
        ...(answer.etag === undefined ? {} : { etag: answer.etag }),
        ...(reused ? {} : { setUp }),
      },
      get bytesRead() {
        return get.bytesRead;
      },
      get requests() {
        return get.requests;
      },
      get longestSilenceMs() {
        return silence.longestMs;
      },
      async *read({ start, end }, signal) {
        const stop = Math.min(end ?? Infinity, sizeBytes ?? Infinity);
        const link = linkSignals(life.signal, signal);
        let ahead: Promise<IteratorResult<Uint8Array>> | undefined;
        try {
          if (start >= capacity) {
            if (start < stop) yield* tail(start, end, link.signal);
            return;
          }
          const rest = stop > capacity ? tail(capacity, end, link.signal) : undefined;
          if (rest && acceptsRanges && httpVersion === '2') {
            ahead = rest.next();
            ahead.catch(() => {});
          }
          yield* head.read(start, Math.min(stop, capacity), link.signal);
          if (!rest) return;
          // On HTTP/1.1 a request during another needs a second, cold connection.
          await within(head.settled, { signal: link.signal });
          const next = await (ahead ?? rest.next());
          ahead = undefined;
          if (next.done) return;
          yield next.value;
          yield* rest;
        } finally {
          if (ahead) link.abort(new TikitakaError('ERR_ABORTED', 'The reader left'));
          link.unlink();
        }
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function* clipped(chunks: AsyncGenerator<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}
