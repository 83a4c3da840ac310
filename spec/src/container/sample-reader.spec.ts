import assert from 'node:assert/strict';
import { TikitakaError } from '../../../operators/index.js';
import { RangeFetcher } from '../../../src/container/range-fetcher.js';
import type { CodedSample, SampleIndex } from '../../../src/container/sample-index.js';
import { createSampleReader } from '../../../src/container/sample-reader.js';
import { type MemorySourceOptions, memorySource } from '../../support/memory-source.js';
import { offsetBytes, syntheticIndex, visitOf } from '../../support/synthetic-index.js';

const KIB = 1024;
const MIB = 1024 * KIB;

const turns = async (count = 50) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

interface Setup {
  readonly index: SampleIndex;
  readonly bytes?: Uint8Array;
  readonly cacheBytes?: number;
  readonly aheadBytes?: number;
  readonly source?: MemorySourceOptions;
}

function open({ index, bytes, cacheBytes = 64 * MIB, aheadBytes, source: sourceOptions }: Setup) {
  const last = index.sampleCount - 1;
  const file = bytes ?? offsetBytes((index.offset[last] ?? 0) + (index.sizeBytes[last] ?? 0));
  const source = memorySource(file, { chunkBytes: 64 * KIB, ...sourceOptions });
  const fetcher = new RangeFetcher(source, cacheBytes);
  const reader = createSampleReader({ index, fetcher, ...(aheadBytes ? { aheadBytes } : {}) });
  const check = ({ sample, bytes: got }: CodedSample) => {
    const offset = index.offset[sample] ?? 0;
    const expected = file.subarray(offset, offset + (index.sizeBytes[sample] ?? 0));
    assert.equal(Buffer.compare(got, expected), 0, `sample ${sample}`);
  };
  const drain = async (visit = visitOf(0, last), signal?: AbortSignal) => {
    const seen: number[] = [];
    for await (const coded of reader.samples(visit, signal)) {
      check(coded);
      seen.push(coded.sample);
    }
    return seen;
  };
  return { source, fetcher, reader, check, drain };
}

