/** Any numeric tensor data as float32; half floats arrive as their 16 bits in a Uint16Array. */
export function floatsOf(data: ArrayLike<unknown>, dtype: string): Float32Array {
  if (data instanceof Float32Array) return data;
  if (dtype === 'float16' && data instanceof Uint16Array) return Float32Array.from(data, halfToFloat);
  return Float32Array.from(data, Number);
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The nearest half, as its 16 bits. What is too large becomes the largest, what is too small the smallest: a weight is never infinite, a divisor never 0. */
export function floatToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65504) return sign | 0x7bff;
  if (size < 2 ** -14) return sign | (size === 0 ? 0 : Math.max(1, roundToEven(size * 2 ** 24)));
  single[0] = size;
  const bits = singleBits[0] ?? 0;
  // 23 bits of fraction become 10; a carry runs into the exponent, as it should.
  return sign | (((bits - ((127 - 15) << 23)) >>> 13) + carry(bits));
}

/** 1 where the 13 bits that are cut off are more than half of the last one kept, or half and that is odd. */
function carry(bits: number): 0 | 1 {
  const cut = bits & 0x1fff;
  return cut > 0x1000 || (cut === 0x1000 && (bits & 0x2000) !== 0) ? 1 : 0;
}

function roundToEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}

/** IEEE 754 binary16. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
