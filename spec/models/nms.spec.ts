import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type NmsInput, nms } from '../../models/nms.js';

type Box = readonly [number, number, number, number];

/** Written from the definition, one box object at a time: nothing shared with the code under test. */
function slowNms(boxes: readonly { box: Box; score: number; kind: number }[], iou: number, limit: number): number[] {
  const left = boxes.map((entry, index) => ({ ...entry, index }));
  const kept: number[] = [];
  while (left.length > 0 && kept.length < limit) {
    let best = left[0];
    for (const other of left) if (best === undefined || other.score > best.score) best = other;
    if (!best) break;
    const winner = best;
    kept.push(winner.index);
    const survivors = left.filter(
      (other) => other !== winner && !(other.kind === winner.kind && iouOf(other.box, winner.box) > iou),
    );
    left.splice(0, left.length, ...survivors);
  }
  return kept;
}

function iouOf(a: Box, b: Box): number {
  const area = ([x1, y1, x2, y2]: Box) => Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
  const shared = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}

const input = (
  entries: readonly { box: Box; score: number; kind: number }[],
  options: Pick<NmsInput, 'iou' | 'limit'>,
): NmsInput => ({
  boxesXyxy: Float32Array.from(entries.flatMap(({ box }) => box)),
  scores: Float32Array.from(entries, ({ score }) => score),
  kinds: Uint8Array.from(entries, ({ kind }) => kind),
  ...options,
});

describe('nms', () => {
  const table: {
    why: string;
    entries: { box: Box; score: number; kind: number }[];
    iou?: number;
    limit?: number;
    kept: number[];
  }[] = [
    { why: 'nothing in, nothing out', entries: [], kept: [] },
    { why: 'one box stays', entries: [{ box: [0, 0, 10, 10], score: 0.5, kind: 0 }], kept: [0] },
    {
      why: 'the better of two that overlap stays, wherever it stands',
      entries: [
        { box: [0, 0, 10, 10], score: 0.5, kind: 0 },
        { box: [1, 0, 11, 10], score: 0.9, kind: 0 },
      ],
      kept: [1],
    },
    {
      why: 'boxes of different kinds do not compete',
      entries: [
        { box: [0, 0, 10, 10], score: 0.5, kind: 0 },
        { box: [0, 0, 10, 10], score: 0.9, kind: 1 },
      ],
      kept: [1, 0],
    },
    {
      why: 'exactly at the limit is not above it: IoU 1/3',
      entries: [
        { box: [0, 0, 10, 10], score: 0.9, kind: 0 },
        { box: [5, 0, 15, 10], score: 0.8, kind: 0 },
      ],
      iou: 1 / 3,
      kept: [0, 1],
    },
    {
      why: 'a suppressed box suppresses nothing',
      entries: [
        { box: [0, 0, 10, 10], score: 0.9, kind: 0 },
        { box: [4, 0, 14, 10], score: 0.8, kind: 0 },
        { box: [8, 0, 18, 10], score: 0.7, kind: 0 },
      ],
      iou: 0.4,
      kept: [0, 2],
    },
    {
      why: 'among equal scores the first wins',
      entries: [
        { box: [0, 0, 10, 10], score: 0.5, kind: 0 },
        { box: [0, 0, 10, 10], score: 0.5, kind: 0 },
      ],
      kept: [0],
    },
    {
      why: 'stops at the limit, best first',
      entries: [
        { box: [0, 0, 1, 1], score: 0.1, kind: 0 },
        { box: [5, 5, 6, 6], score: 0.3, kind: 0 },
        { box: [9, 9, 10, 10], score: 0.2, kind: 0 },
      ],
      limit: 2,
      kept: [1, 2],
    },
    {
      why: 'boxes without area neither suppress nor are suppressed',
      entries: [
        { box: [3, 3, 3, 3], score: 0.9, kind: 0 },
        { box: [0, 0, 10, 10], score: 0.8, kind: 0 },
      ],
      kept: [0, 1],
    },
  ];
  for (const { why, entries, iou = 0.5, limit = 100, kept } of table) {
    it(why, () => assert.deepEqual([...nms(input(entries, { iou, limit }))], kept));
  }

  it('agrees with the definition on any boxes', () => {
    // Eighths are exact in float32, so that both sides compute the same IoU.
    const eighth = (max: number) => fc.integer({ min: 0, max: max * 8 }).map((n) => n / 8);
    const entry = fc
      .record({
        x: eighth(40),
        y: eighth(40),
        w: eighth(20),
        h: eighth(20),
        score: fc.integer({ min: 0, max: 64 }),
        kind: fc.nat(2),
      })
      .map(({ x, y, w, h, score, kind }) => ({ box: [x, y, x + w, y + h] as const, score: score / 64, kind }));
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 60 }),
        fc.constantFrom(0, 0.25, 0.5, 0.75),
        fc.integer({ min: 1, max: 60 }),
        (entries, iou, limit) => {
          assert.deepEqual([...nms(input(entries, { iou, limit }))], slowNms(entries, iou, limit));
        },
      ),
    );
  });
});
