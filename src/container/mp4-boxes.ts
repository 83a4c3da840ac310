import { TikitakaError } from '../../operators/index.js';

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

/** Boxes inside `[start, end)`, all of whose bytes are at hand; a child that overruns its parent: ERR_CONTAINER. */
export function* childBoxes(view: DataView, start: number, end: number): Generator<Box> {
  for (let at = start; at + 8 <= end; ) {
    const box = readBox(view, at, end);
    if (!box) return;
    if (box.end > end)
      throw containerError('a box overruns the one around it', { type: box.type, end: box.end, of: end });
    yield box;
    at = box.end;
  }
}

/** First child box of that type. */
export function childBox(view: DataView, parent: Pick<Box, 'body' | 'end'>, type: string): Box | undefined {
  for (const box of childBoxes(view, parent.body, parent.end)) if (box.type === type) return box;
  return undefined;
}

/** The child box at the end of a path of types. */
export function descend(view: DataView, from: Pick<Box, 'body' | 'end'>, ...path: readonly string[]): Box | undefined {
  let box: Pick<Box, 'body' | 'end'> | undefined = from;
  let found: Box | undefined;
  for (const type of path) {
    found = box && childBox(view, box, type);
    box = found;
  }
  return found;
}

/** Checks that a body has room for `bytes` from `at`, so that no count read from the file is believed. */
export function requireRoom(box: Box, at: number, bytes: number): void {
  if (at + bytes > box.end)
    throw containerError(`the ${box.type} table is longer than its box`, {
      box: box.type,
      needs: bytes,
      has: Math.max(0, box.end - at),
    });
}
