import { TikitakaError } from '../../operators/index.js';
import { type ClipLimits, limitError, type Slices } from '../limits/index.js';

/** One ISO base-media box (ISO/IEC 14496-12 §4.2) by offsets into the bytes that it was found in. */
export interface Box {
  /** Four-character code, Latin-1. */
  readonly type: string;
  readonly start: number;
  /** First byte behind the header. */
  readonly body: number;
  /** First byte behind the box; may lie beyond the bytes at hand for a top-level box. */
  readonly end: number;
}

/** A table that contradicts itself or the file. Code `ERR_CONTAINER`. */
export const containerError = (message: string, details: Readonly<Record<string, unknown>> = {}): TikitakaError =>
  new TikitakaError('ERR_CONTAINER', message, { details });

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Reads the box header at `at`, or returns undefined where fewer bytes are there than the header needs. A box of size 0
 * ends at `end`. A size smaller than its own header: ERR_CONTAINER.
 */
export function readBox(view: DataView, at: number, end: number): Box | undefined {
  const there = Math.min(view.byteLength, end);
  if (at + 8 > there) return undefined;
  let size = view.getUint32(at);
  let header = 8;
  if (size === 1) {
    if (at + 16 > there) return undefined;
    size = view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12);
    header = 16;
  }
  const type = String.fromCharCode(
    view.getUint8(at + 4),
    view.getUint8(at + 5),
    view.getUint8(at + 6),
    view.getUint8(at + 7),
  );
  if (size === 0) return { type, start: at, body: at + header, end };
  if (size < header || !Number.isSafeInteger(at + size))
    throw containerError('a box is smaller than its header or larger than any file', { type, size, offset: at });
  return { type, start: at, body: at + header, end: at + size };
}

/** Counts the boxes that are looked at; what lies inside of others is found through it. */
export interface BoxCounter {
  /** One box more: ERR_LIMIT where there are too many. */
  count(): Promise<void>;
  /** The boxes inside `[from.body, from.end)`, all of whose bytes are at hand; one that overruns its parent: ERR_CONTAINER. */
  children(view: DataView, from: Pick<Box, 'body' | 'end'>): Promise<readonly Box[]>;
}

export function createBoxCounter({ maxIndexBoxes }: ClipLimits, slices: Slices): BoxCounter {
  let boxes = 0;
  async function count(): Promise<void> {
    if (++boxes > maxIndexBoxes) throw limitError('maxIndexBoxes', boxes, maxIndexBoxes);
    await slices.pause();
  }
  return {
    count,
    async children(view, { body, end }) {
      const found: Box[] = [];
      for (let at = body; at + 8 <= end; ) {
        const box = readBox(view, at, end);
        if (!box) break;
        if (box.end > end)
          throw containerError('a box overruns the one around it', { type: box.type, end: box.end, of: end });
        found.push(box);
        at = box.end;
        await count();
      }
      return found;
    },
  };
}

/** First box of that type. */
export const boxOf = (boxes: readonly Box[], type: string): Box | undefined => boxes.find((box) => box.type === type);

/** Checks that a body has room for `bytes` from `at`, so that no count read from the file is believed. */
export function requireRoom(box: Box, at: number, bytes: number): void {
  if (at + bytes > box.end)
    throw containerError(`the ${box.type} table is longer than its box`, {
      box: box.type,
      needs: bytes,
      has: Math.max(0, box.end - at),
    });
}

/** Fields of a box by their offset in its body; what would lie behind its end: ERR_CONTAINER. */
export interface BoxFields {
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
}

export function fieldsOf(view: DataView, box: Box): BoxFields {
  const place = (at: number, bytes: number): number => {
    requireRoom(box, box.body + at, bytes);
    return box.body + at;
  };
  return {
    u8: (at) => view.getUint8(place(at, 1)),
    u16: (at) => view.getUint16(place(at, 2)),
    u32: (at) => view.getUint32(place(at, 4)),
  };
}

/** The timescale of `mvhd` or `mdhd`, whose 64-bit version moves it (§8.2.2, §8.4.2). */
export function readTimescale(view: DataView, box: Box): number {
  const { u8, u32 } = fieldsOf(view, box);
  return u32(u8(0) === 1 ? 20 : 12);
}
