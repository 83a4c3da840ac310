import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lastValueFrom } from 'rxjs';
import { openModelRunner, type PictureFinding } from '../../models/index.js';
import { describeModel, modelFolder } from '../support/models.js';
import { buildModel } from '../support/onnx-builder.js';

/** The software Vulkan of Debian's `chromium`: ONNX Runtime's WebGPU provider runs on it, slowly (LAB.md). */
const driver = process.env.VK_ICD_FILENAMES ?? '/usr/lib/chromium/vk_swiftshader_icd.json';

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

  async function findingOn(device: 'webgpu' | 'cpu'): Promise<{ finding: PictureFinding | undefined; ran: string }> {
    const runner = await openModelRunner({ file, description, device, batchSize: 2, spare: false });
    try {
      const [finding] = await lastValueFrom(runner.run([picture, picture], () => undefined));
      return { finding, ran: runner.device };
    } finally {
      await runner.close();
    }
  }

  it(`gives the CPU's findings (software Vulkan: ${driver})`, async function () {
    if (!existsSync(driver)) return this.skip();
    const before = process.env.VK_ICD_FILENAMES;
    process.env.VK_ICD_FILENAMES = driver;
    try {
      const gpu = await findingOn('webgpu');
      assert.equal(gpu.ran, 'webgpu');
      const cpu = await findingOn('cpu');
      assert.ok((cpu.finding?.detections.length ?? 0) > 10);
      assert.equal(gpu.finding?.detections.length, cpu.finding?.detections.length);
      cpu.finding?.detections.forEach((expected, i) => {
        const found = gpu.finding?.detections[i];
        assert.ok(Math.abs((found?.score ?? 0) - expected.score) < 1e-4);
        for (const k of [0, 1, 2, 3] as const)
          assert.ok(Math.abs((found?.boxXyxyPx[k] ?? -1) - expected.boxXyxyPx[k]) < 0.1);
      });
    } finally {
      if (before === undefined) delete process.env.VK_ICD_FILENAMES;
      else process.env.VK_ICD_FILENAMES = before;
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
