import { TikitakaError } from '../../operators/index.js';
import { type ClipLimits, createSlices, type Slices, withDefaults } from '../limits/index.js';
import type { ByteSource } from '../net/index.js';
import { containerError } from './mp4-boxes.js';
import { type FindIndexOptions, findMp4Index, type Mp4Found } from './mp4-index.js';
import { RangeFetcher } from './range-fetcher.js';
import type { SampleIndex } from './sample-index.js';
import { createSampleReader, type SampleReader } from './sample-reader.js';

/** First closed range of every clip: it holds the index and the first keyframe of nearly all (docs/measurements.md "Decoding"). */
export const HEAD_BYTES = 1 << 18;

/** libav's names of the demuxers for containers without an index of ours. */
export type StreamFormat = 'mp4' | 'matroska' | 'mpegts';

export type Clip =
  | {
      readonly kind: 'indexed';
      readonly index: SampleIndex;
      readonly reader: SampleReader;
      /** Cancels all reads; the source stays the caller's. Idempotent. */
      close(): void;
    }
  | {
      readonly kind: 'stream';
      readonly format: StreamFormat;
      /** The file in order, once; pull-driven. Errors as `ByteSource.read`. */
      chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>;
      close(): void;
    };

export interface OpenClipOptions {
  readonly signal?: AbortSignal;
  /** Bytes asked for ahead of the decoder, default 8 MiB, at least 1 MiB. */
  readonly aheadBytes?: number;
  /** Memory for bytes that may be visited again, default 32 MiB: a whole clip of the usual size, and no more for a long one. */
  readonly cacheBytes?: number;
  /** What of the clip is too much; see `ClipLimits` for the defaults. */
  readonly limits?: Partial<ClipLimits>;
  /** How the reading of the index leaves the event loop free. Default: slices of 8 ms. */
  readonly slices?: Slices;
}

/**
 * Finds out what a file is with its first bytes alone, and its sample index if it has one: at the head, or behind the
 * media data with one more closed range. Errors: ERR_SOURCE_EMPTY; ERR_NOT_VIDEO for anything that is no known container
 * or holds no video; ERR_SOURCE_TRUNCATED where the file ends before or inside its index, or before most of what that claims;
 * ERR_CONTAINER for an index that is missing or contradicts itself; ERR_LIMIT; ERR_SOURCE_* of the source; ERR_ABORTED.
 */
export async function openClip(source: ByteSource, options: OpenClipOptions = {}): Promise<Clip> {
  const { aheadBytes, cacheBytes = 1 << 25 } = options;
  const fetcher = new RangeFetcher(source, cacheBytes);
  const close = () => fetcher.close();
  try {
    const found = await readHead(fetcher, options);
    if (found.kind === 'index') {
      const { index } = found;
      const reader = createSampleReader({ index, fetcher, ...(aheadBytes === undefined ? {} : { aheadBytes }) });
      return { kind: 'indexed', index, reader, close };
    }
    return { kind: 'stream', format: found.format, chunks: (chunkSignal) => fetcher.stream(chunkSignal), close };
  } catch (error) {
    close();
    throw error;
  }
}

type Found =
  | Exclude<Mp4Found, { kind: 'fragmented' | 'not-mp4' }>
  | { readonly kind: 'stream'; readonly format: StreamFormat };

async function readHead(fetcher: RangeFetcher, { limits, signal, slices }: OpenClipOptions): Promise<Found> {
  const { sizeBytes } = fetcher.source;
  if (sizeBytes === 0) throw emptyFile();
  fetcher.request(0, Math.min(HEAD_BYTES, sizeBytes ?? HEAD_BYTES));
  const first = await readOf(fetcher, signal)(0, SNIFF_BYTES);
  if (first.length === 0) throw emptyFile();
  if (first.length < SMALLEST_HEADER_BYTES) throw notVideo(first);
  const format = sniff(first);
  if (format) return { kind: 'stream', format };
  const found = await findMp4Index({
    limits: withDefaults(limits),
    slices: slices ?? createSlices({ signal }),
    sizeBytes,
    read: readOf(fetcher, signal),
  });
  if (found.kind === 'not-mp4') throw notVideo(first);
  return found.kind === 'fragmented' ? { kind: 'stream', format: 'mp4' } : found;
}

/** Size and type of a box. */
const SMALLEST_HEADER_BYTES = 8;
/** Enough to tell MPEG-TS from anything else: three packets of 188 or 192 bytes. */
const SNIFF_BYTES = 4 + 2 * 192 + 1;
/** Chosen: a tail up to this size is read whole, with one request. */
const MAX_TAIL_BYTES = 1 << 23;
/** Each costs a round trip. Chosen: usual files take one, behind the media data. */
const MAX_JUMPS = 8;

/** Reads `[start, end)`, or less where the file ends; what is not under way is asked for, at a place of its own together with what lies behind. */
function readOf(fetcher: RangeFetcher, signal: AbortSignal | undefined): FindIndexOptions['read'] {
  const { sizeBytes = Number.POSITIVE_INFINITY } = fetcher.source;
  let jumps = 0;
  return async (start, until) => {
    const end = Math.min(until, sizeBytes);
    let ask = end;
    if (start < end && fetcher.coveredTo(start) === start) {
      if (++jumps > MAX_JUMPS) throw containerError('the index is scattered over the file', { jumps });
      ask = Math.max(end, sizeBytes - start <= MAX_TAIL_BYTES ? sizeBytes : start + HEAD_BYTES);
    }
    for (let at = start; at < end; ) {
      const covered = fetcher.coveredTo(at);
      if (covered === at) fetcher.request(at, Math.min(ask, fetcher.nextCovered(at)));
      else at = covered;
    }
    try {
      return await fetcher.bytes(start, end, signal);
    } catch (error) {
      if (!(error instanceof TikitakaError) || error.code !== 'ERR_SOURCE_TRUNCATED') throw error;
      return fetcher.peek(start, fetcher.heldTo(start)) ?? new Uint8Array(0);
    }
  };
}

function sniff(bytes: Uint8Array): StreamFormat | undefined {
  if (bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3) return 'matroska';
  const isTs = (first: number, packet: number) => [0, 1, 2].every((n) => bytes[first + n * packet] === 0x47);
  return isTs(0, 188) || isTs(4, 192) ? 'mpegts' : undefined;
}

const emptyFile = () => new TikitakaError('ERR_SOURCE_EMPTY', 'the source has no bytes');

function notVideo(bytes: Uint8Array): TikitakaError {
  const text = Buffer.from(bytes.subarray(0, 256)).toString('latin1').trimStart().toLowerCase();
  const looksLike = /^(<!doctype|<html|<\?xml)/.test(text)
    ? 'a web page'
    : /^[\x20-\x7e\s]*$/.test(text)
      ? 'text'
      : 'unknown data';
  return new TikitakaError('ERR_NOT_VIDEO', `the source is no video that Tikitaka knows; it looks like ${looksLike}`, {
    details: { looksLike },
  });
}
