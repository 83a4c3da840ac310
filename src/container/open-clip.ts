import { TikitakaError } from '../../operators/index.js';
import type { ByteSource } from '../net/index.js';
import { containerError } from './mp4-boxes.js';
import { type Mp4Head, parseMp4Head, parseMp4Tail } from './mp4-index.js';
import { RangeFetcher } from './range-fetcher.js';
import type { SampleIndex } from './sample-index.js';
import { createSampleReader, type SampleReader } from './sample-reader.js';

/** First closed range of every clip: it holds the index and the first keyframe of nearly all (LAB.md: 208–296 KB to the first frame). */
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
}

/**
 * Finds out what a file is with its first bytes alone, and its sample index if it has one: at the head, or behind the
 * media data with one more closed range. Errors: ERR_SOURCE_EMPTY; ERR_NOT_VIDEO for anything that is no known container
 * or holds no video; ERR_SOURCE_TRUNCATED where the file ends before or inside its index; ERR_CONTAINER for an index that
 * is missing or contradicts itself; ERR_SOURCE_* of the source; ERR_ABORTED.
 */
export async function openClip(source: ByteSource, options: OpenClipOptions = {}): Promise<Clip> {
  const { signal, aheadBytes, cacheBytes = 1 << 25 } = options;
  const fetcher = new RangeFetcher(source, cacheBytes);
  const close = () => fetcher.close();
  try {
    const found = await readHead(fetcher, signal);
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
  | { readonly kind: 'index'; readonly index: SampleIndex }
  | { readonly kind: 'stream'; readonly format: StreamFormat };

async function readHead(fetcher: RangeFetcher, signal: AbortSignal | undefined): Promise<Found> {
  const { sizeBytes } = fetcher.source;
  if (sizeBytes === 0) throw emptyFile();
  fetcher.request(0, Math.min(HEAD_BYTES, sizeBytes ?? HEAD_BYTES));
  const first = await upTo(fetcher, 0, SNIFF_BYTES, signal);
  if (first.length === 0) throw emptyFile();
  if (first.length < SMALLEST_HEADER_BYTES) throw notVideo(first);
  const format = sniff(first);
  if (format) return { kind: 'stream', format };

  let head = parseMp4Head(first);
  let base = 0;
  let known = first.length;
  for (let jumps = 0; ; ) {
    if (head.kind === 'index') return head;
    if (head.kind === 'fragmented') return { kind: 'stream', format: 'mp4' };
    if (head.kind === 'not-mp4') throw notVideo(first);
    if (head.kind === 'elsewhere') {
      if (++jumps > MAX_JUMPS) throw containerError('the index is scattered over the file', { jumps });
      base = head.offset;
      known = 0;
      if (base === sizeBytes) throw noIndex(base);
      if (base > (sizeBytes ?? base)) throw truncated('the file ends before its index', { indexFrom: base, sizeBytes });
    }
    const until = head.kind === 'need' ? head.untilBytes : base + 16;
    const tail =
      base > 0 && sizeBytes !== undefined && sizeBytes - base <= MAX_TAIL_BYTES ? sizeBytes : base + HEAD_BYTES;
    const bytes = await upTo(fetcher, base, until, signal, base > 0 ? tail : 0);
    if (bytes.length <= known) throw endedEarly(head, base + bytes.length, until);
    known = bytes.length;
    head = base > 0 ? parseMp4Tail(bytes, base) : parseMp4Head(bytes);
  }
}

/** Size and type of a box. */
const SMALLEST_HEADER_BYTES = 8;
/** Enough to tell MPEG-TS from anything else: three packets of 188 or 192 bytes. */
const SNIFF_BYTES = 4 + 2 * 192 + 1;
/** Chosen: a tail up to this size is read whole, with one request. */
const MAX_TAIL_BYTES = 1 << 23;
const MAX_JUMPS = 8;

/** Bytes from `base` to `until`, or fewer where the file ends; what is not under way is asked for, up to `ask` at once. */
async function upTo(
  fetcher: RangeFetcher,
  base: number,
  until: number,
  signal: AbortSignal | undefined,
  ask = 0,
): Promise<Uint8Array> {
  const end = Math.min(until, fetcher.source.sizeBytes ?? until);
  for (let at = base; at < end; ) {
    const covered = fetcher.coveredTo(at);
    if (covered > at) {
      at = covered;
      continue;
    }
    const wanted = Math.max(end, Math.min(ask, fetcher.source.sizeBytes ?? ask));
    fetcher.request(at, Math.min(wanted, fetcher.nextCovered(at)));
  }
  try {
    return await fetcher.bytes(base, end, signal);
  } catch (error) {
    if (!(error instanceof TikitakaError) || error.code !== 'ERR_SOURCE_TRUNCATED') throw error;
    return fetcher.peek(base, fetcher.heldTo(base)) ?? new Uint8Array(0);
  }
}

function sniff(bytes: Uint8Array): StreamFormat | undefined {
  if (bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3) return 'matroska';
  const isTs = (first: number, packet: number) => [0, 1, 2].every((n) => bytes[first + n * packet] === 0x47);
  return isTs(0, 188) || isTs(4, 192) ? 'mpegts' : undefined;
}

const emptyFile = () => new TikitakaError('ERR_SOURCE_EMPTY', 'the source has no bytes');

const truncated = (message: string, details: Readonly<Record<string, unknown>>) =>
  new TikitakaError('ERR_SOURCE_TRUNCATED', message, { details });

const noIndex = (reached: number) => containerError('the file has no index (moov)', { reached });

function endedEarly(head: Mp4Head, reached: number, until: number): TikitakaError {
  // A box header that is not there: the file is whole as far as it goes.
  return head.kind === 'need' && head.of === 'header'
    ? noIndex(reached)
    : truncated('the file ends before or inside its index', { reached, needed: until });
}

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
