import { TikitakaError } from '../../operators/index.js';

/** Reads SCALE, the chain's little-endian binary form, strictly: whatever does not fit throws ERR_CHAIN_ANSWER. */
export interface ScaleReader {
  /** Unsigned integer of 1, 2, 4, 8 or 16 bytes. */
  uint(bytes: 1 | 2 | 4 | 8 | 16): bigint;
  /** Compact integer in its shortest form. */
  compact(): bigint;
  bool(): boolean;
  /** A view on the next `length` bytes, not a copy. */
  bytes(length: number): Uint8Array;
  /** A length, then so many items; each item takes at least one byte, so that a false length cannot fill memory. */
  list<T>(item: () => T): T[];
  /** 0 = nothing, 1 = something follows. */
  option<T>(item: () => T): T | undefined;
  /** Throws where anything is left. */
  end(): void;
  readonly left: number;
}

export function scaleReader(data: Uint8Array): ScaleReader {
  let at = 0;
  const bytes = (length: number): Uint8Array => {
    if (length > data.length - at) throw garbled(`${length} bytes expected at ${at}, ${data.length - at} left`);
    at += length;
    return data.subarray(at - length, at);
  };
  const uint = (length: number): bigint => {
    let value = 0n;
    for (const byte of bytes(length).toReversed()) value = (value << 8n) | BigInt(byte);
    return value;
  };
  const compact = (): bigint => {
    const mode = (data[at] ?? 0) & 3;
    if (mode < 3) {
      const value = uint(1 << mode) >> 2n;
      if (mode > 0 && value < 1n << BigInt(mode === 1 ? 6 : 14))
        throw garbled('a compact integer is longer than needed');
      return value;
    }
    const length = Number(uint(1) >> 2n) + 4;
    const value = uint(length);
    if (value >> BigInt(8 * (length - 1)) === 0n || value < 1n << 30n) {
      throw garbled('a compact integer is longer than needed');
    }
    return value;
  };
  const flag = (): boolean => {
    const value = uint(1);
    if (value > 1n) throw garbled(`${value} is neither true nor false`);
    return value === 1n;
  };
  return {
    uint,
    compact,
    bool: flag,
    bytes,
    list(item) {
      const length = compact();
      if (length > BigInt(data.length - at)) throw garbled(`a list of ${length} does not fit`);
      return Array.from({ length: Number(length) }, item);
    },
    option: (item) => (flag() ? item() : undefined),
    end() {
      if (at < data.length) throw garbled(`${data.length - at} bytes too many`);
    },
    get left() {
      return data.length - at;
    },
  };
}

function garbled(reason: string): TikitakaError {
  return new TikitakaError('ERR_CHAIN_ANSWER', `The chain's answer does not decode: ${reason}`);
}
