import assert from 'node:assert/strict';
import { disposabilityReader } from '../../../src/container/nal.js';

const h264 = { codec: 'h264', extradata: Uint8Array.of(1, 100, 0, 31, 0xff) };
const hevc = (subLayers: number) => {
  const extradata = new Uint8Array(23);
  extradata[21] = (subLayers << 3) | 3;
  return { codec: 'hevc', extradata };
};
const nals = (...units: readonly (readonly number[])[]) =>
  Uint8Array.from(units.flatMap((unit) => [0, 0, 0, unit.length, ...unit]));

describe('disposabilityReader', () => {
  const table: readonly (readonly [
    why: string,
    clip: { codec: string; extradata: Uint8Array },
    sample: Uint8Array,
    disposable: boolean,
  ])[] = [
    ['a slice with nal_ref_idc 0', h264, nals([0x01, 9]), true],
    ['a slice with nal_ref_idc 2', h264, nals([0x41, 9]), false],
    ['an IDR slice', h264, nals([0x65, 9]), false],
    [
      'what comes before the slice (SEI, delimiter) has nal_ref_idc 0 and says nothing',
      h264,
      nals([0x06, 1], [0x09, 2], [0x41, 3]),
      false,
    ],
    ['… also before a slice that is disposable', h264, nals([0x06, 1], [0x01, 3]), true],
    ['no slice at all', h264, nals([0x06, 1]), false],
    ['a slice behind 63 other units', h264, nals(...new Array(63).fill([0x06, 1]), [0x01, 3]), true],
    ['a slice behind more of them than are looked at', h264, nals(...new Array(64).fill([0x06, 1]), [0x01, 3]), false],
    ['a length beyond the sample', h264, Uint8Array.of(0, 0, 1, 0, 1), false],
    ['a length of zero', h264, Uint8Array.of(0, 0, 0, 0, 1), false],
    [
      'two-byte lengths',
      { codec: 'h264', extradata: Uint8Array.of(1, 100, 0, 31, 0xfd) },
      Uint8Array.of(0, 2, 1, 9),
      true,
    ],
    ['an empty sample', h264, new Uint8Array(0), false],
    ['HEVC TRAIL_N in the only sub-layer', hevc(1), nals([0 << 1, 1, 9]), true],
    ['HEVC TRAIL_R', hevc(1), nals([1 << 1, 1, 9]), false],
    ['HEVC RASL_N', hevc(1), nals([8 << 1, 1, 9]), true],
    ['HEVC IDR', hevc(1), nals([19 << 1, 1, 9]), false],
    ['HEVC parameter sets before a TRAIL_N', hevc(1), nals([32 << 1, 1], [0 << 1, 1, 9]), true],
    ['HEVC TRAIL_N below the highest sub-layer, to which higher ones may refer', hevc(2), nals([0 << 1, 1, 9]), false],
    ['HEVC TSA_N in the highest sub-layer', hevc(2), nals([2 << 1, 2, 9]), true],
    ['HEVC with an unknown number of sub-layers', hevc(0), nals([0 << 1, 1, 9]), false],
    ['a codec that does not tell', { codec: 'vp9', extradata: new Uint8Array(0) }, nals([1, 9]), false],
  ];
  for (const [why, clip, sample, disposable] of table)
    it(`${disposable ? 'lets go of' : 'keeps'} ${why}`, () => {
      assert.equal(disposabilityReader(clip)(sample), disposable);
    });
});
