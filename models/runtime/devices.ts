import { existsSync } from 'node:fs';
import type { Device, PassedOver } from './protocol.js';

export type DeviceChoice = 'auto' | Device;

/**
 * What is tried, in this order; the first that loads and warms up is used, `cpu` always comes last.
 *
 * - `auto`: `cuda` on Linux x64, `dml` on Windows, `coreml` on macOS. TensorRT is taken by name only (it compiles an
 *   engine per batch size, minutes at the first start); so is WebGPU (it cannot be told from software rendering, which
 *   takes seconds a frame).
 * - by name: that provider, then `cuda` after `tensorrt`, then `cpu`.
 */
export function deviceOrder(choice: DeviceChoice, platform: NodeJS.Platform): readonly Device[] {
  switch (choice) {
    case 'auto':
      if (platform === 'linux') return ['cuda', 'cpu'];
      if (platform === 'win32') return ['dml', 'cpu'];
      return platform === 'darwin' ? ['coreml', 'cpu'] : ['cpu'];
    case 'tensorrt':
      return ['tensorrt', 'cuda', 'cpu'];
    case 'cpu':
      return ['cpu'];
    default:
      return [choice, 'cpu'];
  }
}

/** What runs where, and why not elsewhere. */
export interface DeviceReport {
  readonly model: string;
  readonly file: string;
  readonly device: Device;
  readonly threads: number;
  /** Whether it computes in half precision. */
  readonly half: boolean;
  readonly maxBatch: number;
  /** Predicted duration of one picture and of a full batch. */
  readonly oneMs: number;
  readonly fullMs: number;
  /** Providers tried before, with the reason why they are not used. */
  readonly passedOver: readonly PassedOver[];
  /** What was asked for and could not be had. */
  readonly notes: readonly string[];
  /** Whether it is slower than this machine seems to allow, or than was asked for. */
  readonly fellBack: boolean;
}

/** Whether `device` is not what was chosen: by name, or by `auto` on a machine that has more than its processor. */
export function fellBack(
  choice: DeviceChoice,
  device: Device,
  {
    platform = process.platform,
    exists = existsSync,
  }: { platform?: NodeJS.Platform; exists?: (path: string) => boolean } = {},
): boolean {
  if (choice !== 'auto') return device !== choice;
  const [best] = deviceOrder('auto', platform);
  return device !== best && (platform !== 'linux' || CARDS.some((path) => exists(path)));
}

/** An NVIDIA card as Linux shows it, and any card under WSL. Windows and macOS always have something to run on. */
const CARDS = ['/dev/nvidiactl', '/dev/dxg'];

/** One line for the log. */
export function reportLine(report: DeviceReport): string {
  const { model, device, threads, half, maxBatch, oneMs, fullMs, passedOver, notes } = report;
  const how = device === 'cpu' ? `, ${threads} thread${threads === 1 ? '' : 's'}` : half ? ' in half precision' : '';
  const why = passedOver.map(({ device: other, reason }) => `; ${other} not used: ${reason}`).join('');
  const extra = notes.map((note) => `; ${note}`).join('');
  return `${model} runs on ${device}${how}, ${oneMs.toFixed(1)} ms a picture, ${fullMs.toFixed(0)} ms a batch of ${maxBatch}${why}${extra}`;
}
