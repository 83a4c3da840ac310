import type { IncomingHttpHeaders } from 'node:http';
import { TikitakaError } from '../../operators/index.js';

/** What the headers of an answer to a ranged GET say about the body and the whole. */
export interface RangeAnswer {
  /** 206: the body is `start` … `end` of the file; 200: it is the whole file. */
  readonly partial: boolean;
  /** File offset of the body's first byte. */
  readonly start: number;
  /** Offset behind the body's last byte, where the server says. */
  readonly end: number | undefined;
  /** Size of the whole file, where the server says. */
  readonly sizeBytes: number | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Throws ERR_SOURCE_STATUS (retryable for 408, 429 and 5xx; `details.status`) for what is no answer to a ranged GET. */
export function readRangeAnswer(status: number, headers: IncomingHttpHeaders): RangeAnswer {
  const validators = { etag: headers.etag, lastModified: headers['last-modified'] };
  const range = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/i.exec(headers['content-range']?.trim() ?? '');
  const total = range?.[3] === undefined || range[3] === '*' ? undefined : Number(range[3]);
  if (status === 206 && range?.[1] !== undefined && Number(range[2]) >= Number(range[1])) {
    return { partial: true, start: Number(range[1]), end: Number(range[2]) + 1, sizeBytes: total, ...validators };
  }
  if (status === 416 && total === 0) return { partial: true, start: 0, end: 0, sizeBytes: 0, ...validators };
  if (status === 200) {
    const length = /^\d+$/.test(headers['content-length'] ?? '') ? Number(headers['content-length']) : undefined;
    return { partial: false, start: 0, end: length, sizeBytes: length, ...validators };
  }
  throw new TikitakaError('ERR_SOURCE_STATUS', `The server answered ${status}`, {
    retryable: status === 408 || status === 429 || status >= 500,
    details: { status },
  });
}

/** The validator for `If-Range`: a weak tag may not be used there (RFC 9110 §13.1.5). */
export function strongValidator({ etag, lastModified }: RangeAnswer): string | undefined {
  return etag !== undefined && !etag.startsWith('W/') ? etag : lastModified;
}

/** Whether two answers can be pieces of the same file. */
export function sameFile(one: RangeAnswer, other: RangeAnswer): boolean {
  const agree = (a: unknown, b: unknown) => a === undefined || b === undefined || a === b;
  return (
    agree(one.etag, other.etag) && agree(one.lastModified, other.lastModified) && agree(one.sizeBytes, other.sizeBytes)
  );
}
