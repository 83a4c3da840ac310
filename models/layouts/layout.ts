import { TikitakaError } from '../../operators/index.js';
import type { PictureFinding } from '../contract.js';
import type { ModelDescription } from '../description.js';
import type { PictureFormat, SourceSize } from '../picture-space.js';

/** One output of the file, converted to float32, row-major. */
export interface OutputTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** By name, in the file's order. */
export type Outputs = ReadonlyMap<string, OutputTensor>;

/** What decoding needs to know beside the outputs; plain data, so that it can be sent to the child process. */
export interface DecodeSpec {
  readonly input: PictureFormat;
  readonly output: ModelDescription['output'];
  readonly thresholds: ModelDescription['thresholds'];
  readonly maxDetections: number;
}

/** A pure function from the outputs of one run over `sources.length` pictures to one finding per picture, in original pixels. */
export type Layout<L extends DecodeSpec['output']['layout']> = (
  outputs: Outputs,
  spec: DecodeSpec & { readonly output: Extract<DecodeSpec['output'], { layout: L }> },
  sources: readonly SourceSize[],
) => PictureFinding[];

/** The output called `name` (default: the first), checked against `expected` after the batch dimension; null = any. Errors: ERR_MODEL_SHAPE. */
export function outputOf(
  outputs: Outputs,
  name: string | undefined,
  expected: readonly (number | null)[],
): OutputTensor {
  const tensor = name === undefined ? outputs.values().next().value : outputs.get(name);
  const fits =
    tensor !== undefined &&
    tensor.dims.length === expected.length + 1 &&
    expected.every((dim, i) => dim === null || dim === tensor.dims[i + 1]);
  if (tensor && fits) return tensor;
  const expectedText = `${name ?? 'first output'} [N, ${expected.map((d) => d ?? '?').join(', ')}]`;
  const found = tensor
    ? `[${tensor.dims.join(', ')}]`
    : [...outputs].map(([other, { dims }]) => `${other} [${dims.join(', ')}]`).join(', ') || 'no outputs';
  throw new TikitakaError('ERR_MODEL_SHAPE', `the description expects ${expectedText}, the file gives ${found}`, {
    details: { expected: expectedText, found },
  });
}

/** The flat float32 block of picture `n` in a batched tensor, and the tensor's dimensions after the batch. */
export function pictureOf({ dims, data }: OutputTensor, n: number): Float32Array {
  const size = data.length / Math.max(1, dims[0] ?? 1);
  return data.subarray(n * size, (n + 1) * size);
}
