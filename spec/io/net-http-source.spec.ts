import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import {
  createLinkPolicy,
  createPool,
  downloadToFile,
  type HttpSourceOptions,
  limitBytes,
  openByteSource,
  openFileSource,
  openHttpSource,
  type PoolOptions,
} from '../../src/net/index.js';
import { type ClipServerOptions, createClipServer } from '../../src/tools/demo/clip-server.js';
import { collect, patternBytes, until } from '../support/bytes.js';
import { cleanUpAfterEach } from '../support/clean-up.js';

const HEAD = 262_144;
const clip = patternBytes(4_000_000);
const policy = createLinkPolicy({ allowPrivate: true });

describe('net: an http source', () => {
  const closing = cleanUpAfterEach();

  async function set(server: Partial<ClipServerOptions> = {}, poolOptions: PoolOptions = {}) {
    const served = closing(await createClipServer({ files: { '/clip.mp4': clip }, ...server }));
    const ca = served.ca === undefined ? {} : { ca: served.ca };
    const pool = closing(createPool({ policy, ...ca, ...poolOptions }));
    const open = async (options: Partial<HttpSourceOptions> = {}, path = '/clip.mp4') =>
      closing(await openHttpSource(served.url + path, { pool, ...options }));
    return { server: served, pool, open };
  }

  it('opens with one ranged request that tells size, tag, version and reuse', async () => {
    const { server, open } = await set();
    const source = await open();
    assert.equal(source.sizeBytes, clip.length);
    assert.equal(source.acceptsRanges, true);
    assert.equal(source.connection.httpVersion, '2');
    assert.equal(source.connection.reused, false);
    assert.match(source.connection.etag ?? '', /^".+"$/);
    assert.ok(source.connection.firstByteMs > 0 && (source.connection.setUp?.tlsMs ?? 0) > 0);
    assert.deepEqual(server.stats.requests, ['GET /clip.mp4 bytes=0-262143']);
    const second = await open();
    assert.equal(second.connection.reused, true);
    assert.equal(second.connection.setUp, undefined);
    assert.equal(server.stats.connections, 1);
  });

  it('reads the whole: the head once, the rest in one further request, in chunks of at most 256 KiB', async () => {
    const { server, open } = await set();
    const source = await open();
    let largest = 0;
    const parts: Uint8Array[] = [];
    for await (const chunk of source.read({ start: 0 })) {
      largest = Math.max(largest, chunk.length);
      parts.push(chunk);
    }
    assert.ok(Buffer.concat(parts).equals(clip));
    assert.ok(largest <= 262_144);
    assert.deepEqual(server.stats.requests, ['GET /clip.mp4 bytes=0-262143', 'GET /clip.mp4 bytes=262144-3999999']);
    assert.equal(source.bytesRead, clip.length);
    assert.equal(source.requests, 2);
  });

  it('serves reads within the head from memory', async () => {
    const { server, open } = await set();
    const source = await open();
    for (const [start, end] of [
      [0, 100],
      [100_000, 200_000],
      [262_000, HEAD],
      [0, 1],
    ] as const) {
      assert.ok((await collect(source.read({ start, end }))).equals(clip.subarray(start, end)));
    }
    assert.equal(server.stats.requests.length, 1);
  });

  it('reads several ranges at once over the one connection', async () => {
    const { server, open } = await set();
    const source = await open();
    const starts = Array.from({ length: 10 }, (_, i) => 300_000 + i * 350_000);
    const parts = await Promise.all(starts.map((start) => collect(source.read({ start, end: start + 20_000 }))));
    parts.forEach((part, i) => {
      assert.ok(part.equals(clip.subarray(starts[i], (starts[i] ?? 0) + 20_000)));
    });
    assert.equal(server.stats.connections, 1);
    assert.equal(source.requests, 11);
  });

  const edges: readonly (readonly [number, number | undefined, string])[] = [
    [HEAD - 10, HEAD + 10, 'across the end of the head'],
    [HEAD, HEAD + 1, 'right behind the head'],
    [clip.length - 5, undefined, 'the last bytes, open end'],
    [clip.length - 5, clip.length + 100, 'beyond the end'],
    [clip.length, undefined, 'nothing, at the end'],
    [clip.length + 5, clip.length + 9, 'nothing, behind the end'],
    [7, 7, 'nothing, empty'],
    [9, 7, 'nothing, reversed'],
  ];
  for (const [start, end, what] of edges) {
    it(`reads ${what}`, async () => {
      const { open } = await set();
      const source = await open();
      const range = end === undefined ? { start } : { start, end };
      assert.ok((await collect(source.read(range))).equals(clip.subarray(start, Math.max(start, end ?? clip.length))));
    });
  }

  for (const protocol of ['https/1.1', 'http/1.1'] as const) {
    it(`works over ${protocol} too, on one connection while it reads in order`, async () => {
      const { server, open } = await set({ protocol });
      const source = await open();
      assert.equal(source.connection.httpVersion, '1.1');
      assert.ok((await collect(source.read({ start: 0 }))).equals(clip));
      let left = 1_000_000;
      for await (const chunk of source.read({ start: 500_000, end: 1_500_000 })) {
        left -= chunk.length;
        if (left === 0) break; // with the last byte: the connection need not go
      }
      assert.ok((await collect(source.read({ start: 1_000_000, end: 1_000_100 }))).length === 100);
      assert.equal(server.stats.connections, 1);
    });
  }

  it('a reader who leaves early resets that stream only', async () => {
    const { server, pool, open } = await set();
    const source = await open();
    for await (const _ of source.read({ start: 1_000_000 })) break;
    for await (const _ of source.read({ start: 0 })) break;
    assert.ok(
      (await collect(source.read({ start: 3_000_000, end: 3_100_000 }))).equals(clip.subarray(3_000_000, 3_100_000)),
    );
    assert.equal(server.stats.connections, 1);
    source.close();
    await until(() => pool.stats().idle === 1, 'the connection is idle: every exchange was given back');
  });

  it('a signal ends one read with ERR_ABORTED and no other', async () => {
    const { server, open } = await set();
    const source = await open();
    const leaving = new AbortController();
    const aborted = assert.rejects(
      (async () => {
        for await (const _ of source.read({ start: 1_000_000 }, leaving.signal)) leaving.abort(new Error('budget'));
      })(),
      { code: 'ERR_ABORTED' },
    );
    const other = collect(source.read({ start: 2_000_000, end: 2_500_000 }));
    await aborted;
    assert.equal((await other).length, 500_000);
    await assert.rejects(collect(source.read({ start: 0 }, AbortSignal.abort())), { code: 'ERR_ABORTED' });
    assert.equal(server.stats.connections, 1);
  });

  it('close ends every read with ERR_ABORTED; the connection lives on', async () => {
    const { server, pool, open } = await set();
    const source = await open();
    const readings = [300_000, 2_000_000].map(async (start) => {
      for await (const _ of source.read({ start })) await sleep(1);
    });
    const ended = Promise.all(readings.map((reading) => assert.rejects(reading, { code: 'ERR_ABORTED' })));
    await sleep(5);
    source.close();
    source.close();
    await ended;
    await assert.rejects(collect(source.read({ start: 0 })), { code: 'ERR_ABORTED' });
    await until(() => pool.stats().idle === 1, 'the connection is idle');
    await (await open()).close();
    assert.equal(server.stats.connections, 1);
  });

  it('leaves nothing hanging on the signals it was given', async () => {
    const { open } = await set();
    const [ofSource, ofRead] = [new AbortController(), new AbortController()];
    const source = await open({ signal: ofSource.signal });
    await Promise.all(
      [0, 300_000, 600_000].map((start) => collect(source.read({ start, end: start + 9 }, ofRead.signal))),
    );
    for await (const _ of source.read({ start: 0 }, ofRead.signal)) break;
    await assert.rejects(open({ signal: ofRead.signal }, '/none.mp4'), { code: 'ERR_SOURCE_STATUS' });
    source.close();
    await until(() => getEventListeners(ofRead.signal, 'abort').length === 0, 'the read signal is free');
    assert.equal(getEventListeners(ofSource.signal, 'abort').length, 0);
  });

  it('the signal of the source ends it as close does', async () => {
    const { open } = await set();
    const leaving = new AbortController();
    const source = await open({ signal: leaving.signal });
    const reading = assert.rejects(collect(source.read({ start: 0 })), { code: 'ERR_ABORTED' });
    leaving.abort();
    await reading;
    await assert.rejects(open({ signal: leaving.signal }), { code: 'ERR_ABORTED' });
  });

  it('stops the server while the reader pauses, after a bounded number of bytes, and no pause is a time-out', async () => {
    const big = patternBytes(8_000_000);
    const { server, open } = await set({ files: { '/clip.mp4': big } }, { readTimeoutMs: 300 });
    const source = await open();
    const reading = source.read({ start: 300_000 })[Symbol.asyncIterator]();
    const first = await reading.next();
    await sleep(700);
    const sent = server.stats.sentBytes;
    await sleep(100);
    assert.equal(server.stats.sentBytes, sent, 'the server waits');
    assert.ok(sent < HEAD + 2_000_000, `${sent} bytes were handed over`);
    let bytes = first.value?.length ?? 0;
    for (let next = await reading.next(); !next.done; next = await reading.next()) bytes += next.value.length;
    assert.equal(bytes, big.length - 300_000);
  });

  it('a paused read does not hold up another on the same connection', async () => {
    const { server, open } = await set();
    const source = await open();
    const paused = source.read({ start: 300_000 })[Symbol.asyncIterator]();
    await paused.next();
    assert.equal((await collect(source.read({ start: 3_000_000, end: 3_900_000 }))).length, 900_000);
    await paused.return?.();
    assert.equal(server.stats.connections, 1);
  });

  describe('on a server that ignores Range', () => {
    it('reads the whole once, and the head as often as wanted', async () => {
      const { server, open } = await set({ ignoreRange: true });
      const source = await open();
      assert.equal(source.acceptsRanges, false);
      assert.equal(source.sizeBytes, clip.length);
      assert.ok((await collect(source.read({ start: 0, end: 1000 }))).equals(clip.subarray(0, 1000)));
      assert.ok((await collect(source.read({ start: 0 }))).equals(clip));
      assert.ok((await collect(source.read({ start: 5, end: 1000 }))).equals(clip.subarray(5, 1000)));
      assert.deepEqual(server.stats.requests, ['GET /clip.mp4 bytes=0-262143']);
      for (const [start, missing] of [
        [0, HEAD],
        [1_000_000, 1_000_000],
      ] as const) {
        await assert.rejects(collect(source.read({ start })), {
          code: 'ERR_SOURCE_STATUS',
          details: { status: 200, start: missing },
        });
      }
    });

    it('sends no more than the reader takes: partial reads cancel the stream', async () => {
      const { server, pool, open } = await set({ ignoreRange: true });
      const source = await open();
      const partial = limitBytes(source, 500_000);
      assert.ok((await collect(partial.read({ start: 0 }))).equals(clip.subarray(0, 500_000)));
      partial.close();
      await until(() => pool.stats().idle === 1);
      assert.ok(server.stats.sentBytes < 2_500_000, `${server.stats.sentBytes} bytes were handed over`);
      assert.equal(server.stats.connections, 1);
    });

    it('reads a file shorter than the head', async () => {
      const { open } = await set({ ignoreRange: true, files: { '/clip.mp4': clip.subarray(0, 1000) } });
      const source = await open();
      assert.ok((await collect(source.read({ start: 0 }))).equals(clip.subarray(0, 1000)));
    });
  });

  it('an empty file has no bytes and is no error here', async () => {
    for (const ignoreRange of [false, true]) {
      const { open } = await set({ ignoreRange, files: { '/empty.mp4': new Uint8Array(0) } });
      const source = await open({}, '/empty.mp4');
      assert.equal(source.sizeBytes, 0);
      assert.equal((await collect(source.read({ start: 0 }))).length, 0);
    }
  });

  it('refuses a file larger than allowed before reading it', async () => {
    const { server, pool, open } = await set();
    await assert.rejects(open({ maxBytes: 1_000_000 }), {
      code: 'ERR_SOURCE_TOO_LARGE',
      details: { maxBytes: 1_000_000, sizeBytes: clip.length },
    });
    await until(() => pool.stats().idle === 1);
    assert.equal(server.stats.connections, 1);
  });

  it('404 is ERR_SOURCE_STATUS at once', async () => {
    const { server, open } = await set();
    await assert.rejects(open({}, '/none.mp4'), { code: 'ERR_SOURCE_STATUS', details: { status: 404 } });
    assert.equal(server.stats.requests.length, 1);
  });

  it('refuses a head of no bytes', async () => {
    const { open } = await set();
    await assert.rejects(open({ headBytes: 0 }), { code: 'ERR_OPTION' });
  });

  describe('strategies', () => {
    it('download: the whole into a temporary file without a name, gone with the source', async () => {
      const { server, open } = await set();
      const before = temporaryFiles();
      const original = await open();
      const source = closing(await downloadToFile(original));
      await assert.rejects(collect(original.read({ start: 0 })), { code: 'ERR_ABORTED' }, 'the original is closed');
      assert.deepEqual(temporaryFiles(), before, 'even a process that is killed leaves none');
      const asked = server.stats.requests.length;
      assert.ok(
        (await collect(source.read({ start: 1_000_000, end: 1_600_000 }))).equals(clip.subarray(1_000_000, 1_600_000)),
      );
      assert.ok((await collect(source.read({ start: 0 }))).equals(clip));
      assert.equal(server.stats.requests.length, asked);
      assert.equal(source.connection.httpVersion, '2');
      assert.equal(source.bytesRead, clip.length);
      source.close();
      source.close();
      await assert.rejects(collect(source.read({ start: 0 })), { code: 'ERR_ABORTED' });
    });

    it('download that is aborted leaves no file', async () => {
      const { open } = await set();
      const before = temporaryFiles();
      await assert.rejects(downloadToFile(await open(), AbortSignal.abort()), { code: 'ERR_ABORTED' });
      assert.deepEqual(temporaryFiles(), before);
    });

    it('download without a temporary folder is ERR_TEMP_STORAGE, and the source is closed', async () => {
      const { open } = await set();
      const original = await open();
      await withTemporaryFolder(join(tmpdir(), 'spec-not-there'), () =>
        assert.rejects(downloadToFile(original), {
          code: 'ERR_TEMP_STORAGE',
          details: { reason: 'ENOENT', folder: tmpdir() },
        }),
      );
      await assert.rejects(collect(original.read({ start: 0 })), { code: 'ERR_ABORTED' });
    });

    it('download to a full one is ERR_TEMP_STORAGE, nothing is left', async function () {
      // A limit on the size of files is what anybody can set; the system refuses the write as a full disk does.
      if (process.platform === 'win32') this.skip();
      this.timeout(30_000);
      const folder = await mkdtemp(join(tmpdir(), 'spec-full-'));
      try {
        const loader = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
        const child = fileURLToPath(new URL('../support/download-child.ts', import.meta.url));
        const { stdout } = await promisify(execFile)('sh', [
          '-c',
          'ulimit -f 1000; exec "$0" "$@"',
          process.execPath,
          `--import=${loader}`,
          child,
          folder,
        ]);
        assert.deepEqual(JSON.parse(stdout), { code: 'ERR_TEMP_STORAGE', reason: 'EFBIG', isOpen: false });
        assert.deepEqual(await readdir(folder), []);
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('partial: the first bytes only, size still of the whole', async () => {
      const { server, open } = await set();
      const source = limitBytes(await open(), 1_000_000);
      assert.equal(source.sizeBytes, clip.length);
      assert.ok((await collect(source.read({ start: 0 }))).equals(clip.subarray(0, 1_000_000)));
      assert.equal((await collect(source.read({ start: 999_990, end: 2_000_000 }))).length, 10);
      assert.equal((await collect(source.read({ start: 1_500_000 }))).length, 0);
      assert.equal(source.bytesRead, 1_000_010);
      assert.deepEqual(server.stats.requests.slice(0, 2), [
        'GET /clip.mp4 bytes=0-262143',
        'GET /clip.mp4 bytes=262144-999999',
      ]);
      assert.throws(() => limitBytes(source, 0), { code: 'ERR_OPTION' });
    });

    it('openByteSource picks the strategy, and opens local files only where allowed', async () => {
      const { server, pool } = await set();
      const url = `${server.url}/clip.mp4`;
      const folder = await mkdtemp(join(tmpdir(), 'spec-'));
      const path = join(folder, 'a clip.mp4');
      await writeFile(path, clip);
      try {
        const streamed = closing(await openByteSource(url, { pool, limitBytes: 1000 }));
        assert.equal((await collect(streamed.read({ start: 0 }))).length, 1000);
        const downloaded = closing(await openByteSource(url, { pool, strategy: 'download', limitBytes: 500_000 }));
        assert.equal(downloaded.sizeBytes, 500_000);
        for (const target of [path, pathToFileURL(path).href]) {
          const file = closing(await openByteSource(target, { pool, allowFiles: true, strategy: 'download' }));
          assert.equal(file.connection.httpVersion, 'file');
          assert.ok((await collect(file.read({ start: 3_500_000 }))).equals(clip.subarray(3_500_000)));
          await assert.rejects(openByteSource(target, { pool }), { code: 'ERR_SOURCE_REFUSED' });
        }
        await assert.rejects(openByteSource('file://elsewhere/clip', { pool, allowFiles: true }), {
          code: 'ERR_SOURCE_REFUSED',
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('a local file: many readers, early leavers, close', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'spec-'));
      const path = join(folder, 'clip.mp4');
      await writeFile(path, clip);
      const source = await openFileSource(path);
      assert.equal(source.url, pathToFileURL(path).href);
      for await (const _ of source.read({ start: 0 })) break;
      const parts = await Promise.all(
        [0, 1_000_000].map((start) => collect(source.read({ start, end: start + 600_000 }))),
      );
      assert.ok(
        Buffer.concat(parts).equals(Buffer.concat([clip.subarray(0, 600_000), clip.subarray(1_000_000, 1_600_000)])),
      );
      assert.equal(source.requests, 3);
      assert.equal(source.bytesRead, 262_144 + 1_200_000);
      await assert.rejects(collect(source.read({ start: 0 }, AbortSignal.abort())), { code: 'ERR_ABORTED' });
      source.close();
      source.close();
      await assert.rejects(collect(source.read({ start: 0 })), { code: 'ERR_ABORTED' });
      await until(() => !openFiles().includes(path), 'the file is closed');
      await rm(folder, { recursive: true });
      assert.equal(existsSync(path), false);
      await assert.rejects(openFileSource(path), { code: 'ERR_SOURCE_CONNECT', details: { path, code: 'ENOENT' } });
      await assert.rejects(openFileSource(tmpdir()), { code: 'ERR_SOURCE_CONNECT', details: { path: tmpdir() } });
    });
  });
});

function temporaryFiles(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('tikitaka-clip-'));
}

/** Paths of the files that this process has open; where there is no /proc, none. */
function openFiles(): string[] {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the descriptor that listed the folder is gone again
    }
  });
}

/** What `tmpdir` says while `work` is done. */
async function withTemporaryFolder(folder: string, work: () => Promise<void>): Promise<void> {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  try {
    await work();
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}
