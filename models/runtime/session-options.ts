import type { Device, SessionSettings } from './protocol.js';

/** Devices that are faster in half precision. A processor computes it in single, at twice the memory traffic; CoreML chooses by itself. */
export const halfDevices: readonly Device[] = ['cuda', 'tensorrt', 'dml', 'webgpu'];

/** What ONNX Runtime is told of a session; its names (InferenceSession.SessionOptions). */
export function sessionOptions(settings: SessionSettings, device: Device) {
  const { threads, spinning, graphOptimization, memoryArena, gpuMemoryBytes } = settings;
  return {
    executionProviders: [
      device === 'cuda' && gpuMemoryBytes !== undefined ? { name: device, gpuMemLimit: gpuMemoryBytes } : device,
    ],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: graphOptimization,
    enableCpuMemArena: memoryArena,
    enableMemPattern: memoryArena,
    logSeverityLevel: 3 as const,
    extra: { session: { intra_op: { allow_spinning: spinning ? '1' : '0' } } },
  };
}

/** What a provider reads from the environment before its first session, since the binding hands it no options (microsoft/onnxruntime#18380). */
export function providerEnvironment({ fp16, engineCacheDir }: SessionSettings, device: Device): Record<string, string> {
  if (device !== 'tensorrt') return {};
  return {
    ORT_TENSORRT_FP16_ENABLE: fp16 ? '1' : '0',
    ORT_TENSORRT_ENGINE_CACHE_ENABLE: engineCacheDir === undefined ? '0' : '1',
    ORT_TENSORRT_CACHE_PATH: engineCacheDir ?? '',
  };
}

export interface Wishes extends Pick<SessionSettings, 'fp16' | 'gpuMemoryBytes'> {
  readonly device: Device;
}

/** What was asked for and this device cannot give, with the reason. */
export function unmetWishes({ device, fp16, gpuMemoryBytes }: Wishes): string[] {
  const notes: string[] = [];
  if (fp16 && device === 'cpu')
    notes.push('no half precision: a processor computes it in single precision, and slower');
  if (fp16 && device === 'coreml') notes.push('no half precision of ours: CoreML chooses the precision itself');
  if (gpuMemoryBytes !== undefined) {
    notes.push(
      device === 'cuda' || device === 'tensorrt'
        ? 'no limit of GPU memory: onnxruntime-node hands it to no provider (microsoft/onnxruntime#23176)'
        : `no limit of GPU memory: ${device} has none to set`,
    );
  }
  return notes;
}
