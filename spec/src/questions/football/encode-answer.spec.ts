import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Answer,
  type AnswerFrame,
  type AnswerObject,
  createAnswerEncoder,
  createFrameWriter,
} from '../../../../src/questions/football/index.js';

const decoder = new TextDecoder();
const none = Array.from({ length: 32 }, () => [0, 0] as const);

function frameOf(
  index: number,
  objects: readonly AnswerObject[] = [],
  keyPoints: AnswerFrame['keyPoints'] = none,
): AnswerFrame {
  return { index, source: 'measured', keyPoints, objects };
}

function object(id: number, boxXyxyPx: AnswerObject['boxXyxyPx'], classId: AnswerObject['classId'] = 2): AnswerObject {
  return { id, classId, boxXyxyPx, source: 'interpolated', score: 0.5 };
}

function answerOf(frames: readonly AnswerFrame[]): Answer {
  return {
    width: 1920,
    height: 1080,
    frames,
    counts: { measured: frames.length, tracked: 0, interpolated: 0, held: 0 },
  };
}

const bodyOf = (answer: Answer, options = {}) => {
  const encoder = createAnswerEncoder(options);
  encoder.update(answer);
  return JSON.parse(decoder.decode(encoder.json({ challenge_id: 'c' })));
};

describe('the wire form of an answer', () => {
  for (const [why, box, expected] of [
    ['rounds to hundredths', [1.234, 2.345, 30.999, 40.1], [1.23, 2.35, 31, 40.1]],
    ['clamps to the picture', [-5, -1, 4000, 2000], [0, 0, 1920, 1080]],
    ['keeps a box open that rounding would close', [10.001, 20.001, 10.002, 20.002], [9.99, 19.99, 10, 20]],
    ['keeps a box open on the border', [0, 0, 0, 0], [0, 0, 0.01, 0.01]],
    ['writes small fractions', [0.01, 0.1, 0.02, 0.2], [0.01, 0.1, 0.02, 0.2]],
  ] as const) {
    it(why, () =>
      assert.deepEqual(bodyOf(answerOf([frameOf(0, [object(7, box)])])).frames[0].objects[0].bbox, expected),
    );
  }

  for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    it(`never writes ${bad}`, () => {
      const points = none.map((point, k) => (k === 3 ? ([bad, 5] as const) : point));
      const body = bodyOf(
        answerOf([frameOf(0, [object(1, [bad, 1, Number.NaN, 2]), object(2, [1, 1, 2, 2])], points)]),
      );
      assert.deepEqual(
        body.frames[0].objects.map((o: { id: number }) => o.id),
        [2],
      );
      assert.equal(body.frames[0].keypoints.length, 32);
      for (const pair of body.frames[0].keypoints) for (const value of pair) assert.ok(Number.isFinite(value));
    });
  }

  it('carries 32 pairs, fields before frames, and sources only when asked', () => {
    const answer = answerOf([frameOf(0, [object(5, [1, 2, 30, 60])])]);
    assert.deepEqual(bodyOf(answer), {
      challenge_id: 'c',
      frames: [{ frame_number: 0, keypoints: none, objects: [{ id: 5, bbox: [1, 2, 30, 60], class_id: 2 }] }],
    });
    const { frames } = bodyOf(answer, { provenance: true });
    assert.equal(frames[0].source, 'measured');
    assert.equal(frames[0].objects[0].source, 'interpolated');
  });

  it('leaves out what callers drop when asked', () => {
    const small = object(1, [10, 200, 24, 260]);
    const low = object(2, [10, 200, 40, 239]);
    const strip = object(3, [10, 150, 40, 260]);
    const ball = object(4, [10, 200, 14, 204], 0);
    const kept = object(5, [10, 151, 40, 260]);
    const answer = answerOf([frameOf(0, [small, low, strip, ball, kept])]);
    const ids = (body: { frames: { objects: { id: number }[] }[] }) => body.frames[0].objects.map((o) => o.id);
    assert.deepEqual(ids(bodyOf(answer)), [1, 2, 3, 4, 5]);
    assert.deepEqual(ids(bodyOf(answer, { dropUnscored: true })), [4, 5]);
  });

  it('writes single frames in the same form', () => {
    const frame = frameOf(3, [object(9, [1, 2, 30, 60])]);
    assert.equal(JSON.parse(createFrameWriter(answerOf([]))(frame)).frame_number, 3);
  });
});

describe('incremental encoding', () => {
  const frames = Array.from({ length: 120 }, (_, n) => frameOf(n, [object(n * 3, [n, n, n + 30.25, n + 60.5])]));

  it('gives the bytes of a fresh encoder whatever changed before', () => {
    const changes = fc.array(fc.array(fc.integer({ min: 0, max: 119 }), { maxLength: 20 }), { maxLength: 5 });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 120 }), (rounds, length) => {
        const encoder = createAnswerEncoder();
        let current = [...frames];
        encoder.update(answerOf(current));
        rounds.forEach((round, r) => {
          current = current.slice();
          for (const n of round) current[n] = frameOf(n, [object(r, [r, r, 90, 90])]);
          encoder.update(answerOf(current));
        });
        const last = answerOf(current.slice(0, length));
        encoder.update(last);
        const fresh = createAnswerEncoder();
        fresh.update(last);
        assert.deepEqual(encoder.json({}), fresh.json({}));
      }),
      { numRuns: 30 },
    );
  });

  it('can be paused every few frames and loses nothing', () => {
    const encoder = createAnswerEncoder();
    const answer = answerOf(frames);
    let pauses = 0;
    while (!encoder.update(answer, () => true)) pauses++;
    assert.equal(pauses, 14);
    assert.equal(JSON.parse(decoder.decode(encoder.json({}))).frames.length, 120);
  });

  it('is put together with pauses too, which change nothing', () => {
    const encoder = createAnswerEncoder();
    const answer = answerOf(frames);
    encoder.update(answer);
    let pauses = 0;
    while (!encoder.pack(() => true)) pauses++;
    assert.equal(pauses, 1);
    const fresh = createAnswerEncoder();
    fresh.update(answer);
    assert.deepEqual(encoder.json({ a: 1 }), fresh.json({ a: 1 }));
  });

  it('gives every body memory of its own, whatever stands before the frames', () => {
    const encoder = createAnswerEncoder();
    encoder.update(answerOf(frames));
    const heads = [{ a: 1 }, { b: 'x'.repeat(9000) }, {}, { c: [3] }];
    const bodies = heads.map((fields) => encoder.json(fields));
    for (const [i, body] of bodies.entries()) {
      const { frames: all, ...fields } = JSON.parse(decoder.decode(body));
      assert.deepEqual(fields, heads[i]);
      assert.equal(all.length, 120);
    }
  });

  it('answers a clip of no frames', () => {
    const encoder = createAnswerEncoder();
    encoder.update(answerOf([]));
    assert.equal(decoder.decode(encoder.json({})), '{"frames":[]}');
  });

  it('writes all frames again when the picture has another size', () => {
    const encoder = createAnswerEncoder();
    encoder.update(answerOf(frames));
    encoder.update({ ...answerOf(frames), height: 40 });
    const low = JSON.parse(decoder.decode(encoder.json({})));
    assert.ok(low.frames.every((f: { objects: { bbox: number[] }[] }) => f.objects[0].bbox[3] <= 40));
    encoder.update({ ...answerOf(frames), width: 50 });
    const body = JSON.parse(decoder.decode(encoder.json({})));
    assert.ok(body.frames.every((f: { objects: { bbox: number[] }[] }) => f.objects[0].bbox[2] <= 50));
  });
});
