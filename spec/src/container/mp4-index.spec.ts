import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TikitakaError } from '../../../operators/index.js';
import type { SampleIndex } from '../../../src/container/index.js';
import { type FindIndexOptions, findMp4Index, type Mp4Found } from '../../../src/container/mp4-index.js';
import { type ClipLimits, createSlices, defaultClipLimits } from '../../../src/limits/index.js';
import { box, buildMp4, freeBoxes, type TrackTables, u32 } from '../../support/mp4-builder.js';

interface Find {
  readonly limits?: ClipLimits;
  readonly sizeBytes?: number | undefined;
  readonly onPause?: (steps: number) => void;
  readonly onRead?: (start: number, end: number) => void;
}

/** Looks for the index in a file at hand. */
function find(file: Uint8Array, options: Find = {}): Promise<Mp4Found> {
  const { limits = defaultClipLimits, onPause, onRead } = options;
  const read: FindIndexOptions['read'] = async (start, end) => {
    onRead?.(start, end);
    return file.subarray(start, end);
  };
  const sizeBytes = 'sizeBytes' in options ? options.sizeBytes : file.length;
  // The clock stands still: what is counted hangs on the file alone.
  return findMp4Index({
    limits,
    slices: createSlices({ now: () => 0, ...(onPause ? { onPause } : {}) }),
    sizeBytes,
    read,
  });
}

const indexOf = async (tables: TrackTables): Promise<SampleIndex> => {
  const found = await find(buildMp4(tables));
  return found.kind === 'index' ? found.index : assert.fail();
};

