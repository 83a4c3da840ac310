import assert from 'node:assert/strict';
import { lastValueFrom } from 'rxjs';
import { type BoxXyxyPx, openModelRunner, type PictureFinding } from '../../models/index.js';
import { describeModel, flat, modelFolder } from '../support/models.js';
import { constantModel, type Head } from '../support/onnx-builder.js';

/*
 * Foreign models through descriptions alone: files whose outputs are known, from pictures of odd sizes in letterboxes;
 * every box and key point must be where it is in the original picture, to half a pixel.
 */

const input = { width: 96, height: 64 };
const odd = { sourceWidth: 1279, sourceHeight: 721 };
const tall = { sourceWidth: 333, sourceHeight: 777 };

/** Truth in pixels of the original. */
const truth = {
  player: { box: [101.3, 200.7, 160.1, 350.9], score: 0.75 },
  ball: { box: [640.2, 333.3, 668.8, 361.1], score: 0.5 },
} as const;
const points = [
  [10.5, 20.25],
  [1200.75, 700.5],
] as const;

/** Original → model input, from the definition of a letterbox: whole-pixel content, centred, the larger bar right and below. */
function letterbox({ sourceWidth, sourceHeight }: typeof odd) {
  const ratio = Math.min(input.width / sourceWidth, input.height / sourceHeight);
  const content = [Math.round(sourceWidth * ratio), Math.round(sourceHeight * ratio)] as const;
  const left = Math.floor((input.width - content[0]) / 2);
  const top = Math.floor((input.height - content[1]) / 2);
  return (x: number, y: number) =>
    [left + (x * content[0]) / sourceWidth, top + (y * content[1]) / sourceHeight] as const;
}
const place = letterbox(odd);
const xyxy = ([x1, y1, x2, y2]: BoxXyxyPx) => [...place(x1, y1), ...place(x2, y2)];
const cxcywh = (box: BoxXyxyPx) => {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = xyxy(box);
  return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1];
};
/** Rows as columns: [A, C] → [C, A]. */
const transposed = (rows: number[][]) => (rows[0] ?? []).flatMap((_, c) => rows.map((row) => row[c] ?? 0));
const logit = (p: number) => Math.log(p / (1 - p));

const detectRows = [
  [...cxcywh(truth.player.box), 0, 0.1, truth.player.score, 0.05],
  [...cxcywh(truth.ball.box), truth.ball.score, 0, 0, 0],
  [...cxcywh(truth.player.box).map((v, i) => (i === 0 ? v + 0.2 : v)), 0, 0.4, 0.3, 0],
];
const poseRow = [48, 32, 90, 60, 0.9, ...points.flatMap(([x, y]) => [...place(x, y), 0.8])];
const classes = { 0: 'ball', 1: 'goalkeeper', 2: 'player', 3: 'referee' };
const thresholds = { person: 0.25, ball: 0.25, keyPoint: 0.5 };

const models: { name: string; heads: Head[]; output: object; nmsIou?: number; finds: 'objects' | 'pitch' }[] = [
  {
    name: 'yolov8 detect',
    heads: [{ name: 'output0', dims: [8, 3], values: transposed(detectRows) }],
    output: { layout: 'yolo-detect', classes },
    nmsIou: 0.7,
    finds: 'objects',
  },
  {
    name: 'yolov8 pose',
    heads: [{ name: 'output0', dims: [11, 1], values: poseRow }],
    output: { layout: 'yolo-pose' },
    finds: 'pitch',
  },
  {
    name: 'NMS-free',
    heads: [
      {
        name: 'output0',
        dims: [3, 6],
        values: [
          ...xyxy(truth.player.box),
          truth.player.score,
          2,
          ...xyxy(truth.ball.box),
          truth.ball.score,
          0,
          0,
          0,
          1,
          1,
          0.01,
          2,
        ],
      },
    ],
    output: { layout: 'yolo-nms-free', classes },
    finds: 'objects',
  },
  {
    name: 'DETR',
    heads: [
      {
        name: 'logits',
        dims: [2, 4],
        values: [-9, -9, logit(truth.player.score), -9, logit(truth.ball.score), -9, -9, -9],
      },
      {
        name: 'pred_boxes',
        dims: [2, 4],
        values: [truth.player.box, truth.ball.box].flatMap((box) =>
          cxcywh(box).map((v, i) => v / (i % 2 === 0 ? input.width : input.height)),
        ),
      },
    ],
    output: { layout: 'detr', classes },
    finds: 'objects',
  },
];

describe('foreign models through descriptions', () => {
  const folder = modelFolder();
  for (const { name, heads, output, nmsIou = null, finds } of models) {
    for (const [layout, dtype] of [
      ['nchw', 'float32'],
      ['nhwc', 'uint8'],
    ] as const) {
      it(`${name}, ${dtype} ${layout}: ${finds} in original pixels`, async () => {
        const file = folder.write(`${name}-${dtype}.onnx`, constantModel({ layout, dtype, ...input }, heads));
        const normalise = dtype === 'uint8' ? {} : { normalise: { divisor: 255 } };
        const description = describeModel({ ...input, layout, dtype, ...normalise, fit: 'letterbox' }, output, {
          ...thresholds,
          nmsIou,
        });
        const runner = await openModelRunner({ file, description, device: 'cpu', batchSize: 2, spare: false });
        try {
          const [finding, ofTall] = await lastValueFrom(
            runner.run(
              [
                { ...flat(9, input), ...odd },
                { ...flat(9, input), ...tall },
              ],
              () => undefined,
            ),
          );
          if (finds === 'objects') expectObjects(finding);
          else expectPitch(finding);
          for (const { boxXyxyPx: box } of ofTall?.detections ?? []) {
            assert.ok(
              box[0] >= 0 && box[1] >= 0 && box[2] <= tall.sourceWidth && box[3] <= tall.sourceHeight,
              'inside the picture',
            );
          }
        } finally {
          await runner.close();
        }
      });
    }
  }
});

function expectObjects(finding: PictureFinding | undefined): void {
  const [player, ball, ...others] = finding?.detections ?? [];
  assert.deepEqual(others, []);
  assert.deepEqual([player?.classId, ball?.classId], [2, 0]);
  for (const [found, expected] of [
    [player, truth.player],
    [ball, truth.ball],
  ] as const) {
    assert.ok(Math.abs((found?.score ?? 0) - expected.score) < 1e-5);
    for (const [i, value] of expected.box.entries()) {
      assert.ok(Math.abs((found?.boxXyxyPx[i] ?? 0) - value) < 0.5, `${found?.boxXyxyPx}`);
    }
  }
}

function expectPitch(finding: PictureFinding | undefined): void {
  assert.equal(finding?.keyPoints.length, 32);
  points.forEach(([x, y], i) => {
    const point = finding?.keyPoints[i];
    assert.ok(Math.abs((point?.xPx ?? 0) - x) < 0.5 && Math.abs((point?.yPx ?? 0) - y) < 0.5, JSON.stringify(point));
  });
  assert.ok(finding?.keyPoints.slice(points.length).every(({ score }) => score === 0));
}
