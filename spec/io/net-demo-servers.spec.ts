import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLinkPolicy, createPool } from '../../src/net/index.js';
import { createClipServer } from '../../src/tools/demo/clip-server.js';
import { createShapedLink } from '../../src/tools/demo/shaped-link.js';
import { collect, patternBytes } from '../support/bytes.js';
import { cleanUpAfterEach } from '../support/clean-up.js';
import { openClientSockets } from '../support/client-sockets.js';

const clip = patternBytes(300_000);
const policy = createLinkPolicy({ allowPrivate: true });

describe('the clip server', () => {
  const closing = cleanUpAfterEach();

  const rows: readonly (readonly [string, Record<string, string>, number, number, number, string])[] = [
    ['a range', { range: 'bytes=10-19' }, 206, 10, 20, 'bytes 10-19/300000'],
    ['a range behind the end', { range: 'bytes=299990-400000' }, 206, 299_990, 300_000, 'bytes 299990-299999/300000'],
    ['an open range', { range: 'bytes=299000-' }, 206, 299_000, 300_000, 'bytes 299000-299999/300000'],
    ['the last bytes', { range: 'bytes=-100' }, 206, 299_900, 300_000, 'bytes 299900-299999/300000'],
    ['the whole', {}, 200, 0, 300_000, ''],
    ['a range if the tag is another', { range: 'bytes=10-19', 'if-range': '"other"' }, 200, 0, 300_000, ''],
    ['a range in an unknown form', { range: 'lines=1-2' }, 200, 0, 300_000, ''],
    ['a range out of the file', { range: 'bytes=300000-' }, 416, 0, 0, 'bytes */300000'],
  ];
  for (const protocol of ['h2', 'https/1.1', 'http/1.1'] as const) {
    it(`answers ${rows.length} kinds of range over ${protocol}, from memory and from disk alike`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'spec-'));
      const path = join(folder, 'clip.mp4');
      await writeFile(path, clip);
      try {
        const server = closing(await createClipServer({ files: { '/memory': clip, '/disk': path }, protocol }));
        const pool = closing(createPool({ policy, ...(server.ca === undefined ? {} : { ca: server.ca }) }));
        for (const name of ['memory', 'disk']) {
          for (const [what, headers, status, start, end, contentRange] of rows) {
            const answer = await pool.request(`${server.url}/${name}?token=1`, { headers });
            assert.equal(answer.status, status, what);
            assert.equal(answer.headers['content-range'] ?? '', contentRange, what);
            assert.equal(Number(answer.headers['content-length']), end - start, what);
            assert.ok((await collect(answer.body)).equals(clip.subarray(start, end)), what);
          }
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }

  it('knows no other paths, own properties of objects included', async () => {
    const server = closing(await createClipServer({ files: { '/clip.mp4': clip } }));
    const pool = closing(createPool({ policy, ca: server.ca ?? '' }));
    for (const path of ['/', '/none', '/../clip.mp4/', '/constructor']) {
      const { status, cancel } = await pool.request(server.url + path);
      cancel();
      assert.equal(status, 404);
    }
  });

  it('honours If-Range with its own tag', async () => {
    const server = closing(await createClipServer({ files: { '/clip.mp4': clip } }));
    const pool = closing(createPool({ policy, ca: server.ca ?? '' }));
    const { headers: first, cancel } = await pool.request(`${server.url}/clip.mp4`);
    cancel();
    const headers = { range: 'bytes=0-9', 'if-range': String(first.etag) };
    const answer = await pool.request(`${server.url}/clip.mp4`, { headers });
    assert.equal(answer.status, 206);
    assert.equal((await collect(answer.body)).length, 10);
  });
});

describe('the shaped link', () => {
  const closing = cleanUpAfterEach();

  async function set() {
    const server = closing(await createClipServer({ files: { '/clip.mp4': clip } }));
    const link = closing(
      await createShapedLink({ targetPort: server.port, rttMs: 20, bytesPerSecond: 2e6, setUpMs: 100 }),
    );
    return {
      server,
      link,
      pool: closing(createPool({ policy, ca: server.ca ?? '' })),
      url: `https://localhost:${link.port}/clip.mp4`,
    };
  }

  it('passes every byte on, in order, on several streams and connections at once', async () => {
    const { url, server, pool, link } = await set();
    const second = closing(createPool({ policy, ca: server.ca ?? '' }));
    const bodies = await Promise.all([pool, pool, second].map(async (from) => collect((await from.request(url)).body)));
    assert.ok(bodies.every((body) => body.equals(clip)));
    assert.equal(openClientSockets(link.port), 2);
  });

  it('charges a new connection its set-up and round trips, a warm one its round trip, and bytes their rate', async () => {
    const { url, pool } = await set();
    const answer = async (range: string) => {
      const begun = performance.now();
      const { body } = await pool.request(url, { headers: { range } });
      const firstByteMs = performance.now() - begun;
      await collect(body);
      return { firstByteMs, wholeMs: performance.now() - begun };
    };
    // Lower bounds only: a link can not be faster than its delays, a busy machine may be slower.
    assert.ok((await answer('bytes=0-9')).firstByteMs >= 100 + 3 * 20 - 1);
    assert.ok((await answer('bytes=0-9')).firstByteMs >= 20 - 1);
    assert.ok((await answer('bytes=0-299999')).wholeMs >= 300_000 / 2000 - 10);
  });

  it('ends both sides when either leaves, and closes with connections open', async () => {
    const { url, server, pool, link } = await set();
    const { body } = await pool.request(url);
    for await (const _ of body) break;
    await link.close();
    assert.equal(openClientSockets(server.port), 0);
    await pool.close();
    assert.equal(openClientSockets(link.port), 0);
  });
});