describe('findMp4Index', () => {
  const media = new Array(20).fill(100_000);
  for (const [where, tables, headers] of [
    ['behind the file type', { sizes: media }, 2],
    ['behind other boxes', { sizes: media, before: [box('free', Buffer.alloc(5000)), box('uuid')] }, 4],
    ['behind the media data', { sizes: media, moovAtEnd: true }, 3],
  ] as const)
    it(`reads the headers of the boxes before the index and the index itself, once each: ${where}`, async () => {
      const reads: [number, number][] = [];
      const file = buildMp4(tables);
      const found = await find(file, { onRead: (start, end) => reads.push([start, end]) });
      assert.ok(found.kind === 'index');
      const { start, end, atEnd } = found.index.moov;
      assert.deepEqual(reads.pop(), [start, end]);
      assert.deepEqual(reads.pop(), [start, start + 16]);
      assert.equal(reads.length, headers - 1);
      assert.ok(reads.every(([from, to]) => to - from === 16));
      assert.equal(atEnd, 'moovAtEnd' in tables);
    });

  it('reads an index whose size reaches to the end of the file', async () => {
    const file = buildMp4({ moovAtEnd: true });
    file.writeUInt32BE(0, file.indexOf('moov') - 4);
    assert.equal((await find(file)).kind, 'index');
    await assert.rejects(find(file, { sizeBytes: undefined }), { code: 'ERR_LIMIT' });
  });

  const kinds: readonly (readonly [why: string, bytes: Uint8Array, kind: string])[] = [
    ['a page of HTML', Buffer.from('<!doctype html><html><head><title>x</title>'), 'not-mp4'],
    ['Matroska', Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 'not-mp4'],
    ['a moof before any moov', Buffer.concat([box('styp', u32(0)), box('moof', u32(0))]), 'fragmented'],
    ['a moov with mvex', Buffer.concat([box('ftyp', u32(0)), box('moov', box('mvex'))]), 'fragmented'],
  ];
  for (const [why, bytes, kind] of kinds)
    it(`calls ${why} ${kind}`, async () => {
      assert.equal((await find(bytes)).kind, kind);
    });

  it('expands chunks, times, composition offsets and keyframes', async () => {
    const index = await indexOf({
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
      media: Buffer.alloc(400),
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

  it('reads negative composition offsets in both versions', async () => {
    const ctts = [
      [1, 0],
      [1, -1],
    ] as const;
    for (const cttsVersion of [0, 1] as const)
      assert.deepEqual([...(await indexOf({ sizes: [1, 1], ctts, cttsVersion })).ptsUs], [0, 0]);
  });

  it('reads compact sizes, uniform sizes and wide chunk offsets', async () => {
    const stz2 = async (bits: number, count: number, ...bytes: readonly number[]) => {
      const extra = [box('stz2', Buffer.concat([u32(0, bits, count), Buffer.from(bytes)]))];
      const { sizeBytes } = await indexOf({ sizes: new Array(count).fill(999), without: ['stsz'], extra });
      return [...sizeBytes];
    };
    assert.deepEqual(await stz2(4, 3, 0x12, 0x30), [1, 2, 3]);
    assert.deepEqual(await stz2(8, 3, 9, 8, 7), [9, 8, 7]);
    assert.deepEqual(await stz2(16, 2, 1, 0, 2, 0), [256, 512]);
    assert.deepEqual([...(await indexOf({ uniform: { count: 4, sizeBytes: 33 } })).sizeBytes], [33, 33, 33, 33]);
    assert.equal((await indexOf({ wideChunks: true })).offset[0], ((await indexOf({})).offset[0] ?? 0) + 4);
  });

  const syncs: readonly (readonly [why: string, tables: TrackTables, sync: readonly number[]])[] = [
    ['every sample without stss', { sizes: [1, 1] }, [1, 1]],
    ['the first where stss names none', { sizes: [1, 1], stss: [] }, [1, 0]],
    ['what stss names and there is', { sizes: [1, 1, 1], stss: [0, 2, 99] }, [0, 1, 0]],
  ];
  for (const [why, tables, sync] of syncs)
    it(`takes for a keyframe ${why}`, async () => {
      assert.deepEqual([...(await indexOf(tables)).sync], sync);
    });

  it('knows from sdtp which samples nothing depends on', async () => {
    assert.deepEqual([...(await indexOf({ sdtp: [0x24, 0x14, 0x08, 0x18] })).disposable], [0, 0, 1, 1]);
    assert.deepEqual([...(await indexOf({ sdtp: [0x08] })).disposable], [1, 0, 0, 0]);
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
      '… and another edit may follow it',
      {
        edits: [
          [0, 2],
          [160, 0],
        ],
      },
      [2, 3, 0, 1],
    ],
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
    it(`counts frames as a player does: ${why}`, async () => {
      const index = await indexOf(tables);
      assert.deepEqual([...index.frameNumber], frameNumber);
      assert.equal(index.frameCount, frameNumber.filter((frame) => frame >= 0).length);
      assert.equal(index.framePtsUs.length, index.frameCount);
      assert.deepEqual(
        [...index.framePtsUs],
        Array.from({ length: index.frameCount }, (_, n) => n * 40_000),
      );
    });

  it('counts them as the plain way does, which looks at every sample for every edit', async () => {
    const tick = fc.integer({ min: 0, max: 40 });
    const clip = fc.record({
      shifts: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 30 }),
      edits: fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), tick), { minLength: 1, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(clip, async ({ shifts, edits }) => {
        const pts = shifts.map((shift, sample) => sample + shift);
        const byTime = [...pts.keys()].sort((a, b) => (pts[a] ?? 0) - (pts[b] ?? 0) || a - b);
        const order: number[] = [];
        for (const [duration, start] of edits)
          for (const sample of byTime) {
            const time = pts[sample] ?? 0;
            if (time >= start && time < start + duration && !order.includes(sample)) order.push(sample);
          }
        const { frameNumber } = await indexOf({
          sizes: shifts.map(() => 1),
          ctts: shifts.map((shift) => [1, shift] as const),
          edits,
          movieTimescale: 25,
        });
        const frames = order.length > 0 ? order : byTime;
        assert.deepEqual(
          [...frameNumber],
          [...pts.keys()].map((sample) => frames.indexOf(sample)),
        );
      }),
    );
  });

  const hostile: readonly (readonly [why: string, tables: TrackTables, code: string])[] = [
    ['a timescale of zero', { timescale: 0 }, 'ERR_CONTAINER'],
    ['more sizes than bytes', { replace: { stsz: u32(0, 0, 1000) } }, 'ERR_CONTAINER'],
    [
      'samples that lie over one another',
      { chunks: new Array(99).fill(0), stsc: [[1, 4, 1]], sizes: new Array(396).fill(30), media: Buffer.alloc(120) },
      'ERR_CONTAINER',
    ],
    [
      'samples of which most lie behind the end',
      { sizes: new Array(200).fill(90), media: Buffer.alloc(900) },
      'ERR_SOURCE_TRUNCATED',
    ],
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
    it(`refuses ${why} with ${code}`, async () => {
      await assert.rejects(find(buildMp4(tables)), { code });
    });

  it('leaves out samples that no chunk places', async () => {
    assert.equal((await indexOf({ stsc: [[1, 3, 1]] })).sampleCount, 3);
    assert.equal((await indexOf({ stts: [[1, 1]] })).ptsUs[3], 120000, 'a short stts goes on');
    assert.equal((await indexOf({ stts: [[0x7fffffff, 1]] })).sampleCount, 4, 'a long one ends with the samples');
  });

  it('keeps the frames of a file that lacks its last samples', async () => {
    const { frameCount } = await indexOf({ sizes: [10, 10, 10, 10], media: Buffer.alloc(20) });
    assert.equal(frameCount, 4);
  });

  const shortened: Readonly<Record<string, TrackTables>> = {
    mvhd: { mvhdLast: true, moovAtEnd: true },
    mdhd: {},
    tkhd: {},
    stsd: {},
    stts: {},
    stsc: {},
    stsz: {},
    stco: {},
    elst: { edits: [[160, 0]] },
    ctts: { ctts: [[4, 0]] },
    stss: { stss: [1] },
  };
  for (const [name, tables] of Object.entries(shortened))
    for (const bytes of [0, 1, 7])
      it(`calls a ${name} with a body of ${bytes} bytes ERR_CONTAINER`, async () => {
        const file = buildMp4({ ...tables, replace: { [name]: Buffer.alloc(bytes) } });
        await assert.rejects(find(file), { code: 'ERR_CONTAINER' });
      });

  /** What looking for the index costs, in the steps that it takes note of itself. */
  async function stepsOf(file: Uint8Array, limits: ClipLimits): Promise<number> {
    let steps = 0;
    const onPause = (more: number) => {
      steps += more;
    };
    try {
      const found = await find(file, { limits, onPause });
      if (found.kind === 'index') assert.equal(found.index.offset.length, found.index.sampleCount);
    } catch (error) {
      assert.ok(error instanceof TikitakaError, String(error));
    }
    return steps;
  }
  const anyLimits = { ...defaultClipLimits, maxFrames: 1e9, maxSeconds: 1e12, maxIndexBoxes: 1e9, maxEdits: 1e9 };

  const ones = (count: number) => new Array<number>(count).fill(1);
  const growing: readonly (readonly [what: string, file: (n: number) => Uint8Array])[] = [
    ['boxes before the index', (n) => buildMp4({ before: [freeBoxes(n)] })],
    ['boxes in the sample table', (n) => buildMp4({ extra: [freeBoxes(n)] })],
    ['samples', (n) => buildMp4({ uniform: { count: n, sizeBytes: 1 } })],
    ['samples in reverse', (n) => buildMp4({ sizes: ones(n), ctts: ones(n).map((_, i) => [1, -2 * i] as const) })],
    ['edits', (n) => buildMp4({ sizes: ones(4096), edits: ones(n).map((_, i) => [4, i] as const) })],
    ['edits that show nothing', (n) => buildMp4({ sizes: ones(4096), edits: ones(n).map(() => [1, 5000] as const) })],
    [
      'chunk runs',
      (n) => buildMp4({ sizes: ones(n), chunks: ones(n), stsc: ones(n).map((_, i) => [i + 1, 1, 1] as const) }),
    ],
    ['time runs of nothing', (n) => buildMp4({ stts: ones(n).map(() => [0, 1] as const) })],
  ];
  for (const [what, file] of growing)
    it(`takes no more than twice the steps for twice the ${what}`, async () => {
      const [once, twice] = [await stepsOf(file(20_480), anyLimits), await stepsOf(file(40_960), anyLimits)];
      assert.ok(once >= 4096 && twice <= 2.2 * once, `${once} and ${twice} steps`);
    });

  it('makes nothing of samples that a few bytes claim before the file is seen to hold them', async () => {
    const file = buildMp4({ uniform: { count: 2 ** 24, sizeBytes: 1 }, media: Buffer.alloc(100) });
    const steps = await stepsOf(file, anyLimits);
    assert.ok(steps < file.length, `${steps} steps for ${file.length} bytes`);
  });

  it('throws nothing but its own errors on damaged files, and always ends, after steps as many as the bytes allow', async () => {
    const files = [
      buildMp4({ ctts: [[4, 1]], stss: [1], edits: [[160, 1]], sdtp: [0, 0, 8, 8] }),
      buildMp4({ wideChunks: true, moovAtEnd: true, editVersion: 1, edits: [[160, 0]], mvhdLast: true }),
      buildMp4({ before: [freeBoxes(20)], extra: [freeBoxes(20)], uniform: { count: 300, sizeBytes: 2 } }),
    ];
    const mutation = fc.record({
      file: fc.constantFrom(...files),
      changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
      // Whole numbers, where sizes and counts may lie.
      numbers: fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(64), fc.nat(), fc.constant(-1))), { maxLength: 3 }),
      cut: fc.option(fc.nat(), { freq: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ file, changes, numbers, cut }) => {
        const bytes = Buffer.from(file.subarray(0, cut === null ? file.length : cut % file.length));
        if (bytes.length < 4) return;
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        for (const [at, value] of numbers) bytes.writeInt32BE(value, at % (bytes.length - 3));
        const steps = await stepsOf(bytes, anyLimits);
        assert.ok(steps <= 100 + 60 * bytes.length, `${steps} steps for ${bytes.length} bytes`);
      }),
      { numRuns: 3000 },
    );
  });
});
