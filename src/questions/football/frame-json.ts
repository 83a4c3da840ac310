import type { AnswerFrame, AnswerObject } from './answer.js';

export interface FrameJsonOptions {
  /** Size of the original picture in pixels; coordinates are clamped to it. */
  readonly width: number;
  readonly height: number;
  /** Adds `"source":"measured"|…` to frames and objects. */
  readonly provenance: boolean;
  /** Leaves out boxes that callers drop anyway (docs/protocol.md §3). */
  readonly dropUnscored: boolean;
}

/** Boxes that callers drop before judging (docs/protocol.md §3): under 15 × 40 px (ball exempt), or touching the strip y1 ≤ 150. `bbox` x1, y1, x2, y2 in px. */
export function isUnscoredBox(bbox: readonly [number, number, number, number], classId: number): boolean {
  const [x1, y1, x2, y2] = bbox;
  return y1 <= 150 || (classId !== 0 && (x2 - x1 < 15 || y2 - y1 < 40));
}

const ZERO = 48;
const encoder = new TextEncoder();
const literal = (text: string) => encoder.encode(text);
const HEAD = literal('{"frame_number":');
const SOURCE = literal(',"source":"');
const POINTS = literal(',"keypoints":[');
const OBJECTS = literal('],"objects":[');
const OBJECT = literal('{"id":');
const BOX = literal(',"bbox":[');
const CLASS = literal('],"class_id":');
const NO_POINT = literal('[0,0]');
const WORDS = {
  measured: literal('measured"'),
  tracked: literal('tracked"'),
  interpolated: literal('interpolated"'),
  held: literal('held"'),
};

/**
 * Writes one frame in the wire form of docs/protocol.md §2, several times faster than JSON.stringify with rounding: coordinates
 * become integers of 1/100 px and their digits go straight into one growing buffer. What is not a number is never
 * written: such an object is left out, such a key point is `[0,0]`.
 */
export class FrameJsonWriter {
  private bytes = new Uint8Array(1 << 14);
  private length = 0;
  private readonly maxX: number;
  private readonly maxY: number;

  constructor(private readonly options: FrameJsonOptions) {
    this.maxX = Math.round(options.width * 100);
    this.maxY = Math.round(options.height * 100);
  }

  /** Returns a copy that the caller keeps. */
  write(frame: AnswerFrame): Uint8Array {
    this.length = 0;
    this.put(HEAD);
    this.integer(frame.index);
    if (this.options.provenance) this.source(frame.source);
    this.put(POINTS);
    const { keyPoints } = frame;
    for (let k = 0; k < 32; k++) {
      if (k > 0) this.byte(44);
      this.point(keyPoints[k]);
    }
    this.put(OBJECTS);
    let first = true;
    for (const object of frame.objects) {
      if (this.options.dropUnscored && isUnscoredBox(object.boxXyxyPx, object.classId)) continue;
      if (this.object(object, first)) first = false;
    }
    this.byte(93);
    this.byte(125);
    return this.bytes.slice(0, this.length);
  }

  private point(point: readonly [number, number] | undefined): void {
    const x = clamp(point?.[0] ?? 0, this.maxX);
    const y = clamp(point?.[1] ?? 0, this.maxY);
    if (!(x + y > 0)) {
      this.put(NO_POINT);
      return;
    }
    this.reserve();
    this.byte(91);
    this.hundredths(x);
    this.byte(44);
    this.hundredths(y);
    this.byte(93);
  }

  private object(object: AnswerObject, first: boolean): boolean {
    const box = object.boxXyxyPx;
    let x1 = clamp(box[0], this.maxX);
    let y1 = clamp(box[1], this.maxY);
    const x2 = Math.max(1, clamp(box[2], this.maxX));
    const y2 = Math.max(1, clamp(box[3], this.maxY));
    if (!(x1 <= x2 && y1 <= y2)) return false;
    x1 = Math.min(x1, x2 - 1);
    y1 = Math.min(y1, y2 - 1);
    if (!first) this.byte(44);
    this.put(OBJECT);
    this.integer(object.id);
    this.put(BOX);
    this.hundredths(x1);
    this.byte(44);
    this.hundredths(y1);
    this.byte(44);
    this.hundredths(x2);
    this.byte(44);
    this.hundredths(y2);
    this.put(CLASS);
    this.integer(object.classId);
    if (this.options.provenance) this.source(object.source);
    this.byte(125);
    return true;
  }

  private source(source: AnswerFrame['source']): void {
    this.put(SOURCE);
    this.put(WORDS[source]);
  }

  /** Room for one more item, so that single bytes need no check. */
  private reserve(): void {
    if (this.bytes.length - this.length >= 256) return;
    const larger = new Uint8Array(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }

  private byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  private put(text: Uint8Array): void {
    this.reserve();
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text[i] ?? 0;
  }

  /** A coordinate given in 1/100 px, below 100,000 px, without trailing zeros. */
  private hundredths(value: number): void {
    const whole = (value / 100) | 0;
    const rest = value - whole * 100;
    if (whole < 1e4) {
      const { bytes } = this;
      let at = this.length;
      if (whole >= 1000) bytes[at++] = ZERO + ((whole / 1000) | 0);
      if (whole >= 100) bytes[at++] = ZERO + (((whole / 100) | 0) % 10);
      if (whole >= 10) bytes[at++] = ZERO + (((whole / 10) | 0) % 10);
      bytes[at++] = ZERO + (whole % 10);
      this.length = at;
    } else this.integer(whole);
    if (rest === 0) return;
    this.byte(46);
    const tenths = (rest / 10) | 0;
    this.byte(ZERO + tenths);
    if (rest !== tenths * 10) this.byte(ZERO + rest - tenths * 10);
  }

  /** A non-negative integer below 2^53. */
  private integer(value: number): void {
    let places = 1;
    for (let limit = 10; value >= limit; limit *= 10) places++;
    let rest = value;
    for (let at = this.length + places - 1; at >= this.length; at--) {
      const next = Math.floor(rest / 10);
      this.bytes[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.length += places;
  }
}

/** Pixels → 1/100 px inside 0..max; NaN stays NaN and fails every comparison behind. */
function clamp(value: number, max: number): number {
  return Math.min(max, Math.max(0, Math.round(value * 100)));
}

/** Writes single frames of an answer as JSON texts in wire form, for streamed answers. */
export function createFrameWriter({
  width,
  height,
}: Pick<FrameJsonOptions, 'width' | 'height'>): (frame: AnswerFrame) => string {
  const writer = new FrameJsonWriter({ width, height, provenance: true, dropUnscored: false });
  const decoder = new TextDecoder();
  return (frame) => decoder.decode(writer.write(frame));
}
