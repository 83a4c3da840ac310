import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { lastValueFrom } from 'rxjs';
import { openModelSet } from '../../models/index.js';
import { type ConfigKey, loadConfig } from '../../src/app/config.js';
import { createLogger } from '../../src/app/log.js';
import { modelSetOptions } from '../../src/app/model-choice.js';
import { residentBytes } from '../../src/tools/resident-bytes.js';
import { describeModel, flat, modelFolder, side } from '../support/models.js';
import { buildModel } from '../support/onnx-builder.js';

/** One tensor of the model below, bytes. */
const TENSOR_BYTES = 128 << 20;

/*
 * A session shows which settings it runs with by what its process holds after a run: tensors of 128 MB each, of which an
 * optimiser removes one, and which the memory arena keeps.
 */
describe('settings of a session that is at work', function () {
  this.timeout(60_000);
  const input = { width: side, height: side, layout: 'nhwc', dtype: 'uint8' } as const;
  const file = modelFolder().write(
    'large.onnx',
    buildModel({
      inputs: [{ name: 'images', dtype: 'uint8', dims: ['N', side, side, 3] }],
      outputs: [{ name: 'output0', dtype: 'float32', dims: ['N', 5, 1] }],
      nodes: [
        { op: 'Cast', inputs: ['images'], outputs: ['as_float'], attributes: { to: 1 } },
        { op: 'ReduceMean', inputs: ['as_float'], outputs: ['mean'], attributes: { axes: [0, 1, 2, 3], keepdims: 0 } },
        {
          op: 'Constant',
          inputs: [],
          outputs: ['large_shape'],
          attributes: { value: { dtype: 'int64', dims: [3], values: [32, 1024, 1024] } },
        },
        { op: 'Expand', inputs: ['mean', 'large_shape'], outputs: ['large'] },
        // There and back again: nothing happens, but it costs a copy.
        { op: 'Transpose', inputs: ['large'], outputs: ['turned'], attributes: { perm: [2, 0, 1] } },
        { op: 'Transpose', inputs: ['turned'], outputs: ['back'], attributes: { perm: [1, 2, 0] } },
        { op: 'ReduceMax', inputs: ['back'], outputs: ['top'], attributes: { keepdims: 0 } },
        {
          op: 'Constant',
          inputs: [],
          outputs: ['row'],
          attributes: { value: { dtype: 'float32', dims: [1, 5, 1], values: [0, 0, 0, 0, 0] } },
        },
        { op: 'Mul', inputs: ['top', 'row'], outputs: ['output0'] },
      ],
    }),
  );
  const description = describeModel(
    { ...input, fit: 'stretch' },
    { layout: 'yolo-detect', classes: { 0: 'ball' } },
    { ball: 1 },
  );

  /** What the process holds once a run is over, as the configuration has it. */
  async function heldBytes(overrides: Partial<Record<ConfigKey, string>>): Promise<number> {
    const config = loadConfig({
      env: {},
      dotenvPaths: [],
      overrides: { LOG_LEVEL: 'silent', DEVICE: 'cpu', ...overrides },
    });
    const settings = modelSetOptions(config, createLogger(config));
    const set = await openModelSet({ ...settings, models: [{ file, description }], batchSize: 1, spare: false });
    try {
      await lastValueFrom(set.run([flat(9)], () => undefined));
      return residentBytes(set.pids()[0] ?? -1) ?? Number.NaN;
    } finally {
      await set.close();
    }
  }

  it('GPU_MEMORY_MB reaches no provider yet: where the binding learns to hand it on, the note at the start must go', () => {
    const { platform, arch } = process;
    const path = `onnxruntime-node/bin/napi-v6/${platform}/${arch}/onnxruntime_binding.node`;
    const binding = readFileSync(createRequire(import.meta.url).resolve(path));
    assert.ok(binding.includes('deviceId') && !/gpuMemLimit/i.test(binding.toString('latin1')));
  });

  it('ORT_MEMORY_ARENA and ORT_GRAPH_OPTIMIZATION', async function () {
    if (residentBytes(process.pid) === undefined) return this.skip();
    const usual = await heldBytes({});
    const given = await heldBytes({ ORT_MEMORY_ARENA: '0' });
    const literal = await heldBytes({ ORT_GRAPH_OPTIMIZATION: 'disabled' });
    const told = [given, usual, literal].map((bytes) => `${(bytes / TENSOR_BYTES).toFixed(1)} tensors`).join(', ');
    assert.ok(usual - given > TENSOR_BYTES, `without an arena a run's memory is given back: ${told}`);
    assert.ok(literal - usual > TENSOR_BYTES / 2, `without an optimiser every tensor is made: ${told}`);
  });
});
