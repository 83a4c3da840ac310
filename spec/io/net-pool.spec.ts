import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { createLinkPolicy, createPool, openHttpSource, type PoolOptions } from '../../src/net/index.js';
import { type ClipServerOptions, createClipServer } from '../../src/tools/demo/clip-server.js';
import { collect, patternBytes, until } from '../support/bytes.js';
import { cleanUpAfterEach } from '../support/clean-up.js';
import { openClientSockets } from '../support/client-sockets.js';

const clip = patternBytes(3_000_000);
const policy = createLinkPolicy({ allowPrivate: true });

describe('net: the pool', () => {
  const closing = cleanUpAfterEach();

  async function set(server: Partial<ClipServerOptions> = {}, pool: PoolOptions = {}) {
    const served = closing(await createClipServer({ files: { '/clip.mp4': clip }, ...server }));
    const ca = served.ca === undefined ? {} : { ca: served.ca };
    return { server: served, pool: closing(createPool({ policy, ...ca, ...pool })), url: `${served.url}/clip.mp4` };
  }
  const range = (start: number, end: number) => ({ range: `bytes=${start}-${end - 1}` });

  it('sends ten requests at once over one HTTP/2 connection, first use included', async () => {
    const { server, pool, url } = await set();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => pool.request(url, { headers: range(i * 1000, i * 1000 + 1000) })),
    );
    const bodies = await Promise.all(answers.map(({ body }) => collect(body)));
    assert.ok(Buffer.concat(bodies).equals(clip.subarray(0, 10_000)));
    assert.deepEqual(
      answers.map(({ connection }) => connection.httpVersion),
      Array.from({ length: 10 }, () => '2'),
    );
    assert.equal(server.stats.connections, 1);
    assert.equal(answers.filter(({ connection }) => connection.reused).length, 9);
  });

  it('tells what a cold connection cost and that a warm one was reused', async () => {
    const { pool, url } = await set();
    const cold = await pool.request(url, { headers: range(0, 10) });
    await collect(cold.body);
    const warm = await pool.request(url, { headers: range(0, 10) });
    await collect(warm.body);
    assert.equal(cold.connection.reused, false);
    assert.ok(cold.connection.setUp.tlsMs > 0 && cold.connection.setUp.tcpMs > 0 && cold.connection.setUp.dnsMs > 0);
    assert.equal(warm.connection.reused, true);
  });

  for (const protocol of ['https/1.1', 'http/1.1'] as const) {
    it(`falls back to ${protocol}: one exchange per connection, connections used again`, async () => {
      const { server, pool, url } = await set({ protocol });
      const answers = await Promise.all(
        Array.from({ length: 4 }, (_, i) => pool.request(url, { headers: range(i * 1000, i * 1000 + 1000) })),
      );
      assert.equal(server.stats.connections, 4);
      for (const { body, connection } of answers) {
        assert.equal((await collect(body)).length, 1000);
        assert.equal(connection.httpVersion, '1.1');
      }
      await until(() => pool.stats().idle === 4);
      await collect((await pool.request(url, { headers: range(0, 10) })).body);
      assert.equal(server.stats.connections, 4);
    });
  }

  it('opens no more connections than allowed and lets the others wait', async () => {
    const { server, pool, url } = await set({ protocol: 'https/1.1' }, { maxConnections: 2 });
    const bodies = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const { body } = await pool.request(url, { headers: range(i * 1000, i * 1000 + 1000) });
        return collect(body);
      }),
    );
    assert.ok(Buffer.concat(bodies).equals(clip.subarray(0, 6000)));
    assert.equal(server.stats.connections, 2);
  });

  it('keeps only so many idle connections', async () => {
    const { server, pool, url } = await set({ protocol: 'https/1.1' }, { maxKeptAlive: 1 });
    const answers = await Promise.all([1, 2, 3].map(() => pool.request(url, { headers: range(0, 10) })));
    await Promise.all(answers.map(({ body }) => collect(body)));
    await until(() => server.stats.open === 1, 'two of three connections closed');
    assert.deepEqual(pool.stats(), { open: 1, idle: 1, dialled: 3 });
  });

  it('gives the place of an idle connection to another origin when all places are taken', async () => {
    const { server, pool, url } = await set({}, { maxConnections: 1 });
    await collect((await pool.request(url, { headers: range(0, 10) })).body);
    await until(() => pool.stats().idle === 1);
    const other = url.replace('localhost', '127.0.0.1');
    await collect((await pool.request(other, { headers: range(0, 10) })).body);
    assert.equal(server.stats.connections, 2);
    assert.equal(pool.stats().open, 1);
  });

  it('closes an idle connection after the keep-alive time', async () => {
    const { server, pool, url } = await set({}, { keepAliveMs: 30 });
    await collect((await pool.request(url, { headers: range(0, 10) })).body);
    await until(() => server.stats.open === 0, 'the idle connection closed');
    assert.deepEqual(pool.stats(), { open: 0, idle: 0, dialled: 1 });
  });

  it('warms origins: the first request finds a live connection, which stays past the keep-alive time', async () => {
    const { server, pool, url } = await set({}, { keepAliveMs: 20 });
    const [warmed] = await pool.warm([server.url]);
    assert.equal(warmed?.httpVersion, '2');
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { body, connection } = await pool.request(url, { headers: range(0, 10) });
    await collect(body);
    assert.equal(connection.reused, true);
    assert.equal(server.stats.connections, 1);
    assert.deepEqual(server.stats.requests, ['GET /clip.mp4 bytes=0-9'], 'warming sends no request of its own');
  });

  it('warms HTTP/1.1 origins too', async () => {
    const { server, pool, url } = await set({ protocol: 'https/1.1' });
    await pool.warm([server.url]);
    const { body, connection } = await pool.request(url, { headers: range(0, 10) });
    await collect(body);
    assert.equal(connection.reused, true);
    assert.equal(server.stats.connections, 1);
  });

  it('reports an origin that can not be warmed, and rejects nothing', async () => {
    const pool = closing(createPool());
    const [local, port, name] = await pool.warm(['https://127.0.0.1', 'https://localhost:1', 'no link']);
    assert.deepEqual(
      [local, port, name].map((warmed) => warmed?.error?.code),
      ['ERR_SOURCE_REFUSED', 'ERR_SOURCE_REFUSED', 'ERR_SOURCE_REFUSED'],
    );
  });

  for (const protocol of ['h2', 'https/1.1', 'http/1.1'] as const) {
    it(`dials a lost warm origin again by itself (${protocol})`, async () => {
      const { server, pool } = await set({ protocol });
      await pool.warm([server.url]);
      server.dropConnections();
      await until(() => server.stats.connections === 2, 'the warm origin is connected again');
    });
  }

  it('warms no more origins than it may have connections, and gives the place of one to a request in need', async () => {
    const { server, pool } = await set({}, { maxConnections: 2 });
    const other = closing(await createClipServer({ files: { '/clip.mp4': clip }, protocol: 'http/1.1' }));
    const origins = [server.url, server.url.replace('localhost', '127.0.0.1'), other.url];
    const warmed = await pool.warm(origins);
    assert.deepEqual(
      warmed.map(({ error }) => error?.code),
      [undefined, undefined, 'ERR_OPTION'],
    );
    const { body } = await pool.request(`${other.url}/clip.mp4`, { headers: range(0, 10) });
    assert.equal((await collect(body)).length, 10);
    assert.equal(pool.stats().open, 2);
  });

  it('keeps an origin that delivered past the keep-alive time, dials it again when it is lost, and lets it go in the end', async () => {
    const { server, pool, url } = await set({}, { keepAliveMs: 20 });
    await collect((await pool.request(url, { headers: range(0, 10) })).body);
    assert.deepEqual(pool.keepWarm([server.url], 3_600_000), [server.url]);
    assert.deepEqual(pool.keepWarm([server.url], 3_600_000), [], 'it is kept already');
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(server.stats.open, 1);
    server.dropConnections();
    await until(() => server.stats.connections === 2, 'the origin is connected again');
    pool.keepWarm([server.url], 1);
    await until(() => server.stats.open === 0, 'nobody wants it any more');
    assert.equal(server.stats.connections, 2);
  });

  it('keeps no origin warm where connections are not reused', async () => {
    const { server, pool } = await set({}, { reuse: false });
    assert.deepEqual(pool.keepWarm([server.url], 1000), []);
  });

  it('takes a new connection after an HTTP/1.1 server has closed the last one with its answer', async () => {
    let connections = 0;
    const server = createHttpServer((_request, response) => {
      response.writeHead(200, { connection: 'close' }).end('0123456789');
    });
    server.on('connection', () => {
      connections += 1;
    });
    await listening(server);
    const pool = closing(createPool({ policy }));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for (const expected of [1, 2, 3]) {
      assert.equal((await collect((await pool.request(url)).body)).length, 10);
      assert.equal(connections, expected);
    }
    await pool.close();
    server.close();
  });

  it('survives a connection that died while idle: the request goes out again on a new one', async () => {
    const { server, pool, url } = await set();
    await collect((await pool.request(url, { headers: range(0, 10) })).body);
    server.dropConnections();
    const again = await pool.request(url, { headers: range(0, 10) });
    assert.equal((await collect(again.body)).length, 10);
    assert.equal(server.stats.connections, 2);
  });

  it('with reuse off, gives every source a connection of its own and closes it with the source', async () => {
    const { server, pool, url } = await set({}, { reuse: false });
    for (const expected of [1, 2]) {
      const source = await openHttpSource(url, { pool });
      await collect(source.read({ start: 500_000, end: 600_000 }));
      assert.equal(source.connection.reused, false);
      assert.equal(server.stats.connections, expected);
      source.close();
      await until(() => server.stats.open === 0, 'the connection of the source closed');
    }
  });

  it('with reuse off, closing the pool closes the connections of its sources', async () => {
    const { server, pool, url } = await set({}, { reuse: false });
    await openHttpSource(url, { pool });
    assert.equal(openClientSockets(server.port), 1);
    await pool.close();
    assert.equal(openClientSockets(server.port), 0);
  });

  it('a body that is left or cancelled early gives its place back', async () => {
    const { server, pool, url } = await set();
    const { body } = await pool.request(url);
    for await (const _ of body) break;
    await until(() => pool.stats().idle === 1, 'the place is free after leaving');
    const { cancel } = await pool.request(url);
    cancel();
    await until(() => pool.stats().idle === 1, 'the place is free after cancelling');
    const leaving = new AbortController();
    const { body: paused } = await pool.request(url, { signal: leaving.signal });
    await paused[Symbol.asyncIterator]().next();
    leaving.abort();
    await until(() => pool.stats().idle === 1, 'the place is free after an abort that no reader saw');
    assert.equal(server.stats.connections, 1);
  });

  it('does not reap a connection that is in use, however long its reader pauses', async () => {
    const { pool, url } = await set({}, { keepAliveMs: 20 });
    await collect((await pool.request(url, { headers: range(0, 10) })).body);
    const { body } = await pool.request(url);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await collect(body)).length, clip.length);
  });

  it('leaves no timer running and nothing on the signal when requests are over', async () => {
    const { pool, url } = await set();
    await new Promise((resolve) => setImmediate(resolve)); // mocha's own timer starts a moment after the test does
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const { signal } = new AbortController();
    await collect((await pool.request(url, { signal })).body);
    await assert.rejects(pool.request('https://localhost:1/', { signal }), { code: 'ERR_SOURCE_CONNECT' });
    assert.equal(timers(), before);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('close ends what runs with ERR_ABORTED and leaves no socket', async () => {
    const { server, pool, url } = await set();
    const { body } = await pool.request(url, { headers: range(0, 3_000_000) });
    const reading = assert.rejects(collect(body), { code: 'ERR_ABORTED' });
    assert.equal(openClientSockets(server.port), 1);
    await pool.close();
    assert.equal(openClientSockets(server.port), 0);
    await reading;
    await assert.rejects(pool.request(url), { code: 'ERR_ABORTED' });
    assert.deepEqual(pool.stats(), { open: 0, idle: 0, dialled: 1 });
    await pool.close();
  });

  it('close in the middle of a handshake leaves no socket', async () => {
    const silent = createServer();
    let open = 0;
    silent.on('connection', (socket) => {
      open += 1;
      socket
        .resume()
        .on('error', () => {})
        .once('close', () => {
          open -= 1;
        });
    });
    await listening(silent);
    const pool = createPool({ policy });
    const request = pool.request(`https://localhost:${(silent.address() as AddressInfo).port}/`);
    await until(() => open === 1);
    const rejected = assert.rejects(request, { code: 'ERR_ABORTED' });
    await pool.close();
    await rejected;
    await until(() => open === 0, 'the half-open connection closed');
    silent.close();
  });

  it('a signal ends the wait for a connection, which is finished for the next one', async () => {
    const { server, pool, url } = await set();
    const signal = AbortSignal.abort(new Error('changed my mind'));
    await assert.rejects(pool.request(url, { signal }), { code: 'ERR_ABORTED' });
    const leaving = new AbortController();
    const request = pool.request(url, { signal: leaving.signal });
    leaving.abort();
    await assert.rejects(request, { code: 'ERR_ABORTED' });
    const { body, connection } = await pool.request(url, { headers: range(0, 10) });
    await collect(body);
    assert.equal(server.stats.connections, 1);
    assert.equal(connection.httpVersion, '2');
  });

  it('refuses options out of range', () => {
    for (const options of [
      { maxConnections: 0 },
      { maxKeptAlive: -1 },
      { keepAliveMs: Number.NaN },
      { readTimeoutMs: 0 },
    ]) {
      assert.throws(() => createPool(options), { code: 'ERR_OPTION' });
    }
  });

  describe('connect failures', () => {
    const connectError = (step: string) => (error: { code: string; details: { step: string } }) => {
      assert.equal(error.code, 'ERR_SOURCE_CONNECT');
      assert.equal(error.details.step, step);
      return true;
    };

    it('a name that does not resolve', async () => {
      const pool = closing(createPool());
      await assert.rejects(pool.request('https://no-such-host.invalid/'), { code: 'ERR_SOURCE_CONNECT' });
    });

    it('a resolver that never answers', async () => {
      const pool = closing(createPool({ connectTimeoutMs: 20, resolve: () => new Promise(() => {}) }));
      await assert.rejects(pool.request('https://example.com/'), connectError('DNS look-up'));
    });

    it('a port where nobody listens', async () => {
      const closed = createServer();
      await listening(closed);
      const { port } = closed.address() as AddressInfo;
      await new Promise((resolve) => closed.close(resolve));
      const pool = closing(createPool({ policy }));
      await assert.rejects(pool.request(`https://127.0.0.1:${port}/`), connectError('TCP connection'));
    });

    it('a server that accepts and never shakes hands', async () => {
      const silent = createServer((socket) => socket.on('error', () => {}).resume());
      await listening(silent);
      const pool = closing(createPool({ policy, readTimeoutMs: 30 }));
      const { port } = silent.address() as AddressInfo;
      await assert.rejects(pool.request(`https://localhost:${port}/`), connectError('TLS handshake'));
      await new Promise((resolve) => silent.close(resolve));
    });

    it('a certificate that nobody vouches for', async () => {
      const { url } = await set();
      const pool = closing(createPool({ policy }));
      await assert.rejects(pool.request(url), { code: 'ERR_SOURCE_CONNECT', retryable: false });
    });

    it('a certificate for another name', async () => {
      const { server, pool } = await set({}, { resolve: async () => [{ address: '127.0.0.1', family: 4 }] });
      const link = `https://elsewhere.test:${server.port}/clip.mp4`;
      await assert.rejects(pool.request(link), { code: 'ERR_SOURCE_CONNECT', retryable: false });
    });
  });

  describe('the link policy at connect time', () => {
    it('refuses a name that resolves to this machine (DNS rebinding), whatever it resolved to before', async () => {
      const { server } = await set();
      let looked = 0;
      const pool = closing(
        createPool({
          resolve: async () => {
            looked += 1;
            return [{ address: '127.0.0.1', family: 4 }];
          },
        }),
      );
      await assert.rejects(pool.request(`https://rebound.test:${server.port}/clip.mp4`), {
        code: 'ERR_SOURCE_REFUSED',
      });
      assert.equal(looked, 1);
      assert.equal(server.stats.connections, 0);
    });

    it('dials the allowed addresses of a name only', async () => {
      const { server } = await set();
      const only127 = { ...policy, allowsAddress: (address: string) => address === '127.0.0.1' };
      const pool = closing(
        createPool({
          policy: only127,
          ca: server.ca ?? '',
          resolve: async () => [
            { address: '127.0.0.2', family: 4 },
            { address: '127.0.0.1', family: 4 },
          ],
        }),
      );
      const { body } = await pool.request(`${server.url}/clip.mp4`, { headers: range(0, 10) });
      assert.equal((await collect(body)).length, 10);
    });
  });
});

async function listening(server: Server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}
