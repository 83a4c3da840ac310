import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lastValueFrom } from 'rxjs';
import { type ModelRunnerOptions, openModelRunner } from '../../models/index.js';
import { describeModel, modelFolder } from '../support/models.js';
import { buildModel, echoModel } from '../support/onnx-builder.js';

/** The software Vulkan of Debian's `chromium`: ONNX Runtime's WebGPU provider runs on it, slowly. It needs `libvulkan1` besides. */
const driver = process.env.VK_ICD_FILENAMES ?? '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Whether the provider itself, without any of our code, runs a model here: a driver file alone says little. */
function isProviderAlive(model: string): boolean {
  if (!existsSync(driver)) return false;
  const script = `
    const { InferenceSession, Tensor } = require('onnxruntime-node');
    const picture = new Tensor('float32', new Float32Array(12), [1, 3, 2, 2]);
    InferenceSession.create(process.argv[1], { executionProviders: ['webgpu'], logSeverityLevel: 4 })
      .then((session) => session.run({ images: picture }))
      .then(() => process.exit(0), () => process.exit(1));`;
  const env = { ...process.env, VK_ICD_FILENAMES: driver, ORT_DISABLE_TELEMETRY: '1' };
  try {
    execFileSync(process.execPath, ['-e', script, model], { env, stdio: 'ignore', timeout: 60_000 });
    return true;
  } catch {
    return false;
  }
}

describe('model runner on WebGPU', () => {
  const folder = modelFolder();
  const size = { width: 16, height: 8 };
  /** Every pixel is an anchor: its red, green and blue, through a 3 × 3 mean and a sigmoid, become box and score. */
  const file = folder.write(
    'webgpu.onnx',
    buildModel({
      inputs: [{ name: 'images', dtype: 'float32', dims: ['N', 3, size.height, size.width] }],
      outputs: [{ name: 'output0', dtype: 'float32', dims: ['N', 6, size.width * size.height] }],
      nodes: [
        {
          op: 'AveragePool',
          inputs: ['images'],
          outputs: ['mean'],
          attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] },
        },
        { op: 'Concat', inputs: ['images', 'mean'], outputs: ['six'], attributes: { axis: 1 } },
        { op: 'Sigmoid', inputs: ['six'], outputs: ['score'] },
        {
          op: 'Constant',
          inputs: [],
          outputs: ['shape'],
          attributes: { value: { dtype: 'int64', dims: [3], values: [0, 6, -1] } },
        },
        { op: 'Reshape', inputs: ['score', 'shape'], outputs: ['output0'] },
      ],
    }),
  );
  const description = describeModel(
    { ...size, layout: 'nchw', dtype: 'float32', normalise: { divisor: 255, mean: [0.5, 0.5, 0.5] }, fit: 'stretch' },
    { layout: 'yolo-detect', boxes: 'xyxy', normalised: true, classes: { 0: 'ball', 1: 'player' } },
    { person: 0.5, ball: 0.5 },
  );
  const picture = {
    pixels: Uint8Array.from({ length: size.width * size.height * 3 }, (_, i) => (i * 73) % 256),
    sourceWidth: 1600,
    sourceHeight: 800,
  };

  async function findingOn(device: 'webgpu' | 'cpu', more: Partial<ModelRunnerOptions> = {}) {
    const runner = await openModelRunner({ file, description, device, batchSize: 2, spare: false, ...more });
    try {
      const [finding] = await lastValueFrom(runner.run([picture, picture], () => undefined));
      return { detections: finding?.detections ?? [], report: runner.report };
    } finally {
      await runner.close();
    }
  }

  describe(`through a driver and its loader (${driver})`, () => {
    const usual = process.env.VK_ICD_FILENAMES;
    before(function () {
      const echo = folder.write('echo.onnx', echoModel({ width: 2, height: 2, layout: 'nchw', dtype: 'float32' }));
      if (!isProviderAlive(echo)) return this.skip();
      process.env.VK_ICD_FILENAMES = driver;
    });
    after(() => {
      if (usual === undefined) delete process.env.VK_ICD_FILENAMES;
      else process.env.VK_ICD_FILENAMES = usual;
    });

    for (const { precision, fp16, scoreError, boxErrorPx } of [
      { precision: 'single', fp16: false, scoreError: 1e-4, boxErrorPx: 0.1 },
      // Ten bits of fraction: a share of 1600 px is known to about 1 px.
      { precision: 'half', fp16: true, scoreError: 2e-3, boxErrorPx: 2 },
    ]) {
      it(`gives the CPU's findings where ${precision} precision is asked for`, async () => {
        const gpu = await findingOn('webgpu', { fp16 });
        assert.equal(gpu.report.device, 'webgpu', gpu.report.passedOver[0]?.reason);
        // Software Vulkan has no half floats: then it is told, and the same device computes in single precision.
        const told = gpu.report.notes.filter((note) => /^no half precision: .*f16/.test(note));
        assert.deepEqual([gpu.report.half || told.length > 0, gpu.report.notes], [fp16, told]);
        const cpu = await findingOn('cpu');
        assert.ok(cpu.detections.length > 10);
        assert.equal(gpu.detections.length, cpu.detections.length);
        // Scores that are equal in half precision may change places.
        for (const { score, boxXyxyPx } of cpu.detections) {
          const isNear = gpu.detections.some(
            (found) =>
              Math.abs(found.score - score) < scoreError &&
              found.boxXyxyPx.every((side, k) => Math.abs(side - (boxXyxyPx[k] ?? -1)) < boxErrorPx),
          );
          assert.ok(isNear, `${score} at ${boxXyxyPx}`);
        }
      });
    }
  });

  it('falls back to the CPU where there is no adapter, and says why', async () => {
    const before = process.env.VK_ICD_FILENAMES;
    process.env.VK_ICD_FILENAMES = '/nowhere.json';
    try {
      const runner = await openModelRunner({ file, description, device: 'webgpu', batchSize: 1, spare: false });
      await runner.close();
      assert.equal(runner.device, 'cpu');
      assert.deepEqual(
        runner.report.passedOver.map(({ device }) => device),
        ['webgpu'],
      );
      assert.ok(runner.report.passedOver[0]?.reason);
    } finally {
      if (before === undefined) delete process.env.VK_ICD_FILENAMES;
      else process.env.VK_ICD_FILENAMES = before;
    }
  });
});
