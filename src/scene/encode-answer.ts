import type { Answer, AnswerFrame } from './answer.js';
import { FrameJsonWriter } from './frame-json.js';

/** Frames per piece: one changed frame costs the joining of this many. Chosen: 1 s of video. */
const FRAMES_PER_PIECE = 25;

export interface AnswerEncoderOptions {
  /** Adds `source` to frames and objects (`--provenance`). Default false: every byte is time. */
  readonly provenance?: boolean;
  /** Leaves out boxes that callers drop anyway (`DROP_UNSCORED=1`, PROTOCOL §3). Default false. */
  readonly dropUnscored?: boolean;
}

/** Fields of the body before `frames`, in this order, e.g. `{challenge_id, processing_time}`. */
export type AnswerFields = Readonly<Record<string, unknown>>;

/**
 * Keeps the body of an answer ready while snapshots follow one another: only frames that are new objects are written
 * again, only pieces (25 frames) with such a frame joined again. It is not compressed here: the last snapshot changes nearly
 * all pieces, and whoever sends the body compresses it off the event loop (measured: 55 to 87 ms of it saved per challenge).
 */
export interface AnswerEncoder {
  /** Takes over a snapshot; works until `isPaused` says so (asked after each piece); true = up to date. Call again to go on. */
  update(answer: Answer, isPaused?: () => boolean): boolean;
  /** The body as UTF-8 JSON, of the last snapshot given. */
  json(fields: AnswerFields): Uint8Array;
}

interface Piece {
  readonly frames: (AnswerFrame | undefined)[];
  readonly fragments: Uint8Array[];
  json: Uint8Array;
}

/** Opens an encoder for the snapshots of one challenge; see `AnswerEncoder`. */
export function createAnswerEncoder(options: AnswerEncoderOptions = {}): AnswerEncoder {
  const { provenance = false, dropUnscored = false } = options;
  const pieces: Piece[] = [];
  let writer: FrameJsonWriter | undefined;
  let size = { width: 0, height: 0 };
  let current: Answer | undefined;
  let done = 0;

  function pieceAt(place: number): Piece {
    const piece = pieces[place] ?? { frames: [], fragments: [], json: new Uint8Array(0) };
    pieces[place] = piece;
    return piece;
  }

  /** Writes what changed of one piece. */
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
  }

  function update(answer: Answer, isPaused: () => boolean = () => false): boolean {
    if (current !== answer) done = 0;
    current = answer;
    const count = Math.ceil(answer.frames.length / FRAMES_PER_PIECE);
    pieces.length = Math.min(pieces.length, count);
    while (done < count) {
      write(answer, done);
      done++;
      if (done < count && isPaused()) return false;
    }
    return true;
  }

  function finish(): void {
    if (current) update(current);
  }

  return {
    update,
    json(fields) {
      finish();
      return concat([head(fields), ...pieces.map((piece) => piece.json), TAIL]);
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
