import { TikitakaError } from '../../operators/index.js';
import { letterboxGrey, type PictureFormat, pictureRect, type SourceSize } from '../picture-space.js';
import type { InputSpec } from '../runtime/protocol.js';
import { type Attribute, dataTypes, type TensorValue } from './wire.js';

/** One node in front of a graph; its first operand is what came out of the step before. */
export interface Step {
  readonly op: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Further operands: constants, or names of inputs of the graph. */
  readonly operands?: readonly (TensorValue | PlacementInput)[];
}

/** Inputs of the graph that say where in its input the picture goes; their values depend on the shape of the clip. */
export type PlacementInput = 'sizes' | 'pads';
export const placementDims: Readonly<Record<PlacementInput, number>> = { sizes: 4, pads: 8 };

/** First operator set in which Resize takes sizes and Pad takes a tensor. */
const leastOpset = 11;

/** How the pictures that arrive become the file's own: as they are, scaled as a whole, or scaled into their place between grey bars. */
export function fitting({ picture, ...own }: Pick<InputSpec, 'width' | 'height' | 'fit' | 'picture'>) {
  const sameSize = picture.width === own.width && picture.height === own.height;
  if (picture.fit === own.fit && sameSize) return 'as-is';
  const sameShape = picture.width * own.height === picture.height * own.width;
  if (picture.fit === own.fit && (own.fit === 'stretch' || sameShape)) return 'scaled';
  return picture.fit === 'stretch' ? 'placed' : 'impossible';
}

/** What the placement inputs must hold for `rows` pictures of one source size; int64. */
export function placement(own: PictureFormat, source: SourceSize, rows: number): Record<PlacementInput, BigInt64Array> {
  const { x, y, width, height } = pictureRect(own, source);
  const right = own.width - x - width;
  const below = own.height - y - height;
  return {
    sizes: BigInt64Array.from([rows, 3, height, width], BigInt),
    pads: BigInt64Array.from([0, 0, y, x, 0, 0, below, right], BigInt),
  };
}

/**
 * What turns uint8 [N, H, W, 3] RGB 0..255 into what the file takes: channel order, size, transposition, cast,
 * `(v / divisor - mean) / std`. Errors: ERR_MODEL_SHAPE where the file's operator set cannot resize, thrown at call.
 */
export function preparation(spec: InputSpec, opset: number): Step[] {
  const { layout, dtype, colours } = spec;
  const steps: Step[] = [];
  if (colours === 'bgr') {
    steps.push({ op: 'Gather', attributes: { axis: 3 }, operands: [int64([2, 1, 0])] });
  }
  const resized = fitting(spec) !== 'as-is';
  // As bytes: a quarter of the memory that floats take.
  if (layout === 'nchw' || resized) steps.push({ op: 'Transpose', attributes: { perm: [0, 3, 1, 2] } });
  if (resized) {
    if (opset < leastOpset) {
      throw new TikitakaError(
        'ERR_MODEL_SHAPE',
        `pictures cannot be resized for a file of operator set ${opset}: export it with ${leastOpset} or later, or give all models one input size`,
        { details: { opset, leastOpset } },
      );
    }
    steps.push({ op: 'Cast', attributes: { to: dataTypes.float32 } }, ...resizing(spec));
    if (layout === 'nhwc') steps.push({ op: 'Transpose', attributes: { perm: [0, 2, 3, 1] } });
    if (dtype === 'uint8') return [...steps, { op: 'Round' }, { op: 'Cast', attributes: { to: dataTypes.uint8 } }];
  }
  if (dtype === 'uint8') return steps;
  if (!resized) steps.push({ op: 'Cast', attributes: { to: dataTypes.float32 } });
  steps.push(...normalisation(spec));
  if (dtype === 'float16') steps.push({ op: 'Cast', attributes: { to: dataTypes.float16 } });
  return steps;
}

/** Bilinear, float [N, 3, H, W]. Halved as often as that stays above the goal: each tap then is a mean of four, and no pixel is skipped. */
function resizing(spec: InputSpec): Step[] {
  const steps: Step[] = [];
  let { width, height } = spec.picture;
  while (width >= 2 * spec.width && height >= 2 * spec.height && width % 2 === 0 && height % 2 === 0) {
    steps.push(resize(float32([1, 1, 0.5, 0.5])));
    width /= 2;
    height /= 2;
  }
  if (fitting(spec) === 'scaled') {
    if (width === spec.width && height === spec.height) return steps;
    return [...steps, resize(float32([1, 1, scaleTo(spec.height, height), scaleTo(spec.width, width)]))];
  }
  steps.push(resize('sizes'));
  steps.push({ op: 'Pad', operands: ['pads', { dtype: 'float32', dims: [], values: [letterboxGrey] }] });
  // What runs behind may count on the size that it was exported with.
  return [...steps, { op: 'Reshape', operands: [int64([0, 3, spec.height, spec.width])] }];
}

/** By factors (float32 [4]) or to `sizes`; the operands between are the region, which only other modes read, and the factors. */
function resize(to: TensorValue | 'sizes'): Step {
  const none = float32([]);
  return { op: 'Resize', attributes: { mode: 'linear' }, operands: to === 'sizes' ? [none, none, to] : [none, to] };
}

/** The float32 nearest to `to / from` with which the runtime, which rounds the product down, reaches `to`. */
export function scaleTo(to: number, from: number): number {
  const scale = Float32Array.of(to / from);
  const bits = new Uint32Array(scale.buffer);
  while (Math.floor(Math.fround((scale[0] ?? 0) * from)) < to) bits[0] = (bits[0] ?? 0) + 1;
  return scale[0] ?? 0;
}

function normalisation({ layout, normalise: { divisor, mean, std } }: InputSpec): Step[] {
  const channels = layout === 'nchw' ? [1, 3, 1, 1] : [1, 1, 1, 3];
  const factors = std.map((value) => 1 / (divisor * value));
  const shifts = mean.map((value, i) => -value / (std[i] ?? 1));
  const perChannel = (values: readonly number[]): TensorValue => ({ dtype: 'float32', dims: channels, values });
  return [
    ...(factors.some((value) => value !== 1) ? [{ op: 'Mul', operands: [perChannel(factors)] }] : []),
    ...(shifts.some((value) => value !== 0) ? [{ op: 'Add', operands: [perChannel(shifts)] }] : []),
  ];
}

const int64 = (values: readonly number[]): TensorValue => ({ dtype: 'int64', dims: [values.length], values });
const float32 = (values: readonly number[]): TensorValue => ({ dtype: 'float32', dims: [values.length], values });
