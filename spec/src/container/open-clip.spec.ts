import assert from 'node:assert/strict';
import { HEAD_BYTES, openClip } from '../../../src/container/index.js';
import { type MemorySourceOptions, memorySource } from '../../support/memory-source.js';
import { box, buildMp4, freeBoxes, u32 } from '../../support/mp4-builder.js';
import { visitOf } from '../../support/synthetic-index.js';

const open = async (bytes: Uint8Array, options?: MemorySourceOptions) => {
  const source = memorySource(bytes, options);
  return { source, clip: await openClip(source) };
};

const indexed = async (bytes: Uint8Array, options?: MemorySourceOptions) => {
  const { source, clip } = await open(bytes, options);
  assert.ok(clip.kind === 'indexed');
  return { source, clip, index: clip.index, reader: clip.reader };
};

/** Samples so large that the index at the end lies beyond the head. */
const largeSizes = new Array(20).fill(100_000);

describe('openClip', () => {
  it('reads the head of a faststart clip with one closed range and uses its bytes for the samples', async () => {
    const { source, index, reader, clip } = await indexed(buildMp4({ sizes: largeSizes }));
    assert.deepEqual(source.reads, [{ start: 0, end: HEAD_BYTES }]);
    assert.equal(index.sampleCount, 20);
    for await (const { bytes } of reader.samples(visitOf(0, 19))) assert.equal(bytes.length, 100_000);
    assert.equal(source.bytesRead, (index.offset[19] ?? 0) + 100_000);
    clip.close();
  });

  it('answers as soon as the index is there, while the head is still on its way', async () => {
    const file = buildMp4({ sizes: largeSizes });
    const { index } = await indexed(file);
    let release: () => void = () => undefined;
    const rest = new Promise<void>((resolve) => {
      release = resolve;
    });
    const source = memorySource(file, {
      chunkBytes: 512,
      gate: (_, position) => (position >= index.moov.end ? rest : undefined),
    });
    const clip = await openClip(source);
    assert.ok(source.bytesRead < index.moov.end + 512);
    assert.ok(clip.kind === 'indexed' && clip.reader.missingBytes(0) > 0);
    release();
    clip.close();
  });

  it('finds an index at the end with one more closed range', async () => {
    const { source, index, clip } = await indexed(buildMp4({ sizes: largeSizes, moovAtEnd: true }));
    assert.ok(index.moov.atEnd);
    assert.deepEqual(source.reads, [
      { start: 0, end: HEAD_BYTES },
      { start: index.moov.start, end: index.moov.end },
    ]);
    clip.close();
  });

  it('finds it where the server does not say how large the file is', async () => {
    for (const moovAtEnd of [false, true]) {
      const { index, reader, clip } = await indexed(buildMp4({ sizes: largeSizes, moovAtEnd }), {
        sizeBytes: undefined,
      });
      let count = 0;
      for await (const _ of reader.samples(visitOf(0, 19))) count++;
      assert.equal(count, index.sampleCount);
      clip.close();
    }
  });

  it('finds it in a stream without ranges, keeping the media data that goes by', async () => {
    const file = buildMp4({ sizes: largeSizes, moovAtEnd: true });
    const { source, reader, clip } = await indexed(file, { acceptsRanges: false });
    for await (const { bytes } of reader.samples(visitOf(0, 19))) assert.equal(bytes.length, 100_000);
    assert.equal(source.bytesRead, file.length);
    assert.equal(source.requests, 1);
    clip.close();
  });

  it('reads on where the index is larger than the head', async () => {
    const { source, index, clip } = await indexed(buildMp4({ extra: [box('free', Buffer.alloc(2 * HEAD_BYTES))] }));
    assert.equal(index.sampleCount, 4);
    assert.deepEqual(source.reads, [
      { start: 0, end: HEAD_BYTES },
      { start: HEAD_BYTES, end: index.moov.end },
    ]);
    clip.close();
  });

  it('asks for boxes behind the head by hundreds, not one by one', async () => {
    const before = [
      box('free', Buffer.alloc(HEAD_BYTES)),
      freeBoxes(1000),
      box('free', Buffer.alloc(9e6)),
      freeBoxes(1000),
    ];
    const { source, clip } = await indexed(buildMp4({ before, sizes: largeSizes }));
    assert.equal(source.requests, 3);
    clip.close();
  });

  it('reads an index that is larger than what it may keep', async () => {
    const file = buildMp4({ extra: [box('free', Buffer.alloc(4 * HEAD_BYTES))] });
    const clip = await openClip(memorySource(file), { cacheBytes: HEAD_BYTES });
    assert.equal(clip.kind, 'indexed');
    clip.close();
  });

  const ts = Buffer.alloc(188 * 4, 0xff);
  for (let at = 0; at < ts.length; at += 188) ts[at] = 0x47;
  const m2ts = Buffer.alloc(192 * 4, 0xff);
  for (let at = 4; at < m2ts.length; at += 192) m2ts[at] = 0x47;
  const streams: readonly (readonly [why: string, bytes: Uint8Array, format: string])[] = [
    ['Matroska', Buffer.concat([u32(0x1a45dfa3), Buffer.alloc(600)]), 'matroska'],
    ['MPEG-TS', ts, 'mpegts'],
    ['M2TS', m2ts, 'mpegts'],
    ['fragmented MP4', Buffer.concat([box('ftyp', u32(0)), box('moov', box('mvex')), Buffer.alloc(600)]), 'mp4'],
  ];
  for (const [why, bytes, format] of streams)
    for (const options of [{}, { sizeBytes: undefined }, { acceptsRanges: false }, { chunkBytes: 100 }])
      it(`hands ${why} on as a stream, whole (${JSON.stringify(options)})`, async () => {
        const file = Buffer.concat([bytes, Buffer.alloc(2 * HEAD_BYTES, 5)]);
        const { clip, source } = await open(file, options);
        assert.ok(clip.kind === 'stream');
        assert.equal(clip.format, format);
        const parts: Uint8Array[] = [];
        for await (const part of clip.chunks()) parts.push(part);
        assert.equal(Buffer.compare(Buffer.concat(parts), file), 0);
        assert.equal(source.bytesRead, file.length);
        assert.equal(source.open, 0);
        clip.close();
      });

  const file = buildMp4({ sizes: largeSizes });
  const atEnd = buildMp4({ sizes: largeSizes, moovAtEnd: true });
  const faults: readonly (readonly [why: string, bytes: Uint8Array, options: MemorySourceOptions, code: string])[] = [
    ['an empty file', Buffer.alloc(0), {}, 'ERR_SOURCE_EMPTY'],
    ['an empty body of unknown size', Buffer.alloc(0), { sizeBytes: undefined }, 'ERR_SOURCE_EMPTY'],
    ['a text file', Buffer.from('hello, world\n'.repeat(200)), {}, 'ERR_NOT_VIDEO'],
    ['a short text file', Buffer.from('no'), { sizeBytes: undefined }, 'ERR_NOT_VIDEO'],
    ['a web page', Buffer.from(`<!DOCTYPE html><html>${' '.repeat(5000)}</html>`), {}, 'ERR_NOT_VIDEO'],
    ['a picture', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(5000, 9)]), {}, 'ERR_NOT_VIDEO'],
    ['an MP4 of sound', buildMp4({ handler: 'soun' }), {}, 'ERR_NOT_VIDEO'],
    ['a file cut inside its index', file.subarray(0, 300), {}, 'ERR_SOURCE_TRUNCATED'],
    ['the same, of unknown size', file.subarray(0, 300), { sizeBytes: undefined }, 'ERR_SOURCE_TRUNCATED'],
    ['a file cut before its index at the end', atEnd.subarray(0, 1_500_000), {}, 'ERR_SOURCE_TRUNCATED'],
    ['the same, of unknown size', atEnd.subarray(0, 1_500_000), { sizeBytes: undefined }, 'ERR_SOURCE_TRUNCATED'],
    ['a file cut inside its index at the end', atEnd.subarray(0, atEnd.length - 10), {}, 'ERR_SOURCE_TRUNCATED'],
    [
      'media data without an index',
      Buffer.concat([box('ftyp', u32(0)), box('mdat', Buffer.alloc(2000))]),
      {},
      'ERR_CONTAINER',
    ],
    ['an index that lies', buildMp4({ replace: { stsz: u32(0, 0, 5000) } }), {}, 'ERR_CONTAINER'],
  ];
  for (const [why, bytes, options, code] of faults)
    it(`calls ${why} ${code} and leaves no read open`, async () => {
      const source = memorySource(bytes, options);
      await assert.rejects(openClip(source), { code });
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(source.open, 0);
    });

  it('ends the read of the head when it gives up', async () => {
    const source = memorySource(Buffer.alloc(HEAD_BYTES, 'text '), {
      chunkBytes: 1024,
      gate: () => new Promise((resolve) => setImmediate(resolve)),
    });
    await assert.rejects(openClip(source), { code: 'ERR_NOT_VIDEO' });
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(source.open, 0);
    assert.ok(source.bytesRead < 10_000);
  });

  it('says what a source that is no video looks like', async () => {
    await assert.rejects(open(Buffer.from('<html><body>404</body></html>'.padEnd(600))), ({ details }) => {
      assert.equal(details.looksLike, 'a web page');
      return true;
    });
  });

  it('gives up when its signal fires', async () => {
    const controller = new AbortController();
    const source = memorySource(buildMp4(), { gate: () => new Promise(() => undefined) });
    const opening = openClip(source, { signal: controller.signal });
    controller.abort();
    await assert.rejects(opening, { code: 'ERR_ABORTED' });
  });
});
