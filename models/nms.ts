/** Boxes that compete with each other. */
export interface NmsInput {
  /** float32 [n, 4]: x1 y1 x2 y2, any one space. */
  readonly boxesXyxy: Float32Array;
  /** float32 [n], 0..1. */
  readonly scores: Float32Array;
  /** [n]: only boxes of the same kind suppress each other. */
  readonly kinds: Uint8Array;
  /** A box that overlaps a better one of its kind by more than this is dropped. 0..1. */
  readonly iou: number;
  /** Stop after this many kept boxes. */
  readonly limit: number;
}

/**
 * Greedy non-maximum suppression: the indexes of the boxes that stay, best first; among equal scores the lower index
 * wins. Kept boxes of each kind are packed together, so that the inner loop runs over flat memory.
 */
export function nms({ boxesXyxy, scores, kinds, iou, limit }: NmsInput): Uint32Array {
  const order = byScore(scores);
  const kept = new Uint32Array(Math.min(limit, order.length));
  const rivals = new Map<number, { boxes: Float32Array; areas: Float32Array; count: number }>();
  let count = 0;
  for (const candidate of order) {
    if (count === kept.length) break;
    const kind = kinds[candidate] ?? 0;
    let rival = rivals.get(kind);
    if (!rival) {
      rival = { boxes: new Float32Array(kept.length * 4), areas: new Float32Array(kept.length), count: 0 };
      rivals.set(kind, rival);
    }
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = boxesXyxy.subarray(candidate * 4, candidate * 4 + 4);
    const area = Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
    if (overlaps(rival, x1, y1, x2, y2, area, iou)) continue;
    rival.boxes.set([x1, y1, x2, y2], rival.count * 4);
    rival.areas[rival.count++] = area;
    kept[count++] = candidate;
  }
  return kept.subarray(0, count);
}

/** Indexes by falling score; equal scores keep their order. */
export function byScore(scores: Float32Array): Uint32Array {
  const order = Uint32Array.from(scores, (_, i) => i);
  return order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
}

function overlaps(
  kept: { readonly boxes: Float32Array; readonly areas: Float32Array; readonly count: number },
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  area: number,
  iou: number,
): boolean {
  const { boxes, areas, count } = kept;
  for (let k = 0, at = 0; k < count; k++, at += 4) {
    const width = Math.min(x2, boxes[at + 2] ?? 0) - Math.max(x1, boxes[at] ?? 0);
    if (width <= 0) continue;
    const height = Math.min(y2, boxes[at + 3] ?? 0) - Math.max(y1, boxes[at + 1] ?? 0);
    if (height <= 0) continue;
    const shared = width * height;
    if (shared > iou * (area + (areas[k] ?? 0) - shared)) return true;
  }
  return false;
}
