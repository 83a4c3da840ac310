import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnswerObject } from '../../../../src/questions/football/answer.js';
import { FramePacker } from '../../../../src/questions/football/packed-frame.js';

const hundredths = (most: number) => fc.integer({ min: 0, max: most }).map((value) => value / 100);
const point = fc.tuple(hundredths(384_000), hundredths(216_000));
const object: fc.Arbitrary<AnswerObject> = fc.record(
  {
    id: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    classId: fc.constantFrom(0, 1, 2, 3),
    boxXyxyPx: fc.tuple(hundredths(384_000), hundredths(216_000), hundredths(384_000), hundredths(216_000)),
    source: fc.constantFrom('measured', 'tracked', 'interpolated', 'held'),
    score: fc.integer({ min: 0, max: 10_000 }).map((value) => value / 10_000),
  },
  { noNullPrototype: true },
);
const frame = fc.record({
  keyPoints: fc.array(fc.option(point), { minLength: 32, maxLength: 32 }),
  objects: fc.array(object, { maxLength: 200 }),
});

describe('FramePacker', () => {
  it('gives back what was put in, frame by frame, whatever follows', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), (frames) => {
        const packer = new FramePacker();
        const packed = frames.map(({ keyPoints, objects }, index) => {
          for (const [k, at] of keyPoints.entries()) if (at) packer.addKeyPoint(k, ...at);
          for (const one of objects) packer.addObject(one);
          return packer.take(index, 'tracked');
        });
        for (const [index, { keyPoints, objects }] of frames.entries()) {
          assert.equal(packed[index].index, index);
          assert.equal(packed[index].source, 'tracked');
          assert.deepEqual(
            packed[index].keyPoints,
            keyPoints.map((at) => at ?? [0, 0]),
          );
          assert.deepEqual(packed[index].objects, objects);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('rounds to what goes over the wire', () => {
    const packer = new FramePacker();
    packer.addKeyPoint(31, 10.006, 20.004);
    packer.addObject({ id: 1, classId: 2, boxXyxyPx: [0.004, 0.996, 5.555, 7], source: 'held', score: 0.12344 });
    const { keyPoints, objects } = packer.take(0, 'held');
    assert.deepEqual(keyPoints[31], [10.01, 20]);
    assert.deepEqual(objects[0].boxXyxyPx, [0, 1, 5.56, 7]);
    assert.equal(objects[0].score, 0.1234);
  });
});
