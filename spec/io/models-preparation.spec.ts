import assert from 'node:assert/strict';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { fitInput, prependPreparation } from '../../models/onnx/fit-input.js';
import { readGraph } from '../../models/onnx/graph.js';
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

async function echo(model: Uint8Array, pixels: Uint8Array, n: number): Promise<Float32Array> {
  const session = await InferenceSession.create(model, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  const [name = ''] = session.inputNames;
  const { echo: out } = await session.run({ [name]: new Tensor('uint8', pixels, [n, size.height, size.width, 3]) });
  const values = floatsOf(out?.data ?? [], out?.type ?? '');
  await session.release();
  return values;
}

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
  for (const { why, tolerance, ...spec } of table) {
    it(why, async () => {
      const full: InputSpec = { ...spec, ...size, name: undefined, sizesName: undefined };
      const model = echoModel({ ...spec, ...size });
      const edited = prependPreparation(model, fitInput(readGraph(model, 'spec'), full, 'spec'), full);
      assert.ok(edited);
      const pixels = picture(2);
      const received = await echo(edited, pixels, 2);
      const expected = prepared(pixels, 2, spec);
      assert.equal(received.length, expected.length);
      for (const [i, value] of expected.entries()) {
        assert.ok(Math.abs((received[i] ?? Number.NaN) - value) <= tolerance, `${i}: ${received[i]} for ${value}`);
      }
    });
  }

  it('leaves a file alone that takes uint8 NHWC RGB', () => {
    const spec: InputSpec = {
      ...size,
      layout: 'nhwc',
      dtype: 'uint8',
      colours: 'rgb',
      normalise: identity,
      name: undefined,
      sizesName: undefined,
    };
    const model = echoModel({ ...spec, ...size });
    assert.equal(prependPreparation(model, fitInput(readGraph(model, 'spec'), spec, 'spec'), spec), undefined);
  });
});
