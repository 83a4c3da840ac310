import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { letterboxGrey, type PictureFormat, pictureRect, type SourceSize } from '../../models/index.js';
import { fitInput, type PreparedModel, prependPreparation } from '../../models/onnx/fit-input.js';
import { readGraph } from '../../models/onnx/graph.js';
import { placement, scaleTo } from '../../models/onnx/preparation.js';
import { floatsOf } from '../../models/runtime/floats.js';
import type { InputSpec } from '../../models/runtime/protocol.js';
import { echoModel } from '../support/onnx-builder.js';

/*
 * The nodes put in front of a model, against the same preparation written in JavaScript. The model echoes what it gets.
 */

const size = { width: 5, height: 3 };
const identity = { divisor: 1, mean: [0, 0, 0], std: [1, 1, 1] } as const;
const imagenet = { divisor: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const picture = (n: number) =>
  Uint8Array.from({ length: n * size.width * size.height * 3 }, (_, i) => (i * 97 + 13) % 256);

type Spec = Pick<InputSpec, 'layout' | 'dtype' | 'colours' | 'normalise'>;

/** [N, H, W, 3] bytes → what the file should receive, one value at a time. */
function prepared(pixels: Uint8Array, n: number, { layout, colours, normalise }: Spec): number[] {
  const { width, height } = size;
  const out: number[] = [];
  const put = (image: number, y: number, x: number, channel: number) => {
    const source = colours === 'bgr' ? 2 - channel : channel;
    const value = pixels[((image * height + y) * width + x) * 3 + source] ?? 0;
    out.push((value / normalise.divisor - (normalise.mean[channel] ?? 0)) / (normalise.std[channel] ?? 1));
  };
  for (let image = 0; image < n; image++) {
    if (layout === 'nchw') {
      for (let c = 0; c < 3; c++) for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) put(image, y, x, c);
    } else {
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) put(image, y, x, c);
    }
  }
  return out;
}

interface Echo {
  readonly prepared: PreparedModel;
  readonly spec: InputSpec;
  readonly pixels: Uint8Array;
  readonly rows: number;
  readonly source: SourceSize;
}

