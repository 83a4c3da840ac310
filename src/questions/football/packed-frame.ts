import type { ClassId } from '../../../models/index.js';
import type { Provenance } from '../../challenge/index.js';
import type { AnswerFrame, AnswerObject } from './answer.js';

/** Steps of a pixel and of a score that are kept: what goes over the wire (docs/protocol.md §2). */
const PER_PX = 100;
const PER_SCORE = 10_000;
const SOURCES: readonly Provenance[] = ['measured', 'tracked', 'interpolated', 'held'];
const KEY_POINTS = 32;
const HIDDEN = [0, 0] as const;
/** int32 cells of an object: id, class · 4 + source, x1, y1, x2, y2, score. */
const OBJECT_CELLS = 7;

/**
 * A frame of the answer in a few hundred bytes instead of the five thousand that its objects would take, of which a clip has
 * thousands: key points and objects are made when they are asked for, and each time anew.
 */
export class PackedFrame implements AnswerFrame {
  constructor(
    readonly index: number,
    readonly source: Provenance,
    /** Bits of the key points that are visible; x and y of each; then the objects. */
    private readonly cells: Int32Array,
    private readonly objectsAt: number,
  ) {}

  /** The same in another place, for the price of a few words. */
  at(index: number): PackedFrame {
    return new PackedFrame(index, this.source, this.cells, this.objectsAt);
  }

  get keyPoints(): AnswerFrame['keyPoints'] {
    const { cells } = this;
    const points: (readonly [number, number])[] = new Array(KEY_POINTS);
    let at = 1;
    for (let k = 0; k < KEY_POINTS; k++) {
      const visible = (cells[0] >>> k) & 1;
      points[k] = visible ? [cells[at] / PER_PX, cells[at + 1] / PER_PX] : HIDDEN;
      at += visible * 2;
    }
    return points;
  }

  get objects(): readonly AnswerObject[] {
    const { cells } = this;
    const objects: AnswerObject[] = [];
    for (let at = this.objectsAt; at < cells.length; at += OBJECT_CELLS) {
      objects.push({
        id: cells[at],
        classId: (cells[at + 1] >> 2) as ClassId,
        source: SOURCES[cells[at + 1] & 3],
        boxXyxyPx: [cells[at + 2] / PER_PX, cells[at + 3] / PER_PX, cells[at + 4] / PER_PX, cells[at + 5] / PER_PX],
        score: cells[at + 6] / PER_SCORE,
      });
    }
    return objects;
  }
}

/** Puts frames together, one after the other, in memory that is used again. Ids are below 2³¹, places within ±2·10⁷ px. */
export class FramePacker {
  private cells = new Int32Array(1 << 10);
  private used = 1;
  private objectsAt = 1;

  /** In ascending order of `k`, before any object. Pixels of the original. */
  addKeyPoint(k: number, xPx: number, yPx: number): void {
    this.reserve();
    this.cells[0] |= 1 << k;
    this.cells[this.used++] = Math.round(xPx * PER_PX);
    this.cells[this.used++] = Math.round(yPx * PER_PX);
    this.objectsAt = this.used;
  }

  addObject({ id, classId, boxXyxyPx, source, score }: AnswerObject): void {
    this.reserve();
    const { cells } = this;
    cells[this.used++] = id;
    cells[this.used++] = (classId << 2) | SOURCES.indexOf(source);
    for (const side of boxXyxyPx) cells[this.used++] = Math.round(side * PER_PX);
    cells[this.used++] = Math.round(score * PER_SCORE);
  }

  /** The frame of what was added since the last one. */
  take(index: number, source: Provenance): PackedFrame {
    const frame = new PackedFrame(index, source, this.cells.slice(0, this.used), this.objectsAt);
    this.cells[0] = 0;
    this.used = this.objectsAt = 1;
    return frame;
  }

  private reserve(): void {
    if (this.cells.length - this.used >= OBJECT_CELLS) return;
    const larger = new Int32Array(this.cells.length * 2);
    larger.set(this.cells);
    this.cells = larger;
  }
}
