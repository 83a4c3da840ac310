import assert from 'node:assert/strict';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { drawAnnotatedPictures } from '../../../src/annotate/annotated-picture.js';
import { drawAnnotations } from '../../../src/annotate/annotations.js';
import type { Provenance } from '../../../src/challenge/index.js';
import type { AnswerFrame, AnswerObject } from '../../../src/questions/football/index.js';

const [width, height] = [400, 300];
const object = (source: Provenance, more: Partial<AnswerObject> = {}): AnswerObject => ({
  id: 7,
  classId: 2,
  boxXyxyPx: [100, 100, 140, 180],
  score: 1,
  source,
  ...more,
});
const nothing = Array.from({ length: 32 }, (): readonly [number, number] => [0, 0]);
const frame = (objects: readonly AnswerObject[], keyPoints: AnswerFrame['keyPoints'] = nothing): AnswerFrame => ({
  index: 3,
  source: 'measured',
  keyPoints,
  objects,
});

/** Draws on a clear canvas; `at` tells the colour of a pixel as `r,g,b,a`. */
function drawn(what: AnswerFrame) {
  const ctx = createCanvas(width, height).getContext('2d');
  drawAnnotations(ctx, what, { width, height, linePx: 2 });
  const { data } = ctx.getImageData(0, 0, width, height);
  return (x: number, y: number): string =>
    Array.from(data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)).join();
}
const YELLOW = '255,225,74,255';

describe('drawAnnotations', () => {
  const edges: readonly (readonly [Provenance, minimum: number, maximum: number])[] = [
    ['measured', 1, 1],
    ['tracked', 1, 1],
    ['interpolated', 0.4, 0.75],
    ['held', 0.2, 0.5],
  ];
  for (const [source, minimum, maximum] of edges) {
    it(`draws the box of a ${source} person ${minimum === 1 ? 'solid' : 'broken'}`, () => {
      const at = drawn(frame([object(source)]));
      const painted = Array.from({ length: 70 }, (_, i) => at(140, 105 + i) === YELLOW).filter(Boolean).length / 70;
      assert.ok(painted >= minimum && painted <= maximum, `${painted}`);
    });
  }

  it('gives every class its colour', () => {
    const colours = ([1, 2, 3] as const).map((classId) => drawn(frame([object('measured', { classId })]))(140, 140));
    assert.equal(new Set(colours).size, 3);
  });

  it('writes the id above the box', () => {
    const rows = (id: number): string => {
      const at = drawn(frame([object('measured', { id })]));
      return Array.from({ length: 20 * 12 }, (_, i) => at(99 + (i % 20), 83 + Math.floor(i / 20))).join(';');
    };
    assert.ok(rows(7).includes('255,225,74'));
    assert.notEqual(rows(7), rows(8));
  });

  it('dots key points that are there and none at 0, 0', () => {
    const at = drawn(
      frame(
        [],
        nothing.map((p, i) => (i === 14 ? ([200, 90] as const) : p)),
      ),
    );
    assert.equal(at(200, 90), '255,60,60,255');
    assert.equal(at(0, 0), '0,0,0,0');
  });

  it('leaves the context as it was', () => {
    const ctx = createCanvas(width, height).getContext('2d');
    ctx.fillStyle = '#123456';
    drawAnnotations(ctx, frame([object('held')]), { width, height });
    // What is drawn counts: the getter of some canvas versions answers with the colour before `restore`.
    ctx.fillRect(0, 0, 1, 1);
    assert.deepEqual([...ctx.getImageData(0, 0, 1, 1).data], [0x12, 0x34, 0x56, 255]);
    assert.deepEqual(ctx.getLineDash(), []);
  });
});

describe('drawAnnotatedPictures', () => {
  it('puts the frames on one sheet, in rows', async () => {
    const picture = { width: 100, height: 75, rgba: new Uint8ClampedArray(100 * 75 * 4).fill(255) };
    const sheet = await drawAnnotatedPictures(
      [1, 2, 3].map(() => ({ picture, frame: frame([object('measured')]) })),
      { width, height },
    );
    const image = await loadImage(sheet);
    assert.deepEqual([image.width, image.height], [200, 150]);
  });
});
