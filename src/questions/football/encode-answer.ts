import { defaultClipLimits, limitError } from '../../limits/index.js';
import type { Answer, AnswerFrame } from './answer.js';
import { FrameJsonWriter } from './frame-json.js';

/** Frames that are written before it is asked again whether to pause. Chosen: a fraction of a millisecond. */
const FRAMES_PER_STEP = 8;

export interface AnswerEncoderOptions {
  /** Adds `source` to frames and objects (`--provenance`). Default false: every byte is time. */
  readonly provenance?: boolean;
  /** Leaves out boxes that callers drop anyway (`DROP_UNSCORED=1`, docs/protocol.md §3). Default false. */
  readonly dropUnscored?: boolean;
  /** A larger body is ERR_LIMIT, and no more of it is kept. Default 64 MB (`ClipLimits`). */
  readonly maxBytes?: number;
}

/** Fields of the body before `frames`, in this order, e.g. `{challenge_id, processing_time}`. */
export type AnswerFields = Readonly<Record<string, unknown>>;

/**
 * Keeps the body of an answer ready while snapshots follow one another: only frames that are new objects are written
 * again. It is not compressed here: the last snapshot changes nearly all of them, and whoever sends the body compresses it
 * off the event loop (measured: 55 to 87 ms of it saved per challenge).
 */
export interface AnswerEncoder {
  /** Takes over a snapshot; works until `isPaused` says so (asked every few frames); true = up to date. Call again to go on. */
  update(answer: Answer, isPaused?: () => boolean): boolean;
  /** Puts the last snapshot given together, as `update` works; then `json` costs next to nothing, once. ERR_LIMIT as there. */
  pack(isPaused?: () => boolean): boolean;
  /** The body as UTF-8 JSON, of the last snapshot given. ERR_LIMIT where it is larger than `maxBytes`. */
  json(fields: AnswerFields): Uint8Array;
}

/** Opens an encoder for the snapshots of one challenge; see `AnswerEncoder`. */
export function createAnswerEncoder(options: AnswerEncoderOptions = {}): AnswerEncoder {
  const { provenance = false, dropUnscored = false, maxBytes = defaultClipLimits.maxAnswerBytes } = options;
  /** What was written, and from which frame. */
  const fragments: Uint8Array[] = [];
  const written: AnswerFrame[] = [];
  let known: FrameJsonWriter | undefined;
  let size = { width: 0, height: 0 };
  let current: Answer | undefined;
  let done = 0;
  /** Of all fragments. */
  let bytes = 0;
  /** What was put together; undefined = nothing, or nothing any more. */
  let packing: Packing | undefined;

  function shortenTo(frames: number): void {
    while (fragments.length > frames) bytes -= fragments.pop()?.length ?? 0;
    written.length = Math.min(written.length, frames);
  }

  function writerFor({ width, height }: Answer): FrameJsonWriter {
    if (known && size.width === width && size.height === height) return known;
    size = { width, height };
    written.length = 0;
    known = new FrameJsonWriter({ ...size, provenance, dropUnscored });
    return known;
  }

  function update(answer: Answer, isPaused: () => boolean = () => false): boolean {
    if (current !== answer) {
      done = 0;
      packing = undefined;
      if (bytes > maxBytes) shortenTo(0);
    }
    current = answer;
    const { frames } = answer;
    const writer = writerFor(answer);
    shortenTo(frames.length);
    while (done < frames.length && bytes <= maxBytes) {
      const frame = frames[done];
      if (frame && written[done] !== frame) {
        written[done] = frame;
        bytes -= fragments[done]?.length ?? 0;
        fragments[done] = writer.write(frame);
        bytes += fragments[done].length;
      }
      done++;
      if (done % FRAMES_PER_STEP === 0 && done < frames.length && isPaused()) return false;
    }
    return true;
  }

  function pack(isPaused: () => boolean = () => false): boolean {
    if (current && !update(current, isPaused)) return false;
    packing ??= createPacking(fragments, checked(bytes + Math.max(0, fragments.length - 1) + TAIL.length));
    return packing.goOn(isPaused);
  }

  /** The size of a body, or ERR_LIMIT. */
  function checked(size: number): number {
    if (size > maxBytes) throw limitError('maxAnswerBytes', size, maxBytes);
    return size;
  }

  return {
    update,
    pack,
    json(fields) {
      const start = head(fields);
      while (!packing?.isDone) pack();
      checked(start.length + packing.sizeBytes);
      return packing.behind(start);
    },
  };
}

const TAIL = new TextEncoder().encode(']}');
const COMMA = 44;
/** Room in front of the frames for what differs from answer to answer. Chosen: some ten times what it takes. */
const HEAD_BYTES = 4096;
/** Fragments that are put together before it is asked again whether to pause. Chosen: a fraction of a millisecond. */
const FRAGMENTS_PER_STEP = 64;

function head(fields: AnswerFields): Uint8Array {
  const text = JSON.stringify(fields).slice(0, -1);
  return new TextEncoder().encode(`${text}${text.length > 1 ? ',' : ''}"frames":[`);
}

interface Packing {
  /** Without a head. */
  readonly sizeBytes: number;
  readonly isDone: boolean;
  goOn(isPaused: () => boolean): boolean;
  /** All of it behind a head. */
  behind(start: Uint8Array): Uint8Array;
}

/** Everything in one piece, with commas between the fragments. */
function createPacking(fragments: readonly Uint8Array[], sizeBytes: number): Packing {
  const all = new Uint8Array(HEAD_BYTES + sizeBytes);
  let at = HEAD_BYTES;
  let packed = 0;
  let isTaken = false;
  return {
    sizeBytes,
    get isDone() {
      return at === all.length;
    },
    goOn(isPaused) {
      while (packed < fragments.length) {
        const fragment = fragments[packed];
        if (packed > 0) all[at++] = COMMA;
        all.set(fragment, at);
        at += fragment.length;
        if (++packed % FRAGMENTS_PER_STEP === 0 && isPaused()) return false;
      }
      if (at < all.length) all.set(TAIL, at);
      at = all.length;
      return true;
    },
    behind(start) {
      // Who has been given the memory keeps it as it is.
      const whole =
        isTaken || start.length > HEAD_BYTES
          ? new Uint8Array(start.length + sizeBytes)
          : all.subarray(HEAD_BYTES - start.length);
      if (isTaken || start.length > HEAD_BYTES) whole.set(all.subarray(HEAD_BYTES), start.length);
      else isTaken = true;
      whole.set(start);
      return whole;
    },
  };
}
