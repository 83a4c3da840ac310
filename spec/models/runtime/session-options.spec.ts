import assert from 'node:assert/strict';
import type { Device, SessionSettings } from '../../../models/runtime/protocol.js';
import { providerEnvironment, sessionOptions, unmetWishes } from '../../../models/runtime/session-options.js';

const usual: SessionSettings = {
  threads: 2,
  spinning: false,
  graphOptimization: 'all',
  memoryArena: true,
  gpuMemoryBytes: undefined,
  fp16: false,
  engineCacheDir: undefined,
};

describe('what a session is told', () => {
  const table: [why: string, settings: Partial<SessionSettings>, device: Device, expected: object][] = [
    ['threads', { threads: 3 }, 'cpu', { intraOpNumThreads: 3 }],
    ['how far the graph may be rewritten', { graphOptimization: 'basic' }, 'cpu', { graphOptimizationLevel: 'basic' }],
    ['to keep no memory', { memoryArena: false }, 'cpu', { enableCpuMemArena: false, enableMemPattern: false }],
    ['to spin', { spinning: true }, 'cpu', { extra: { session: { intra_op: { allow_spinning: '1' } } } }],
    ['the device alone where nothing more is said', {}, 'cuda', { executionProviders: ['cuda'] }],
    [
      'what it may take of the GPU',
      { gpuMemoryBytes: 1e9 },
      'cuda',
      { executionProviders: [{ name: 'cuda', gpuMemLimit: 1e9 }] },
    ],
    ['nothing of the GPU where it has none', { gpuMemoryBytes: 1e9 }, 'cpu', { executionProviders: ['cpu'] }],
  ];
  for (const [why, settings, device, expected] of table) {
    it(why, () => {
      const [told, without] = [settings, {}].map((more) => sessionOptions({ ...usual, ...more }, device));
      assert.deepEqual(told, { ...without, ...expected });
    });
  }

  it('TensorRT: by its variables, other devices none', () => {
    const settings = { ...usual, fp16: true, engineCacheDir: '/cache' };
    assert.deepEqual(providerEnvironment(settings, 'cuda'), {});
    assert.deepEqual(providerEnvironment(settings, 'tensorrt'), {
      ORT_TENSORRT_FP16_ENABLE: '1',
      ORT_TENSORRT_ENGINE_CACHE_ENABLE: '1',
      ORT_TENSORRT_CACHE_PATH: '/cache',
    });
    assert.equal(providerEnvironment(usual, 'tensorrt').ORT_TENSORRT_ENGINE_CACHE_ENABLE, '0');
  });
});

describe('what was asked for and cannot be had', () => {
  const table: [device: Device, wishes: Partial<SessionSettings>, told: readonly RegExp[]][] = [
    ['cpu', {}, []],
    ['cuda', { fp16: true }, []],
    ['cpu', { fp16: true }, [/no half precision/]],
    ['coreml', { fp16: true }, [/CoreML chooses/]],
    ['cpu', { gpuMemoryBytes: 1 }, [/cpu has none/]],
    ['cuda', { gpuMemoryBytes: 1 }, [/no limit of GPU memory: onnxruntime-node/]],
    ['cpu', { gpuMemoryBytes: 1, fp16: true }, [/half/, /GPU/]],
  ];
  for (const [device, wishes, told] of table) {
    it(`${device}, ${JSON.stringify(wishes)}: ${told.length === 0 ? 'nothing' : told.join(' and ')}`, () => {
      const notes = unmetWishes({ ...usual, ...wishes, device });
      assert.equal(notes.length, told.length);
      for (const [i, expected] of told.entries()) assert.match(notes[i] ?? '', expected);
    });
  }
});
