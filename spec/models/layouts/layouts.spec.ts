import assert from 'node:assert/strict';
import { type ModelDescription, parseDescription } from '../../../models/index.js';
import { decodeOutputs, type Outputs } from '../../../models/layouts/index.js';

const describeModel = (output: object, more: object = {}): ModelDescription =>
  parseDescription(
    {
      version: 1,
      name: 'spec',
      input: { width: 100, height: 100, layout: 'nchw', dtype: 'float32', fit: 'stretch' },
      output,
      thresholds: { person: 0.3, ball: 0.2, keyPoint: 0.4, nmsIou: 0.5 },
      ...more,
    },
    'spec',
  );

const outputs = (...list: [name: string, dims: number[], values: number[]][]): Outputs =>
  new Map(list.map(([name, dims, values]) => [name, { dims, data: Float32Array.from(values) }]));

/** Pictures of 200 × 100 px, stretched to 100 × 100: x doubles. */
const source = { sourceWidth: 200, sourceHeight: 100 };
const classes = { 0: 'ball', 1: 'goalkeeper', 2: 'player', 3: 'referee' };

/** Rounds, so that float32 coordinates compare. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, v) => (typeof v === 'number' ? Math.round(v * 1000) / 1000 : v));

describe('layout tikitaka', () => {
  const description = describeModel({ layout: 'tikitaka' }, { thresholds: { person: 0.3, ball: 0.2, keyPoint: 0.4 } });
  const keyPoints = Array.from({ length: 32 }, (_, i) => [i / 32, 0.5, i === 3 ? 0.39 : 0.9]).flat();
  const heads = (persons: number[], balls: number[]) =>
    outputs(
      ['persons', [1, persons.length / 8, 8], persons],
      ['balls', [1, balls.length / 5, 5], balls],
      ['keypoints', [1, 32, 3], keyPoints],
    );

  it('gives persons with their roles, the ball and 32 key points in original pixels', () => {
    const [finding] = decodeOutputs(
      heads([0.5, 0.5, 0.1, 0.2, 0.8, 0.1, 0.2, 0.7, 0.5, 0.5, 0.1, 0.2, 0.29, 0, 1, 0], [0.25, 0.75, 0.02, 0.04, 0.5]),
      description,
      [source],
    );
    assert.deepEqual(plain(finding?.detections), [
      { classId: 3, score: 0.56, boxXyxyPx: [90, 40, 110, 60], roleScores: [0.1, 0.2, 0.7] },
      { classId: 0, score: 0.5, boxXyxyPx: [48, 73, 52, 77] },
    ]);
    assert.equal(finding?.keyPoints.length, 32);
    assert.deepEqual(plain(finding?.keyPoints[8]), { xPx: 50, yPx: 50, score: 0.9 });
    assert.deepEqual(
      finding?.keyPoints[3],
      { xPx: 0, yPx: 0, score: 0 },
      'below its threshold a key point is not seen',
    );
  });

  it('clamps boxes to the picture, drops what lies outside, and anything that is not a number', () => {
    const [finding] = decodeOutputs(
      heads(
        [
          0,
          0,
          0.2,
          0.2,
          0.9,
          0,
          1,
          0,
          1.5,
          0.5,
          0.1,
          0.1,
          0.9,
          0,
          1,
          0,
          Number.NaN,
          0.5,
          0.1,
          0.1,
          0.9,
          0,
          1,
          0,
          0.5,
          0.5,
          0.1,
          0.1,
          Number.NaN,
          0,
          1,
          0,
        ],
        [0.5, 0.5, 0, 0, 0.9],
      ),
      description,
      [source],
    );
    assert.deepEqual(plain(finding?.detections), [
      { classId: 2, score: 0.9, boxXyxyPx: [0, 0, 20, 10], roleScores: [0, 1, 0] },
    ]);
  });

  it('keeps the best `maxDetections`', () => {
    const person = (score: number) => [0.5, 0.5, 0.1, 0.1, score, 0, 1, 0];
    const [finding] = decodeOutputs(
      heads([...person(0.5), ...person(0.9), ...person(0.7)], []),
      { ...description, maxDetections: 2 },
      [source],
    );
    assert.deepEqual(plain(finding?.detections.map(({ score }) => score)), [0.9, 0.7]);
  });
});

describe('layout yolo-detect', () => {
  // Two anchors on one man (player .8 and keeper .6), one ball, one below the threshold; columns cx cy w h, 4 classes.
  const anchors = [
    [50, 50, 10, 20, 0, 0.1, 0.8, 0.1],
    [51, 50, 10, 20, 0, 0.6, 0.2, 0],
    [20, 20, 4, 4, 0.25, 0, 0, 0],
    [80, 80, 4, 4, 0, 0, 0.29, 0],
  ];
  const expected = [
    { classId: 2, score: 0.8, boxXyxyPx: [90, 40, 110, 60], roleScores: [0.1, 0.8, 0.1] },
    { classId: 0, score: 0.25, boxXyxyPx: [36, 18, 44, 22] },
  ];
  const columns = Array.from({ length: 8 }, (_, c) => anchors.map((row) => row[c] ?? 0)).flat();

  it('reads YOLOv8, one column per anchor, and keeps one box per man whatever his role', () => {
    const [finding] = decodeOutputs(
      outputs(['output0', [1, 8, 4], columns]),
      describeModel({ layout: 'yolo-detect', classes }),
      [source],
    );
    assert.deepEqual(plain(finding?.detections), expected);
    assert.deepEqual(finding?.keyPoints, []);
  });

  it('reads YOLOv5, one row per anchor with objectness', () => {
    const rows = anchors.flatMap(([cx = 0, cy = 0, w = 0, h = 0, ...scores]) => [
      cx,
      cy,
      w,
      h,
      0.5,
      ...scores.map((s) => s * 2),
    ]);
    const description = describeModel({ layout: 'yolo-detect', rows: 'first', objectness: true, classes });
    const [finding] = decodeOutputs(outputs(['output0', [1, 4, 9], rows]), description, [source]);
    assert.deepEqual(plain(finding?.detections), expected);
  });

  it('drops classes that are not ours, and knows no roles where the model tells none apart', () => {
    const description = describeModel({ layout: 'yolo-detect', classes: { 2: 'player' } });
    const [finding] = decodeOutputs(outputs(['output0', [1, 8, 4], columns]), description, [source]);
    assert.deepEqual(plain(finding?.detections), [{ classId: 2, score: 0.8, boxXyxyPx: [90, 40, 110, 60] }]);
  });

  it('gives each picture of a batch its own finding', () => {
    const empty = columns.map(() => 0);
    const findings = decodeOutputs(
      outputs(['output0', [2, 8, 4], [...empty, ...columns]]),
      describeModel({ layout: 'yolo-detect', classes }),
      [source, { sourceWidth: 100, sourceHeight: 100 }],
    );
    assert.deepEqual(
      findings.map(({ detections }) => detections.length),
      [0, 2],
    );
    assert.deepEqual(plain(findings[1]?.detections[0]?.boxXyxyPx), [45, 40, 55, 60]);
  });

  it('refuses a table that is too narrow for the classes: ERR_MODEL_SHAPE', () => {
    const description = describeModel({ layout: 'yolo-detect', classes: { 9: 'player' } });
    assert.throws(() => decodeOutputs(outputs(['output0', [1, 8, 4], columns]), description, [source]), {
      code: 'ERR_MODEL_SHAPE',
    });
  });
});

describe('layout yolo-pose', () => {
  const points = Array.from({ length: 3 }, (_, k) => [10 * k, 20, k === 1 ? 0.1 : 0.9]).flat();
  const rows = [
    [50, 50, 90, 90, 0.5, ...points],
    [50, 50, 90, 90, 0.9, ...points.map((value, i) => (i % 3 === 0 ? value + 1 : value))],
  ];
  const decode = (row: number[][], description: ModelDescription) =>
    decodeOutputs(outputs(['output0', [1, row.length, 14], row.flat()]), description, [source])[0];

  it('takes the key points of the best row; unseen ones and missing ones have score 0', () => {
    const finding = decode(rows, describeModel({ layout: 'yolo-pose', rows: 'first' }));
    assert.equal(finding?.keyPoints.length, 32);
    assert.deepEqual(plain(finding?.keyPoints.slice(0, 4)), [
      { xPx: 2, yPx: 20, score: 0.9 },
      { xPx: 0, yPx: 0, score: 0 },
      { xPx: 42, yPx: 20, score: 0.9 },
      { xPx: 0, yPx: 0, score: 0 },
    ]);
    assert.deepEqual(finding?.detections, []);
  });

  it('puts them into our order by the map', () => {
    const finding = decode(rows, describeModel({ layout: 'yolo-pose', rows: 'first', keyPoints: [31, null, 0] }));
    assert.deepEqual(plain([finding?.keyPoints[31]?.xPx, finding?.keyPoints[0]?.xPx]), [2, 42]);
  });

  it('sees nothing where no row is good enough', () => {
    const weak = rows.map((row) => row.map((value, i) => (i === 4 ? 0.3 : value)));
    const finding = decode(weak, describeModel({ layout: 'yolo-pose', rows: 'first' }));
    assert.ok(finding?.keyPoints.every(({ score }) => score === 0));
  });
});

describe('layout yolo-nms-free', () => {
  it('reads x1 y1 x2 y2 score class', () => {
    const rows = [45, 40, 55, 60, 0.8, 2, 18, 18, 22, 22, 0.25, 0, 0, 0, 9, 9, 0.9, 7];
    const [finding] = decodeOutputs(
      outputs(['output0', [1, 3, 6], rows]),
      describeModel({ layout: 'yolo-nms-free', classes }),
      [source],
    );
    assert.deepEqual(plain(finding?.detections), [
      { classId: 2, score: 0.8, boxXyxyPx: [90, 40, 110, 60] },
      { classId: 0, score: 0.25, boxXyxyPx: [36, 18, 44, 22] },
    ]);
  });

  it('reads the key points of a pose model behind them', () => {
    const rows = [0, 0, 100, 100, 0.9, 0, 30, 40, 0.8];
    const [finding] = decodeOutputs(
      outputs(['output0', [1, 1, 9], rows]),
      describeModel({ layout: 'yolo-nms-free', keyPoints: [5] }),
      [source],
    );
    assert.deepEqual(plain(finding?.keyPoints[5]), { xPx: 60, yPx: 40, score: 0.8 });
    assert.deepEqual(finding?.detections, []);
  });
});

describe('layout detr', () => {
  const boxes: [string, number[], number[]] = ['pred_boxes', [1, 2, 4], [0.5, 0.5, 0.1, 0.2, 0.2, 0.2, 0.04, 0.04]];
  const expected = (scores: [number, number]) => [
    { classId: 2, score: scores[0], boxXyxyPx: [90, 40, 110, 60] },
    { classId: 0, score: scores[1], boxXyxyPx: [36, 18, 44, 22] },
  ];
  const logit = (p: number) => Math.log(p / (1 - p));

  it('reads logits through a sigmoid', () => {
    const logits = [logit(0.01), logit(0.8), logit(0.6), logit(0.01)];
    const [finding] = decodeOutputs(
      outputs(['logits', [1, 2, 2], logits], boxes),
      describeModel({ layout: 'detr', classes: { 0: 'ball', 1: 'player' } }),
      [source],
    );
    assert.deepEqual(plain(finding?.detections), expected([0.8, 0.6]));
  });

  it('reads logits through a softmax whose last class is nothing', () => {
    const logits = [0, 3, 0, Math.log(0.7), Math.log(0.1), Math.log(0.2)];
    const [finding] = decodeOutputs(
      outputs(['logits', [1, 2, 3], logits], boxes),
      describeModel({ layout: 'detr', scores: 'softmax', classes: { 0: 'ball', 1: 'player' } }),
      [source],
    );
    const top = Math.exp(3) / (Math.exp(3) + 2);
    assert.deepEqual(plain(finding?.detections), plain(expected([top, 0.7])));
  });

  it('reads labels, boxes and scores that the file has picked, in pixels of its input', () => {
    const [finding] = decodeOutputs(
      outputs(
        ['labels', [1, 2], [1, 0]],
        ['boxes', [1, 2, 4], [45, 40, 55, 60, 18, 18, 22, 22]],
        ['scores', [1, 2], [0.8, 0.6]],
      ),
      describeModel({
        layout: 'detr',
        scores: 'labelled',
        names: { boxes: 'boxes' },
        boxes: 'xyxy',
        normalised: false,
        classes: { 0: 'ball', 1: 'player' },
      }),
      [source],
    );
    assert.deepEqual(plain(finding?.detections), expected([0.8, 0.6]));
  });

  it('names what it expects and what it finds: ERR_MODEL_SHAPE', () => {
    assert.throws(
      () => decodeOutputs(outputs(['output0', [1, 8, 4], []]), describeModel({ layout: 'detr', classes }), [source]),
      (error: Error & { code?: string }) =>
        error.code === 'ERR_MODEL_SHAPE' &&
        /pred_boxes \[N, \?, 4\]/.test(error.message) &&
        /output0 \[1, 8, 4\]/.test(error.message),
    );
  });
});
