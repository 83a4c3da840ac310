import type { SampleIndex } from './sample-index.js';

/**
 * Says whether no other frame refers to a coded one, from the headers of its NAL units, for codecs that tell
 * (H.264 §7.4.1 nal_ref_idc; HEVC §7.4.2.2 sub-layer non-reference pictures of the highest sub-layer). False = unknown.
 * Dropping such samples before the decoder is exact: what is left decodes as before. libav's `skip_frame=bidir` is not:
 * it also drops B-frames that P-frames refer to (x264's `b-pyramid`).
 */
export function disposabilityReader({
  codec,
  extradata,
}: Pick<SampleIndex, 'codec' | 'extradata'>): (sample: Uint8Array) => boolean {
  if (codec === 'h264') {
    const lengthSize = ((extradata[4] ?? 3) & 3) + 1;
    return (sample) => {
      const header = findNal(sample, lengthSize, (first) => (first & 31) >= 1 && (first & 31) <= 5);
      return header !== undefined && ((header[0] ?? 255) & 0x60) === 0;
    };
  }
  if (codec === 'hevc') {
    const lengthSize = ((extradata[21] ?? 3) & 3) + 1;
    const highestSubLayer = (((extradata[21] ?? 0) >> 3) & 7) - 1;
    return (sample) => {
      const header = findNal(sample, lengthSize, (first) => ((first >> 1) & 63) < 32);
      if (!header || highestSubLayer < 0) return false;
      const type = ((header[0] ?? 0) >> 1) & 63;
      const subLayer = ((header[1] ?? 0) & 7) - 1;
      return type <= 14 && type % 2 === 0 && subLayer >= highestSubLayer;
    };
  }
  return () => false;
}

/** Units before the first slice: parameter sets, delimiters, messages. Chosen: a few are usual, millions would fit. */
const MAX_UNITS = 64;

/** The first NAL unit whose first header byte passes; undefined where lengths and bytes disagree, or it comes late. */
function findNal(sample: Uint8Array, lengthSize: number, wanted: (first: number) => boolean): Uint8Array | undefined {
  for (let at = 0, units = 0; at + lengthSize < sample.length && units < MAX_UNITS; units++) {
    let length = 0;
    for (let i = 0; i < lengthSize; i++) length = length * 256 + (sample[at + i] ?? 0);
    at += lengthSize;
    if (length === 0 || at + length > sample.length) return undefined;
    if (wanted(sample[at] ?? 0)) return sample.subarray(at, at + length);
    at += length;
  }
  return undefined;
}
