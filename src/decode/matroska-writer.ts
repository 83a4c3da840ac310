import type { SampleIndex } from '../container/index.js';

/** Matroska names of libav's codecs (RFC 9559 §5.1.4.1.21 and the codec registry). */
const codecIds: Readonly<Record<string, string>> = {
  h264: 'V_MPEG4/ISO/AVC',
  hevc: 'V_MPEGH/ISO/HEVC',
  vp8: 'V_VP8',
  vp9: 'V_VP9',
  av1: 'V_AV1',
  mpeg4: 'V_MPEG4/ISO/ASP',
};

/**
 * Start of a live Matroska stream (RFC 9559) with one video track, ticks of 1 ms: the simplest container that carries any
 * codec of ours together with our own time stamps through a pipe. Undefined for a codec that it has no name for.
 */
export function matroskaHeader({ codec, width, height, extradata }: SampleIndex): Uint8Array | undefined {
  const codecId = codecIds[codec];
  if (codecId === undefined) return undefined;
  const header = element(0x1a45dfa3, [
    element(0x4282, text('matroska')),
    element(0x4287, uint(4)),
    element(0x4285, uint(2)),
  ]);
  const info = element(0x1549a966, [
    element(0x2ad7b1, uint(1_000_000)),
    element(0x4d80, text('tikitaka')),
    element(0x5741, text('tikitaka')),
  ]);
  const track = element(0xae, [
    element(0xd7, uint(1)),
    element(0x73c5, uint(1)),
    element(0x83, uint(1)),
    element(0x9c, uint(0)),
    element(0x86, text(codecId)),
    ...(extradata.length > 0 ? [element(0x63a2, [extradata])] : []),
    element(0xe0, [element(0xb0, uint(width)), element(0xba, uint(height))]),
  ]);
  // A segment of unknown size goes on as long as the stream does.
  const segment = Buffer.from([0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
  return Buffer.concat([header, segment, info, element(0x1654ae6b, [track])]);
}

/** One coded frame in a cluster of its own. */
export function matroskaFrame(bytes: Uint8Array, ptsMs: number, keyframe: boolean): Uint8Array {
  const block = Buffer.from([0x81, 0, 0, keyframe ? 0x80 : 0]);
  return element(0x1f43b675, [element(0xe7, uint(ptsMs)), element(0xa3, [block, bytes])]);
}

function element(id: number, body: readonly Uint8Array[] | Uint8Array): Buffer {
  const parts = body instanceof Uint8Array ? [body] : body;
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([uint(id), sizeOf(size), ...parts]);
}

/** Size as an EBML variable-length integer of 8 bytes (RFC 8794 §4). */
function sizeOf(size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(size) | (1n << 56n));
  return bytes;
}

/** Big-endian, as few bytes as it takes. */
function uint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from(bytes);
}

const text = (value: string) => Buffer.from(value, 'latin1');