describe('createSampleReader', () => {
  it('reads a contiguous visit with closed ranges end to end, each byte once', async () => {
    const { source, drain, reader } = open({ index: syntheticIndex({ samples: 100, sizeBytes: 60 * KIB }) });
    assert.equal((await drain()).length, 100);
    source.reads.reduce((at, { start, end }) => {
      assert.equal(start, at);
      assert.ok(end - start <= MIB);
      return end;
    }, 0);
    assert.equal(source.bytesRead, 6000 * KIB);
    assert.equal(source.open, 0);
    reader.close();
  });

  it('asks for the next range before the last has ended, so that the link stays full', async () => {
    let most = 0;
    const { source, drain } = open({
      index: syntheticIndex({ samples: 100, sizeBytes: 60 * KIB }),
      source: {
        gate: () => {
          most = Math.max(most, source.open);
        },
      },
    });
    await drain();
    assert.equal(most, 2);
  });

  it('reads no further ahead than it may while nobody pulls', async () => {
    const { source, reader, check } = open({
      index: syntheticIndex({ samples: 400, sizeBytes: 50 * KIB }),
      aheadBytes: 2 * MIB,
    });
    const samples = reader.samples(visitOf(0, 399))[Symbol.asyncIterator]();
    for (const pulls of [1, 39, 1, 100]) {
      for (let i = 0; i < pulls; i++) check((await samples.next()).value);
      await turns(200);
      const handedOut = source.bytesRead;
      await turns(200);
      assert.equal(source.bytesRead, handedOut);
    }
    assert.ok(source.bytesRead <= 141 * 50 * KIB + 3 * MIB, String(source.bytesRead));
    assert.equal(source.open, 0);
    await samples.return?.();
  });

  it('bounds what it asks for ahead over gaps too', async () => {
    const { source, reader } = open({
      index: syntheticIndex({ samples: 200, sizeBytes: 100 * KIB, gapBytes: 100 * KIB }),
      aheadBytes: MIB,
    });
    const samples = reader.samples(visitOf(0, 199))[Symbol.asyncIterator]();
    await samples.next();
    await turns(300);
    assert.ok(source.bytesRead <= 2 * MIB, String(source.bytesRead));
    await samples.return?.();
  });

  it('reads nothing more for a visit that was left', async () => {
    const { source, reader, drain } = open({
      index: syntheticIndex({ samples: 200, sizeBytes: 100 * KIB }),
      aheadBytes: MIB,
    });
    for await (const _ of reader.samples(visitOf(0, 99))) break;
    await turns(100);
    await drain(visitOf(150, 159));
    await turns(100);
    assert.ok(source.bytesRead <= 2 * MIB + 1000 * KIB, String(source.bytesRead));
    assert.ok(reader.missingBytes(40) > 0);
  });

  it('fetches only what sparse visits need, neighbours together, at most four at once', async () => {
    const index = syntheticIndex({ samples: 200, sizeBytes: 100 * KIB, gop: 10 });
    let most = 0;
    const { source, reader, drain } = open({
      index,
      source: {
        gate: () => {
          most = Math.max(most, source.open);
        },
      },
    });
    const visits = [0, 50, 100, 150, 190, 20].map((sample) => visitOf(sample, sample + 1));
    reader.prefetch(visits);
    for (const visit of visits) assert.deepEqual(await drain(visit), [visit.firstSample, visit.lastSample]);
    assert.deepEqual(
      source.reads.map(({ start, end }) => [start / (100 * KIB), end / (100 * KIB)]),
      visits.map(({ firstSample }) => [firstSample, firstSample + 2]),
    );
    assert.equal(most, 4);
  });

  it('reads small gaps along and jumps over large ones', async () => {
    const small = open({ index: syntheticIndex({ samples: 4, sizeBytes: 1000, gapBytes: 64 * KIB }) });
    await small.drain();
    assert.equal(small.source.requests, 1);
    const large = open({ index: syntheticIndex({ samples: 4, sizeBytes: 1000, gapBytes: 65 * KIB }) });
    await large.drain();
    assert.equal(large.source.requests, 4);
  });

  it('visits again without a second download', async () => {
    const { source, drain, reader } = open({ index: syntheticIndex({ samples: 30, sizeBytes: 10 * KIB }) });
    await drain(visitOf(10, 19));
    assert.ok(reader.missingBytes(12) === 0);
    assert.ok(reader.missingBytes(25) > 0);
    const { bytesRead } = source;
    await drain(visitOf(10, 19));
    assert.equal(source.bytesRead, bytesRead);
    await drain(visitOf(5, 24));
    assert.equal(source.bytesRead, 200 * KIB, 'only what was missing around it');
  });

  it('keeps no more in memory than it may, dropping what was used least recently', async () => {
    const { drain, reader, source } = open({
      index: syntheticIndex({ samples: 200, sizeBytes: 100 * KIB }),
      cacheBytes: 6 * MIB,
      aheadBytes: 2 * MIB,
    });
    for (let first = 0; first < 200; first += 10) {
      await drain(visitOf(first, first + 9));
      await drain(visitOf(0, 0));
      assert.ok(reader.cachedBytes <= 6 * MIB + 2 * MIB, String(reader.cachedBytes));
    }
    assert.ok(reader.missingBytes(0) === 0, 'used all along');
    assert.ok(reader.missingBytes(20) > 0, 'used long ago');
    const { bytesRead } = source;
    assert.deepEqual(await drain(visitOf(20, 29)), [20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    assert.ok(source.bytesRead > bytesRead);
  });

  it('leaves out samples that nothing refers to and nobody wants', async () => {
    const index = syntheticIndex({ samples: 6, sizeBytes: 100 * KIB });
    index.disposable.set([0, 1, 1, 0, 1, 0]);
    const { drain, source } = open({ index });
    assert.deepEqual(await drain(visitOf(0, 5, { keep: [0, 2] })), [0, 2, 3, 5]);
    assert.equal(source.bytesRead, 400 * KIB);
    assert.deepEqual(await drain(visitOf(0, 5, { skip: 'nokey' })), [0]);
  });

  for (const sizeBytes of [255 * KIB, undefined])
    it(`hands out what a truncated file still has, then tells (${sizeBytes ? 'known' : 'unknown'} size)`, async () => {
      const index = syntheticIndex({ samples: 10, sizeBytes: 50 * KIB });
      const { reader, check } = open({ index, bytes: offsetBytes(255 * KIB), source: { sizeBytes } });
      const seen: number[] = [];
      await assert.rejects(
        async () => {
          for await (const coded of reader.samples(visitOf(0, 9))) {
            check(coded);
            seen.push(coded.sample);
          }
        },
        { code: 'ERR_SOURCE_TRUNCATED' },
      );
      assert.deepEqual(seen, [0, 1, 2, 3, 4]);
    });

  it('passes the source’s own error on after the samples before it, and may be asked again', async () => {
    let fail = true;
    const broken = new TikitakaError('ERR_SOURCE_CONNECT', 'gone', { retryable: true });
    const index = syntheticIndex({ samples: 20, sizeBytes: 64 * KIB });
    const { reader, drain } = open({
      index,
      source: {
        gate: (_, position) => {
          if (fail && position >= 5 * 64 * KIB) throw broken;
        },
      },
    });
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const { sample } of reader.samples(visitOf(0, 19))) seen.push(sample);
    }, broken);
    assert.deepEqual(seen, [0, 1, 2, 3, 4]);
    fail = false;
    assert.equal((await drain(visitOf(0, 19))).length, 20);
  });

  it('reads a source without ranges as one stream, no further than it may', async () => {
    const { source, reader, drain } = open({
      index: syntheticIndex({ samples: 200, sizeBytes: 50 * KIB }),
      aheadBytes: MIB,
      source: { acceptsRanges: false },
    });
    const samples = reader.samples(visitOf(0, 199))[Symbol.asyncIterator]();
    await samples.next();
    await turns(200);
    assert.ok(source.bytesRead <= MIB + 128 * KIB, String(source.bytesRead));
    await samples.return?.();
    assert.equal((await drain(visitOf(0, 99))).length, 100);
    assert.equal((await drain(visitOf(150, 159))).length, 10);
    assert.equal((await drain(visitOf(50, 59))).length, 10, 'still in the cache');
    assert.deepEqual(source.reads, [{ start: 0, end: Number.POSITIVE_INFINITY }]);
  });

  it('says so when a stream without ranges has gone by', async () => {
    const { drain } = open({
      index: syntheticIndex({ samples: 200, sizeBytes: 50 * KIB }),
      aheadBytes: MIB,
      cacheBytes: 3 * MIB,
      source: { acceptsRanges: false },
    });
    await drain(visitOf(0, 150));
    await assert.rejects(drain(visitOf(10, 19)), { code: 'ERR_SOURCE_STATUS' });
    assert.equal((await drain(visitOf(160, 169))).length, 10);
  });

  it('lets no running visit starve another', async () => {
    const { reader, drain } = open({
      index: syntheticIndex({ samples: 400, sizeBytes: 50 * KIB }),
      aheadBytes: MIB,
    });
    const idle = reader.samples(visitOf(0, 199))[Symbol.asyncIterator]();
    await idle.next();
    assert.equal((await drain(visitOf(300, 399))).length, 100);
    await idle.return?.();
  });

  it('ends a waiting pull with ERR_ABORTED when its signal fires', async () => {
    const never = new Promise<void>(() => undefined);
    const { reader, source } = open({
      index: syntheticIndex({ samples: 10, sizeBytes: KIB }),
      source: { gate: () => never },
    });
    const controller = new AbortController();
    const pending = reader.samples(visitOf(0, 9), controller.signal)[Symbol.asyncIterator]().next();
    await turns(5);
    assert.equal(source.open, 1);
    controller.abort();
    await assert.rejects(pending, { code: 'ERR_ABORTED' });
  });

  it('ends all reads and waits when it is closed, and stays closed', async () => {
    const { reader, source } = open({
      index: syntheticIndex({ samples: 10, sizeBytes: KIB }),
      source: { gate: () => turns(3) },
    });
    const pending = reader.samples(visitOf(0, 9))[Symbol.asyncIterator]().next();
    reader.close();
    reader.close();
    await assert.rejects(pending, { code: 'ERR_ABORTED' });
    await assert.rejects(reader.samples(visitOf(0, 9))[Symbol.asyncIterator]().next(), { code: 'ERR_ABORTED' });
    assert.equal(reader.cachedBytes, 0);
    await turns(10);
    assert.equal(source.open, 0);
  });

  for (const acceptsRanges of [true, false])
    it(`asks for a sample as a whole, however little is read ahead or kept (${acceptsRanges ? '' : 'no '}ranges)`, async () => {
      const { drain, reader, source } = open({
        index: syntheticIndex({ samples: 3, sizeBytes: 5 * MIB }),
        aheadBytes: MIB,
        cacheBytes: 2 * MIB,
        source: { acceptsRanges },
      });
      assert.deepEqual(await drain(), [0, 1, 2]);
      await turns();
      assert.equal(source.bytesRead, 15 * MIB, 'each byte once');
      assert.ok(reader.cachedBytes <= 7 * MIB, String(reader.cachedBytes));
    });

  it('holds small pieces of a stream together', async () => {
    const { drain, reader } = open({
      index: syntheticIndex({ samples: 100, sizeBytes: 10 * KIB }),
      source: { acceptsRanges: false, chunkBytes: 100 },
    });
    assert.equal((await drain()).length, 100);
    assert.equal((await drain(visitOf(40, 49))).length, 10, 'each where it was');
    assert.ok(reader.cachedBytes <= 1000 * KIB + 64 * KIB, String(reader.cachedBytes));
  });

  it('refuses a bound that no range fits into', () => {
    const index = syntheticIndex({ samples: 1, sizeBytes: 1 });
    assert.throws(() => open({ index, aheadBytes: 1000 }), { code: 'ERR_OPTION' });
  });
});
