import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelDescription, type ModelPicture, parseDescription } from '../../models/index.js';
import { slowModel } from './onnx-builder.js';

/** A folder for built model files that is gone after the surrounding `describe`. */
export function modelFolder(): { write(name: string, bytes: Uint8Array | string): string } {
  const folder = mkdtempSync(join(tmpdir(), 'tikitaka-models-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return {
    write(name, bytes) {
      const file = join(folder, name);
      writeFileSync(file, bytes);
      return file;
    },
  };
}

/** Any description, from its parts. */
export function describeModel(input: object, output: object, thresholds: object = {}): ModelDescription {
  return parseDescription({ version: 1, name: 'spec', input, output, thresholds }, 'spec');
}

export const side = 16;
const input = { width: side, height: side, layout: 'nhwc', dtype: 'uint8' } as const;

/** The file of `slowModel`, one YOLO row. Black pictures are answered at once; white ones take 5 TFLOP, longer on any processor than a spec looks on. */
export const slowFile = (rounds = 300) => slowModel(input, rounds);
export const slowDescription = describeModel(
  { ...input, fit: 'stretch' },
  { layout: 'yolo-detect', classes: { 0: 'ball' } },
  // One cell of the table is the top of a product of zero matrices: nothing is ever found.
  { ball: 0.9 },
);

/** A picture of one brightness, of the slow model's size. */
export function flat(
  brightness: number,
  size: { width: number; height: number } = { width: side, height: side },
): ModelPicture {
  return {
    pixels: new Uint8Array(size.width * size.height * 3).fill(brightness),
    sourceWidth: size.width,
    sourceHeight: size.height,
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
