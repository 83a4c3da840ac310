import { promisify } from 'node:util';
import { crc32, deflateRaw, deflateRawSync } from 'node:zlib';
import type { EncodedAnswer, RunReport } from './answerer.js';

/** What differs from caller to caller in an answer. */
export interface AnswerHead {
  readonly challengeId: string;
  /** Seconds from the request to now. */
  readonly processingS: number;
  /** Whether the answer was made for an earlier caller. */
  readonly cached: boolean;
}

/** An encoded answer that many callers share: compressed at most once, and only when somebody wants it so. */
export interface WireAnswer {
  readonly version: string | undefined;
  readonly disturbed: boolean;
  readonly report: RunReport | undefined;
  /** Upper bound on the memory that it holds, bytes. */
  readonly sizeBytes: number;
  /** The whole JSON body for one caller, UTF-8, in pieces: the last one, which all callers share, may be tens of megabytes. */
  plain(head: AnswerHead): readonly Uint8Array[];
  /** The same as one gzip member. */
  gzip(head: AnswerHead): Promise<Buffer>;
}

const deflate = promisify(deflateRaw);
/**
 * Every byte and every millisecond counts (docs/protocol.md §1). 975 KB of 750 frames, 2 cores: level 1 268 KB in 12 ms, 3 249 KB
 * in 12, 6 235 KB in 30. Brotli of quality 1, 2, 4, 5: 265 KB in 10 ms, 248 in 17, 246 in 22, 227 in 47: at 5 MB/s never more than
 * 4 ms ahead, and callers accept `gzip, deflate` only, so it is not offered. Not in parallel parts: no quicker.
 */
const COMPRESSION = { level: 3, memLevel: 9 } as const;
/**
 * A body up to this size is compressed on the spot: that holds the event loop for some 12 ms, at a moment when it has nothing better to
 * do. Another thread costs two waits for a core, which beside busy loops are longer than the work (measured: 20 to 150 ms).
 */
const SHORT_BYTES = 3 << 19;
/** Magic, deflate, no flags, no time, no extra flags, Unix (RFC 1952 §2.3). */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);

export function createWireAnswer({
  tail,
  version,
  disturbed = false,
  report,
  onCompressed,
}: EncodedAnswer): WireAnswer {
  const compress = async () => {
    const startMs = performance.now();
    const body = tail.byteLength > SHORT_BYTES ? await deflate(tail, COMPRESSION) : deflateRawSync(tail, COMPRESSION);
    onCompressed?.(performance.now() - startMs);
    return body;
  };
  let compressed: Promise<Uint8Array> | undefined;
  return {
    version,
    disturbed,
    report,
    sizeBytes: 2 * tail.byteLength,
    plain: (head) => [encodeHead(head), tail],
    async gzip(head) {
      compressed ??= compress();
      const deflated = await compressed;
      const first = encodeHead(head);
      return Buffer.concat([
        gzipHeader,
        storedBlock(first),
        deflated,
        uint32(crc32(tail, crc32(first))),
        uint32(first.length + tail.byteLength),
      ]);
    },
  };
}

function encodeHead({ challengeId, processingS, cached }: AnswerHead): Buffer {
  const seconds = Math.round(processingS * 1000) / 1000;
  const members = JSON.stringify({ challenge_id: challengeId, processing_time: seconds, cached });
  return Buffer.from(`${members.slice(0, -1)},`);
}

/**
 * A deflate block that holds `bytes` as they are (RFC 1951 §3.2.4). It ends on a byte, so that another deflate stream may
 * follow it: each caller's own head goes in front of the tail that was compressed once. (Two gzip members would not do:
 * Python's httpx stops after the first.) The head has at most 256 × 6 characters of id, far below the block's 65,535 bytes.
 */
function storedBlock(bytes: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt16LE(bytes.length, 1);
  prefix.writeUInt16LE(~bytes.length & 0xffff, 3);
  return Buffer.concat([prefix, bytes]);
}

function uint32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value >>> 0);
  return out;
}
