import { constants, crc32, deflateRawSync } from 'node:zlib';
import type { Answer, AnswerFrame } from './answer.js';
import { FrameJsonWriter } from './frame-json.js';

/** Frames per piece: one changed frame costs the compression of this many. Chosen: 1 s of video. */
const FRAMES_PER_PIECE = 25;
/** RFC 1952: magic, deflate, no flags, no time (same answer, same bytes), no extra, unknown system. */
const GZIP_HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** RFC 1951: an empty final block with fixed codes ends the stream behind pieces that each end on a byte. */
const DEFLATE_END = Uint8Array.of(3, 0);

export interface AnswerEncoderOptions {
  /** Adds `source` to frames and objects (`--provenance`). Default false: every byte is time. */
  readonly provenance?: boolean;
  /** Leaves out boxes that callers drop anyway (`DROP_UNSCORED=1`, PROTOCOL §3). Default false. */
  readonly dropUnscored?: boolean;
  /** zlib level 1..9. Default 3: as fast as 1 and 5 % smaller; 6 is 5 % smaller still for twice the time (measured on match-a). */
  readonly level?: number;
}

/** Fields of the body before `frames`, in this order, e.g. `{challenge_id, processing_time}`. */
export type AnswerFields = Readonly<Record<string, unknown>>;

/**
 * Keeps the body of an answer ready while snapshots follow one another: only frames that are new objects are written
 * again, only pieces (25 frames) with such a frame compressed again. So what is left to do at the hard cut is the head.
 */
export interface AnswerEncoder {
  /** Takes over a snapshot; works until `isPaused` says so (asked after each piece); true = up to date. Call again to go on. */
  update(answer: Answer, isPaused?: () => boolean): boolean;
  /** The body as UTF-8 JSON, of the last snapshot given. */
  json(fields: AnswerFields): Uint8Array;
  /** The same body as one gzip member (RFC 1952). */
  gzip(fields: AnswerFields): Uint8Array;
  /** The body without its opening brace as one raw deflate stream (RFC 1951), for those who put fields of their own in front. */
  deflatedTail(fields: AnswerFields): Uint8Array;
}

interface Piece {
  readonly frames: (AnswerFrame | undefined)[];
  readonly fragments: Uint8Array[];
  json: Uint8Array;
  deflated: Uint8Array | undefined;
}

/** Opens an encoder for the snapshots of one challenge; see `AnswerEncoder`. */
export function createAnswerEncoder(options: AnswerEncoderOptions = {}): AnswerEncoder {
  const { provenance = false, dropUnscored = false, level = 3 } = options;
  const pieces: Piece[] = [];
  let writer: FrameJsonWriter | undefined;
  let size = { width: 0, height: 0 };
  let current: Answer | undefined;
  let done = 0;

  function pieceAt(place: number): Piece {
    const piece = pieces[place] ?? { frames: [], fragments: [], json: new Uint8Array(0), deflated: undefined };
    pieces[place] = piece;
    return piece;
  }

  /** Writes what changed of one piece; its compression waits for `deflate`. */
  function write(answer: Answer, place: number): void {
    const { width, height } = answer;
    if (!writer || size.width !== width || size.height !== height) {
      size = { width, height };
      writer = new FrameJsonWriter({ ...size, provenance, dropUnscored });
      for (const piece of pieces) piece.frames.length = 0;
    }
    const piece = pieceAt(place);
    const start = place * FRAMES_PER_PIECE;
    const count = Math.min(FRAMES_PER_PIECE, answer.frames.length - start);
    let changed = piece.frames.length !== count;
    for (let i = 0; i < count; i++) {
      const frame = answer.frames[start + i];
      if (!frame || piece.frames[i] === frame) continue;
      piece.frames[i] = frame;
      piece.fragments[i] = writer.write(frame);
      changed = true;
    }
    if (!changed) return;
    piece.frames.length = count;
    piece.fragments.length = count;
    piece.json = join(piece.fragments, start > 0);
    piece.deflated = undefined;
  }

  function deflate(piece: Piece): Uint8Array {
    piece.deflated ??= deflateRawSync(piece.json, { level, memLevel: 9, finishFlush: constants.Z_FULL_FLUSH });
    return piece.deflated;
  }

  function update(answer: Answer, isPaused: () => boolean = () => false): boolean {
    if (current !== answer) done = 0;
    current = answer;
    const count = Math.ceil(answer.frames.length / FRAMES_PER_PIECE);
    pieces.length = Math.min(pieces.length, count);
    while (done < count) {
      write(answer, done);
      deflate(pieceAt(done));
      done++;
      if (done < count && isPaused()) return false;
    }
    return true;
  }

  function finish(): void {
    if (current) update(current);
  }

  function deflated(before: Uint8Array): Uint8Array {
    const flush = (text: Uint8Array) => deflateRawSync(text, { level, finishFlush: constants.Z_FULL_FLUSH });
    return concat([flush(before), ...pieces.map(deflate), flush(TAIL), DEFLATE_END]);
  }

  return {
    update,
    json(fields) {
      finish();
      return concat([head(fields), ...pieces.map((piece) => piece.json), TAIL]);
    },
    gzip(fields) {
      finish();
      const texts = [head(fields), ...pieces.map((piece) => piece.json), TAIL];
      let crc = 0;
      let bytes = 0;
      for (const text of texts) {
        crc = crc32(text, crc);
        bytes += text.length;
      }
      const trailer = new DataView(new ArrayBuffer(8));
      trailer.setUint32(0, crc, true);
      trailer.setUint32(4, bytes % 2 ** 32, true);
      return concat([GZIP_HEAD, deflated(head(fields)), new Uint8Array(trailer.buffer)]);
    },
    deflatedTail(fields) {
      finish();
      return deflated(head(fields).subarray(1));
    },
  };
}

const TAIL = new TextEncoder().encode(']}');

function head(fields: AnswerFields): Uint8Array {
  const text = JSON.stringify(fields).slice(0, -1);
  return new TextEncoder().encode(`${text}${text.length > 1 ? ',' : ''}"frames":[`);
}

/** Fragments with commas between, and one before where others go ahead. */
function join(fragments: readonly Uint8Array[], leading: boolean): Uint8Array {
  const length = fragments.reduce((sum, fragment) => sum + fragment.length + 1, 0) - (leading ? 0 : 1);
  const all = new Uint8Array(Math.max(0, length));
  let at = 0;
  fragments.forEach((fragment, i) => {
    if (i > 0 || leading) all[at++] = 44;
    all.set(fragment, at);
    at += fragment.length;
  });
  return all;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
