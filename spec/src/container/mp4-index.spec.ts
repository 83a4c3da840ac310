import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TikitakaError } from '../../../operators/index.js';
import { type Mp4Head, parseMp4Head, parseMp4Tail, type SampleIndex } from '../../../src/container/index.js';
import { box, buildMp4, type TrackTables, u32 } from '../../support/mp4-builder.js';

const indexOf = (tables: TrackTables): SampleIndex => {
  const head = parseMp4Head(buildMp4(tables));
  assert.equal(head.kind, 'index');
  return head.kind === 'index' ? head.index : assert.fail();
};

describe('parseMp4Head', () => {
  it('asks for exactly the bytes that complete the index, whatever it has been given', () => {
    const file = buildMp4();
    const { end } = indexOf({}).moov;
    const asked: number[] = [];
    let head: Mp4Head = { kind: 'need', untilBytes: 0, of: 'header' };
    while (head.kind === 'need') {
      asked.push(head.untilBytes);
      head = parseMp4Head(file.subarray(0, head.untilBytes));
      assert.ok(asked.length < 10);
    }
    assert.equal(head.kind, 'index');
    assert.equal(asked.at(-1), end);
    for (let have = 0; have < end; have++) {
      const shorter = parseMp4Head(file.subarray(0, have));
      assert.ok(shorter.kind === 'need' && shorter.untilBytes > have, `at ${have}`);
    }
  });

  it('points behind the media data where the index is not at the head, and reads it there', () => {
    const file = buildMp4({ moovAtEnd: true, sizes: [1000, 2000] });
    const head = parseMp4Head(file.subarray(0, 64));
    assert.deepEqual(head, { kind: 'elsewhere', offset: 24 + 8 + 3000 });
    const tail = parseMp4Tail(file.subarray(3032), 3032);
    assert.ok(tail.kind === 'index');
    assert.deepEqual([...tail.index.offset], [32, 1032]);
    assert.deepEqual(tail.index.moov, { start: 3032, end: file.length, atEnd: true });
    assert.deepEqual(parseMp4Tail(file.subarray(3032, 3036), 3032), { kind: 'need', untilBytes: 3048, of: 'header' });
  });

  const kinds: readonly (readonly [why: string, bytes: Uint8Array, kind: string])[] = [
    ['a page of HTML', Buffer.from('<!doctype html><html><head><title>x</title>'), 'not-mp4'],
    ['Matroska', Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 'not-mp4'],
    ['a moof before any moov', Buffer.concat([box('styp', u32(0)), box('moof', u32(0))]), 'fragmented'],
    ['a moov with mvex', Buffer.concat([box('ftyp', u32(0)), box('moov', box('mvex'))]), 'fragmented'],
    [
      'a large free box before the index',
      Buffer.concat([box('ftyp'), u32(1 << 24), Buffer.from('free'), u32(0, 0)]),
      'elsewhere',
    ],
  ];
  for (const [why, bytes, kind] of kinds)
    it(`calls ${why} ${kind}`, () => {
      assert.equal(parseMp4Head(bytes).kind, kind);
    });

  it('expands chunks, times, composition offsets and keyframes', () => {
    const index = indexOf({
      sizes: [5, 6, 7, 8, 9],
      stts: [
        [2, 2],
        [3, 1],
      ],
      ctts: [
        [1, 1],
        [1, 3],
        [3, 0],
      ],
      stsc: [
        [1, 2, 1],
        [2, 1, 1],
      ],
      chunks: [0, 100, 200, 300],
      stss: [1, 4],
    });
    const first = index.offset[0] ?? 0;
    assert.deepEqual(
      [...index.offset].map((offset) => offset - first),
      [0, 5, 100, 200, 300],
    );
    assert.deepEqual([...index.dtsUs], [0, 80000, 160000, 200000, 240000]);
    assert.deepEqual([...index.ptsUs], [40000, 200000, 160000, 200000, 240000]);
    assert.deepEqual([...index.frameNumber], [0, 2, 1, 3, 4]);
    assert.deepEqual([...index.framePtsUs], [0, 120000, 160000, 160000, 200000]);
    assert.deepEqual([...index.sync], [1, 0, 0, 1, 0]);
    assert.equal(index.durationUs, 240000);
    assert.deepEqual([index.codec, index.width, index.height, index.extradata.length], ['h264', 64, 48, 9]);
  });

  it('reads negative composition offsets in both versions', () => {
    for (const cttsVersion of [0, 1] as const)
      assert.deepEqual(
        [
          ...indexOf({
            sizes: [1, 1],
            ctts: [
              [1, 0],
              [1, -1],
            ],
            cttsVersion,
          }).ptsUs,
        ],
        [0, 0],
      );
  });

  it('reads compact sizes, uniform sizes and wide chunk offsets', () => {
    const stz2 = (bits: number, count: number, ...bytes: readonly number[]) => {
      const extra = [box('stz2', Buffer.concat([u32(0, bits, count), Buffer.from(bytes)]))];
      return [...indexOf({ sizes: new Array(count).fill(1), without: ['stsz'], extra }).sizeBytes];
    };
    assert.deepEqual(stz2(4, 3, 0x12, 0x30), [1, 2, 3]);
    assert.deepEqual(stz2(8, 3, 9, 8, 7), [9, 8, 7]);
    assert.deepEqual(stz2(16, 2, 1, 0, 2, 0), [256, 512]);
    assert.deepEqual([...indexOf({ replace: { stsz: u32(0, 33, 4) } }).sizeBytes], [33, 33, 33, 33]);
    assert.equal(indexOf({ wideChunks: true }).offset[0], (indexOf({}).offset[0] ?? 0) + 4);
  });

  it('takes every sample for a keyframe without stss, and the first where stss names none', () => {
    assert.deepEqual([...indexOf({ sizes: [1, 1] }).sync], [1, 1]);
    assert.deepEqual([...indexOf({ sizes: [1, 1], stss: [] }).sync], [1, 0]);
    assert.deepEqual([...indexOf({ sizes: [1, 1, 1], stss: [0, 2, 99] }).sync], [0, 1, 0]);
  });

  it('knows from sdtp which samples nothing depends on', () => {
    assert.deepEqual([...indexOf({ sdtp: [0x24, 0x14, 0x08, 0x18] }).disposable], [0, 0, 1, 1]);
    assert.deepEqual([...indexOf({ sdtp: [0x08] }).disposable], [1, 0, 0, 0]);
  });

  const edits: readonly (readonly [why: string, tables: TrackTables, frameNumber: readonly number[]])[] = [
    ['no edit list', {}, [0, 1, 2, 3]],
    ['the delay of B-frames is no frame', { ctts: [[4, 2]], edits: [[160, 2]] }, [0, 1, 2, 3]],
    ['a start inside the clip hides what lies before', { edits: [[80, 2]] }, [-1, -1, 0, 1]],
    ['an end inside the clip hides what lies behind', { edits: [[120, 0]] }, [0, 1, 2, -1]],
    [
      'an empty edit only delays',
      {
        edits: [
          [500, -1],
          [160, 0],
        ],
      },
      [0, 1, 2, 3],
    ],
    ['a duration of 0 goes to the end', { edits: [[0, 1]] }, [-1, 0, 1, 2]],
    [
      'two edits change the order',
      {
        edits: [
          [80, 2],
          [80, 0],
        ],
      },
      [2, 3, 0, 1],
    ],
    [
      'a repeated sample counts once',
      {
        edits: [
          [160, 0],
          [80, 1],
        ],
      },
      [0, 1, 2, 3],
    ],
    ['an edit list that shows nothing is damage', { edits: [[40, 100]] }, [0, 1, 2, 3]],
    ['64-bit entries', { edits: [[80, 2]], editVersion: 1 }, [-1, -1, 0, 1]],
    ['durations are rounded to nearest', { edits: [[139, 0]], movieTimescale: 1000 }, [0, 1, 2, -1]],
    ['… and up', { edits: [[141, 0]], movieTimescale: 1000 }, [0, 1, 2, 3]],
  ];
  for (const [why, tables, frameNumber] of edits)
    it(`counts frames as a player does: ${why}`, () => {
      const index = indexOf(tables);
      assert.deepEqual([...index.frameNumber], frameNumber);
      assert.equal(index.frameCount, frameNumber.filter((frame) => frame >= 0).length);
      assert.equal(index.framePtsUs.length, index.frameCount);
      assert.equal(index.framePtsUs[0], 0);
    });

  const hostile: readonly (readonly [why: string, tables: TrackTables, code: string])[] = [
    ['a timescale of zero', { timescale: 0 }, 'ERR_CONTAINER'],
    ['more sizes than bytes', { replace: { stsz: u32(0, 0, 1000) } }, 'ERR_CONTAINER'],
    ['2^31 samples of one size', { replace: { stsz: u32(0, 1, 0x7fffffff) } }, 'ERR_CONTAINER'],
    ['an impossible sample size', { replace: { stsz: u32(0, 0, 1, -1) } }, 'ERR_CONTAINER'],
    ['more chunks than bytes', { replace: { stco: u32(0, 0x7fffffff, 0) } }, 'ERR_CONTAINER'],
    [
      'chunk runs that go back',
      {
        stsc: [
          [2, 1, 1],
          [1, 1, 1],
        ],
      },
      'ERR_CONTAINER',
    ],
    ['a chunk run that starts at 0', { stsc: [[0, 4, 1]] }, 'ERR_CONTAINER'],
    ['a second sample description', { stsc: [[1, 4, 2]] }, 'ERR_CONTAINER'],
    ['more time runs than bytes', { replace: { stts: u32(0, 0x10000000) } }, 'ERR_CONTAINER'],
    ['no samples', { sizes: [] }, 'ERR_CONTAINER'],
    ['no sample sizes', { without: ['stsz'] }, 'ERR_CONTAINER'],
    ['no decode times', { without: ['stts'] }, 'ERR_CONTAINER'],
    ['no sample description', { without: ['stsd'] }, 'ERR_CONTAINER'],
    ['an encrypted track', { entry: 'encv' }, 'ERR_CONTAINER'],
    ['an unknown codec', { entry: 'xyz1' }, 'ERR_CONTAINER'],
    ['only sound', { handler: 'soun' }, 'ERR_NOT_VIDEO'],
    ['more edits than bytes', { edits: [[1, 1]], replace: { elst: u32(0, 0x7fffffff) } }, 'ERR_CONTAINER'],
  ];
  for (const [why, tables, code] of hostile)
    it(`refuses ${why} with ${code}`, () => {
      assert.throws(() => parseMp4Head(buildMp4(tables)), { code });
    });

  it('leaves out samples that no chunk places', () => {
    assert.equal(indexOf({ stsc: [[1, 3, 1]] }).sampleCount, 3);
    assert.equal(indexOf({ stts: [[1, 1]] }).ptsUs[3], 120000, 'a short stts goes on');
    assert.equal(indexOf({ stts: [[0x7fffffff, 1]] }).sampleCount, 4, 'a long one ends with the samples');
  });

  it('throws nothing but its own errors on damaged files, and always ends', () => {
    const files = [
      buildMp4({ ctts: [[4, 1]], stss: [1], edits: [[160, 1]], sdtp: [0, 0, 8, 8] }),
      buildMp4({ wideChunks: true, moovAtEnd: true, editVersion: 1, edits: [[160, 0]] }),
    ];
    const mutation = fc.record({
      file: fc.constantFrom(...files),
      edits: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
      cut: fc.nat(),
    });
    fc.assert(
      fc.property(mutation, ({ file, edits: changes, cut }) => {
        const bytes = Buffer.from(file.subarray(0, cut % 4 === 0 ? cut % file.length : file.length));
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        for (const parse of [
          parseMp4Head,
          (all: Uint8Array) => parseMp4Tail(all.subarray(Math.min(24, all.length)), 24),
        ])
          try {
            const head = parse(bytes);
            if (head.kind === 'need') assert.ok(head.untilBytes > 0);
            if (head.kind === 'index') assert.equal(head.index.offset.length, head.index.sampleCount);
          } catch (error) {
            assert.ok(error instanceof TikitakaError, String(error));
          }
      }),
      { numRuns: 2000 },
    );
  });
});