async function echo({ prepared: { model, pictureName, placementNames }, spec, pixels, rows, source }: Echo) {
  const session = await InferenceSession.create(model, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  const { width, height } = spec.picture;
  const feeds: Record<string, Tensor> = { [pictureName]: new Tensor('uint8', pixels, [rows, height, width, 3]) };
  if (placementNames) {
    const { sizes, pads } = placement(spec, source, rows);
    feeds[placementNames.sizes] = new Tensor('int64', sizes, [4]);
    feeds[placementNames.pads] = new Tensor('int64', pads, [8]);
  }
  const { echo: out } = await session.run(feeds);
  const values = floatsOf(out?.data ?? [], out?.type ?? '');
  await session.release();
  return { values, dims: out?.dims ?? [] };
}

const noSource = { sourceWidth: 1, sourceHeight: 1 };

function prepare(spec: InputSpec, opset?: number): PreparedModel | undefined {
  const model = echoModel(spec, opset);
  const graph = readGraph(model, 'spec');
  return prependPreparation(model, { input: fitInput(graph, spec, 'spec'), opset: graph.opsets[''] ?? 0 }, spec);
}

const asIs = { ...size, fit: 'stretch', picture: { ...size, fit: 'stretch' } } as const;

describe('preparation inside the graph', () => {
  const table: (Spec & { why: string; tolerance: number })[] = [
    {
      why: 'YOLO: float32 NCHW, divided by 255',
      layout: 'nchw',
      dtype: 'float32',
      colours: 'rgb',
      normalise: { ...identity, divisor: 255 },
      tolerance: 1e-6,
    },
    {
      why: 'ImageNet mean and deviation',
      layout: 'nchw',
      dtype: 'float32',
      colours: 'rgb',
      normalise: imagenet,
      tolerance: 1e-5,
    },
    {
      why: "the same in BGR: mean and deviation are in the file's order",
      layout: 'nchw',
      dtype: 'float32',
      colours: 'bgr',
      normalise: imagenet,
      tolerance: 1e-5,
    },
    { why: 'float32 NHWC', layout: 'nhwc', dtype: 'float32', colours: 'rgb', normalise: imagenet, tolerance: 1e-5 },
    {
      why: 'half precision',
      layout: 'nchw',
      dtype: 'float16',
      colours: 'rgb',
      normalise: { ...identity, divisor: 255 },
      tolerance: 1e-3,
    },
    { why: 'raw 0..255 floats', layout: 'nchw', dtype: 'float32', colours: 'rgb', normalise: identity, tolerance: 0 },
    { why: 'bytes, transposed', layout: 'nchw', dtype: 'uint8', colours: 'rgb', normalise: identity, tolerance: 0 },
    { why: 'bytes in BGR', layout: 'nhwc', dtype: 'uint8', colours: 'bgr', normalise: identity, tolerance: 0 },
  ];
  for (const { why, tolerance, ...own } of table) {
    it(why, async () => {
      const spec: InputSpec = { ...own, ...asIs, name: undefined, sizesName: undefined };
      const made = prepare(spec);
      assert.ok(made);
      const pixels = picture(2);
      const { values } = await echo({ prepared: made, spec, pixels, rows: 2, source: noSource });
      assertNear(values, prepared(pixels, 2, own), tolerance);
    });
  }

  it('leaves a file alone that takes uint8 NHWC RGB', () => {
    const own = { layout: 'nhwc', dtype: 'uint8', colours: 'rgb', normalise: identity } as const;
    assert.equal(prepare({ ...own, ...asIs, name: undefined, sizesName: undefined }), undefined);
  });
});

function assertNear(received: Float32Array, expected: readonly number[], tolerance: number): void {
  assert.equal(received.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs((received[i] ?? Number.NaN) - value) <= tolerance, `${i}: ${received[i]} for ${value}`);
  }
}

/** A picture whose colours are straight lines of the place in the whole, 0..1: whatever resizes it rightly gives the same again. */
const ramp = (u: number, v: number, channel: number) =>
  [20 + 180 * u, 220 - 160 * v, 100 + 60 * u - 40 * v][channel] ?? 0;

/** What lies in a format when it shows the ramp; `inside` are the places farther than a pixel from any edge of it. */
function ramped(format: PictureFormat, source: SourceSize) {
  const rect = pictureRect(format, source);
  const pixels = new Float64Array(format.width * format.height * 3).fill(letterboxGrey);
  const inside: number[] = [];
  const bars: number[] = [];
  for (let y = 0; y < format.height; y++) {
    for (let x = 0; x < format.width; x++) {
      const [u, v] = [(x + 0.5 - rect.x) / rect.width, (y + 0.5 - rect.y) / rect.height];
      const at = y * format.width + x;
      if (u < 0 || u > 1 || v < 0 || v > 1) {
        bars.push(at);
        continue;
      }
      for (let c = 0; c < 3; c++) pixels[at * 3 + c] = ramp(u, v, c);
      const [margin, below] = [1.5 / rect.width, 1.5 / rect.height];
      if (u > margin && u < 1 - margin && v > below && v < 1 - below) inside.push(at);
    }
  }
  return { pixels, inside, bars };
}

describe('pictures of another size than the file’s', () => {
  const wide = { sourceWidth: 1920, sourceHeight: 1080 };
  const narrow = { sourceWidth: 640, sourceHeight: 480 };
  const box = (width: number, height = width): PictureFormat => ({ width, height, fit: 'letterbox' });
  const whole = (width: number, height: number): PictureFormat => ({ width, height, fit: 'stretch' });
  const table: { why: string; from: PictureFormat; to: PictureFormat; source: SourceSize; opset?: number }[] = [
    { why: 'letterbox to a smaller one', from: box(64), to: box(56), source: wide },
    { why: 'letterbox to one a third as large, by halves', from: box(192), to: box(56), source: wide },
    { why: 'exactly half', from: box(64), to: box(32), source: wide },
    { why: 'stretched to a smaller one of another shape', from: whole(96, 56), to: whole(72, 40), source: narrow },
    { why: 'stretched to a higher one', from: whole(96, 56), to: whole(64, 64), source: wide },
    { why: 'stretched to letterbox of the same size', from: whole(64, 64), to: box(64), source: wide },
    { why: 'stretched to a smaller letterbox', from: whole(96, 64), to: box(48), source: wide },
    { why: 'stretched to letterbox, bars at the sides', from: whole(96, 64), to: box(48), source: narrow },
    { why: 'stretched to a letterbox of odd size', from: whole(97, 65), to: box(51, 47), source: wide },
    { why: 'an old operator set, scaled', from: box(64), to: box(56), source: wide, opset: 11 },
    { why: 'an old operator set, placed', from: whole(64, 64), to: box(56), source: wide, opset: 11 },
    { why: 'a new operator set, scaled', from: box(64), to: box(56), source: wide, opset: 19 },
    { why: 'a new operator set, placed', from: whole(64, 64), to: box(56), source: wide, opset: 19 },
  ];
  for (const { why, from, to, source, opset } of table) {
    for (const [layout, dtype] of [
      ['nchw', 'float32'],
      ['nhwc', 'uint8'],
    ] as const) {
      it(`${why} (${layout} ${dtype})`, async () => {
        const normalise = { ...identity, divisor: dtype === 'uint8' ? 1 : 2 };
        const own = { layout, dtype, colours: 'rgb', normalise } as const;
        const spec: InputSpec = { ...own, ...to, picture: from, name: undefined, sizesName: undefined };
        const made = prepare(spec, opset);
        assert.ok(made);
        const one = Uint8Array.from(ramped(from, source).pixels, Math.round);
        const pixels = Buffer.concat([one, one]);
        const { values, dims } = await echo({ prepared: made, spec, pixels, rows: 2, source });
        const { width, height } = to;
        assert.deepEqual(dims, layout === 'nchw' ? [2, 3, height, width] : [2, height, width, 3]);
        const { pixels: expected, inside, bars } = ramped(to, source);
        assert.ok(inside.length > 100);
        const valueAt = (at: number, c: number) => {
          const second = values.subarray(values.length / 2);
          return (second[layout === 'nchw' ? c * width * height + at : at * 3 + c] ?? 0) * normalise.divisor;
        };
        for (const at of inside)
          for (let c = 0; c < 3; c++) {
            const [value, ideal] = [valueAt(at, c), expected[at * 3 + c] ?? 0];
            assert.ok(Math.abs(value - ideal) < 4, `${at % width},${Math.floor(at / width)}: ${value} for ${ideal}`);
          }
        const grey = bars.filter(
          (at) => ![at - 1, at + 1, at - width, at + width].some((near) => inside.includes(near)),
        );
        for (const at of from.fit === 'letterbox' ? [] : grey)
          for (let c = 0; c < 3; c++) assert.equal(valueAt(at, c), letterboxGrey);
      });
    }
  }

  it('cannot be made for a file of an operator set without Resize: ERR_MODEL_SHAPE', () =>
    assert.throws(
      () =>
        prepare(
          {
            ...{ layout: 'nchw', dtype: 'float32', colours: 'rgb', normalise: identity },
            ...{ ...box(56), picture: box(64), name: undefined, sizesName: undefined },
          },
          9,
        ),
      { code: 'ERR_MODEL_SHAPE' },
    ));

  it('are scaled by factors that reach every size, whatever float32 makes of them', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4096 }), fc.integer({ min: 1, max: 4096 }), (to, from) => {
        const scale = scaleTo(to, from);
        assert.equal(Math.floor(Math.fround(scale * from)), to);
        assert.ok(Math.abs(scale - to / from) < 1e-6 * (to / from));
      }),
    ));
});
