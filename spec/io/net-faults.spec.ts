import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TikitakaError } from '../../operators/index.js';
import {
  type ByteSource,
  createLinkPolicy,
  createPool,
  type HttpSourceOptions,
  openHttpSource,
  type PoolOptions,
} from '../../src/net/index.js';
import { collect, patternBytes, until } from '../support/bytes.js';
import { cleanUpAfterEach } from '../support/clean-up.js';
import { openClientSockets } from '../support/client-sockets.js';
import { createHostileServer, drained, type HostileExchange } from '../support/hostile-server.js';
import { unhandledDuring } from '../support/unhandled.js';

const HEAD = 65_536;
const clip = patternBytes(1_000_000);
const policy = createLinkPolicy({ allowPrivate: true });

type Answer = (exchange: HostileExchange) => void | Promise<void>;

/** Mistreats the first `times` requests that begin at or behind the head, serves the others. */
const tailFault =
  (fault: Answer, times = 1): Answer =>
  (exchange) => {
    if (exchange.start < HEAD || times === 0) return exchange.serve();
    times -= 1;
    return fault(exchange);
  };

describe('net: faults of the server', () => {
  const closing = cleanUpAfterEach();

  async function set(answer: Answer, poolOptions: PoolOptions = {}) {
    const seen: HostileExchange[] = [];
    const server = closing(
      await createHostileServer(clip, (exchange) => {
        seen.push(exchange);
        return answer(exchange);
      }),
    );
    const pool = closing(createPool({ policy, ca: server.ca, readTimeoutMs: 2000, ...poolOptions }));
    const open = async (options: Partial<HttpSourceOptions> = {}) =>
      closing(await openHttpSource(server.url, { pool, headBytes: HEAD, backOffMs: 1, ...options }));
    return { server, pool, open, seen };
  }
  const whole = (source: ByteSource) => collect(source.read({ start: 0 }));

  describe('status', () => {
    it('5xx is tried again until it passes', async () => {
      const { open, seen } = await set((exchange) => (exchange.number < 3 ? exchange.status(503) : exchange.serve()));
      const source = await open();
      assert.ok((await whole(source)).equals(clip));
      assert.equal(source.requests, 4);
      assert.deepEqual(
        seen.map(({ start }) => start),
        [0, 0, 0, HEAD],
      );
    });

    it('5xx that stays is ERR_SOURCE_STATUS after the retries, on one connection', async () => {
      const { server, open } = await set((exchange) => exchange.status(500));
      await assert.rejects(open({ retries: 2 }), {
        code: 'ERR_SOURCE_STATUS',
        retryable: true,
        details: { status: 500 },
      });
      assert.deepEqual({ ...server.stats }, { connections: 1, open: 1, requests: 3 });
    });

    for (const [what, headers] of [
      ['an error', { ':status': 503 }],
      ['a redirect', { ':status': 302, location: '/clip.mp4' }],
    ] as const) {
      it(`the body of ${what} holds no place on the connection`, async () => {
        const { pool, open } = await set((exchange) => {
          if (exchange.number > 1) return exchange.serve();
          exchange.stream.respond(headers);
          exchange.stream.end(clip.subarray(0, 400_000));
        });
        assert.ok((await whole(await open())).equals(clip));
        await until(() => pool.stats().idle === 1, 'no exchange is left');
      });
    }

    for (const status of [400, 401, 403, 404, 410]) {
      it(`${status} is not tried again`, async () => {
        const { server, open } = await set((exchange) => exchange.status(status));
        await assert.rejects(open(), { code: 'ERR_SOURCE_STATUS', retryable: false, details: { status } });
        assert.equal(server.stats.requests, 1);
      });
    }

    it('a link that expires in the middle is ERR_SOURCE_STATUS; what was read stays readable', async () => {
      const { open } = await set(tailFault((exchange) => exchange.status(403), Infinity));
      const source = await open();
      await assert.rejects(whole(source), { code: 'ERR_SOURCE_STATUS', details: { status: 403 } });
      assert.equal((await collect(source.read({ start: 0, end: HEAD }))).length, HEAD);
    });

    it('another range than asked for is refused', async () => {
      const { open } = await set(
        tailFault((exchange) => exchange.status(206, { 'content-range': `bytes 0-9/${clip.length}` }), Infinity),
      );
      await assert.rejects(collect((await open()).read({ start: 500_000, end: 500_010 })), {
        code: 'ERR_SOURCE_STATUS',
      });
    });

    it('a body shorter than asked for, honestly announced, is followed by the next', async () => {
      const { open, seen } = await set((exchange) => {
        const end = Math.min(exchange.end, exchange.start + 300_000);
        exchange.begin({
          'content-range': `bytes ${exchange.start}-${end - 1}/${clip.length}`,
          'content-length': end - exchange.start,
        });
        return exchange.send(end).then(() => {
          exchange.stream.end();
        });
      });
      assert.ok((await whole(await open())).equals(clip));
      assert.deepEqual(
        seen.map(({ start }) => start),
        [0, HEAD, HEAD + 300_000, HEAD + 600_000, HEAD + 900_000],
      );
    });

    it('a whole whose size nobody tells is read to its end', async () => {
      const { open } = await set((exchange) => {
        const last = exchange.start === 0 ? exchange.end - 1 : clip.length - 1;
        exchange.stream.respond({ ':status': 206, 'content-range': `bytes ${exchange.start}-${last}/*` });
        return exchange.send().then(() => {
          exchange.stream.end();
        });
      });
      const source = await open();
      assert.equal(source.sizeBytes, undefined);
      assert.ok((await whole(source)).equals(clip));
    });
  });

  describe('a body that breaks off is resumed behind the last byte that came', () => {
    const breaks: readonly (readonly [string, Answer])[] = [
      ['reset of the stream', (exchange) => exchange.reset()],
      ['TCP connection cut', (exchange) => exchange.hangUp()],
      ['graceful GOAWAY', (exchange) => exchange.session.goaway(0, exchange.stream.id)],
      ['GOAWAY with an error', (exchange) => exchange.session.goaway(2, 0)],
      ['session destroyed', (exchange) => exchange.session.destroy()],
      ['end before the announced length', (exchange) => void exchange.stream.end()],
    ];
    for (const [what, fault] of breaks) {
      it(what, async () => {
        const { open, seen } = await set(
          tailFault(async (exchange) => {
            exchange.begin();
            await exchange.send(500_000);
            await fault(exchange);
          }),
        );
        const source = await open();
        assert.ok((await whole(source)).equals(clip));
        const resumed = seen.at(-1);
        assert.equal(seen.length, 3);
        assert.ok((resumed?.start ?? 0) > HEAD && (resumed?.start ?? 0) <= 500_000, `resumed at ${resumed?.start}`);
        assert.equal(resumed?.headers['if-range'], '"one"');
      });
    }

    it('GOAWAY under several reads: each is resumed', async () => {
      let faults = 3;
      const { open, server } = await set(async (exchange) => {
        if (exchange.start < HEAD || faults === 0) return exchange.serve();
        exchange.begin();
        await exchange.send(exchange.start + 50_000);
        faults -= 1;
        if (faults === 0) exchange.session.goaway();
      });
      const source = await open();
      const starts = [100_000, 400_000, 700_000];
      const parts = await Promise.all(starts.map((start) => collect(source.read({ start, end: start + 200_000 }))));
      parts.forEach((part, i) => {
        assert.ok(part.equals(clip.subarray(starts[i], (starts[i] ?? 0) + 200_000)));
      });
      assert.equal(server.stats.connections, 2);
    });

    it('in the head too', async () => {
      const { open } = await set(async (exchange) => {
        if (exchange.number > 1) return exchange.serve();
        exchange.begin();
        await exchange.send(30_000);
        exchange.reset();
      });
      assert.ok((await whole(await open())).equals(clip));
    });

    it('again and again as long as it gets on', async () => {
      const { open, server } = await set(async (exchange) => {
        if (exchange.start < HEAD) return exchange.serve();
        exchange.begin();
        await exchange.send(Math.min(exchange.end, exchange.start + 300_000));
        if (exchange.start + 300_000 < exchange.end) exchange.reset();
        else exchange.stream.end();
      });
      assert.ok((await whole(await open({ retries: 1 }))).equals(clip));
      assert.ok(server.stats.requests >= 5);
    });

    it('but not without end where it does not: ERR_SOURCE_TRUNCATED', async () => {
      const { open, server } = await set(
        tailFault(async (exchange) => {
          exchange.begin();
          await exchange.send(exchange.start + 10);
          exchange.stream.end();
        }, Infinity),
      );
      await assert.rejects(whole(await open({ retries: 3 })), { code: 'ERR_SOURCE_TRUNCATED' });
      assert.equal(server.stats.requests, 5);
    });

    it('and not when the file has changed meanwhile: ERR_SOURCE_CHANGED', async () => {
      for (const change of [
        { ':status': 200, etag: '"two"' },
        { ':status': 206, etag: '"two"', 'content-range': `bytes 500000-999999/${clip.length}` },
        { ':status': 206, etag: '"one"', 'content-range': 'bytes 500000-999999/2000000' },
      ]) {
        const { open } = await set((exchange) =>
          exchange.start < HEAD ? exchange.serve() : exchange.stream.respond(change, { endStream: true }),
        );
        await assert.rejects(collect((await open()).read({ start: 500_000 })), { code: 'ERR_SOURCE_CHANGED' });
      }
    });

    it('where the server does not do ranges there is no resuming', async () => {
      const { open, server } = await set(async (exchange) => {
        exchange.stream.respond({ ':status': 200, 'content-length': clip.length });
        await exchange.send(300_000);
        exchange.reset();
      });
      await assert.rejects(whole(await open()), { code: 'ERR_SOURCE_TRUNCATED' });
      assert.equal(server.stats.requests, 1);
    });
  });

  describe('a connection that is gone', () => {
    it('before the answer: tried again, ERR_SOURCE_CONNECT in the end', async () => {
      const { open, server } = await set((exchange) => exchange.hangUp());
      await assert.rejects(open({ retries: 2 }), { code: 'ERR_SOURCE_CONNECT', retryable: true });
      assert.equal(server.stats.connections, 3);
    });

    it('by a GOAWAY while idle: the next request takes a new one', async () => {
      const { pool, open, server, seen } = await set((exchange) => exchange.serve());
      (await open()).close();
      await until(() => pool.stats().idle === 1);
      seen[0]?.session.goaway();
      await until(() => pool.stats().open === 0, 'the connection was given up');
      await open();
      assert.equal(server.stats.connections, 2);
    });

    it('a stream refused on a living connection is tried again there', async () => {
      const { open, server } = await set((exchange) =>
        exchange.number === 1 ? exchange.stream.close(7) : exchange.serve(),
      );
      await open();
      assert.equal(server.stats.connections, 1);
    });
  });

  describe('silence', () => {
    it('before the headers is ERR_SOURCE_STALLED, and the connection is not trusted again', async () => {
      const { open, server } = await set(() => {}, { readTimeoutMs: 300 });
      await assert.rejects(open({ retries: 1 }), { code: 'ERR_SOURCE_STALLED', retryable: true });
      assert.equal(server.stats.connections, 2);
      await until(() => openClientSockets(server.port) === 0, 'the silent connections closed');
    });

    it('in the body is resumed on a new connection', async () => {
      const { open, server, seen } = await set(
        tailFault(async (exchange) => {
          exchange.begin();
          await exchange.send(500_000);
        }),
        { readTimeoutMs: 400 },
      );
      assert.ok((await whole(await open())).equals(clip));
      assert.equal(server.stats.connections, 2);
      assert.equal(seen.at(-1)?.start, 500_000);
    });

    it('on one stream lets the others on the connection end before it goes', async () => {
      const { pool, open, server } = await set(
        async (exchange) => {
          if (exchange.start !== 300_000) return exchange.serve();
        },
        { readTimeoutMs: 200 },
      );
      const source = await open({ retries: 0 });
      const other = source.read({ start: 600_000 })[Symbol.asyncIterator]();
      await other.next();
      await assert.rejects(collect(source.read({ start: 300_000, end: 300_001 })), { code: 'ERR_SOURCE_STALLED' });
      assert.equal(openClientSockets(server.port), 1);
      for (let next = await other.next(); !next.done; next = await other.next());
      await until(() => openClientSockets(server.port) === 0, 'the suspect connection is closed');
      assert.equal(pool.stats().open, 0);
    });

    it('behind a head that a reader left harms nobody', async () => {
      const { open, pool, server } = await set((exchange) => {
        if (exchange.start < HEAD) return exchange.serve();
      });
      const unhandled = await unhandledDuring(async () => {
        const source = await open();
        for await (const _ of source.read({ start: 0 })) {
          await until(() => server.stats.requests === 2);
          break;
        }
        await until(() => pool.stats().idle === 1, 'the request made ahead is given up');
      });
      assert.deepEqual(unhandled, []);
    });

    it('that stays is ERR_SOURCE_STALLED', async () => {
      const { open } = await set(
        tailFault((exchange) => exchange.begin(), Infinity),
        { readTimeoutMs: 200 },
      );
      await assert.rejects(whole(await open({ retries: 1 })), { code: 'ERR_SOURCE_STALLED' });
    });
  });

  describe('too much', () => {
    it('an endless body without a length ends with ERR_SOURCE_TOO_LARGE, read no further', async () => {
      const { pool, open } = await set(async ({ stream }) => {
        stream.respond({ ':status': 200 });
        while (!stream.destroyed) {
          if (!stream.write(clip.subarray(0, 65_536))) await drained(stream);
        }
      });
      const source = await open({ maxBytes: 2_000_000 });
      await assert.rejects(whole(source), { code: 'ERR_SOURCE_TOO_LARGE', details: { maxBytes: 2_000_000 } });
      assert.ok(source.bytesRead < 2_300_000);
      source.close();
      await until(() => pool.stats().idle === 1);
    });
  });

  describe('redirects', () => {
    const chain =
      (hops: number): Answer =>
      (exchange) => {
        const hop = Number(new URL(exchange.path, 'https://localhost').searchParams.get('hop') ?? 0);
        return hop === hops ? exchange.serve() : exchange.status(302, { location: `/clip.mp4?hop=${hop + 1}` });
      };

    it('are followed with the Range; later reads go to the end of the chain at once', async () => {
      const { open, seen } = await set(chain(5));
      const source = await open();
      assert.ok((await whole(source)).equals(clip));
      assert.equal(seen.length, 7);
      assert.ok(seen.slice(0, 6).every(({ headers }) => headers.range === `bytes=0-${HEAD - 1}`));
      assert.equal(seen.at(-1)?.path, '/clip.mp4?hop=5');
    });

    it('but not for ever', async () => {
      const { open, server } = await set(chain(Infinity));
      await assert.rejects(open(), { code: 'ERR_SOURCE_STATUS', details: { status: 302, redirects: 6 } });
      assert.equal(server.stats.requests, 6);
    });

    for (const [location, why] of [
      ['http://169.254.169.254/latest/meta-data/', 'metadata'],
      ['https://127.0.0.1/', 'loopback'],
      ['https://rebound.test/', 'a name that resolves to loopback'],
      ['file:///etc/passwd', 'a local file'],
      ['https://user:password@example.com/', 'credentials'],
    ] as const) {
      it(`to ${location} are refused: ${why}`, async () => {
        // The first hop's server runs here and is let pass; what counts is the second hop.
        const strict = createLinkPolicy();
        let looked = '';
        const { open, server } = await set((exchange) => exchange.status(302, { location }), {
          policy: {
            checkUrl: (link) => (new URL(link).hostname === 'localhost' ? new URL(link) : strict.checkUrl(link)),
            allowsAddress: (address) => looked === 'localhost' || strict.allowsAddress(address),
          },
          resolve: async (hostname) => {
            looked = hostname;
            return [{ address: '127.0.0.1', family: 4 }];
          },
        });
        await assert.rejects(open(), { code: 'ERR_SOURCE_REFUSED' });
        assert.equal(server.stats.requests, 1);
      });
    }
  });

  describe('oddities that are no faults', () => {
    const oddities: readonly (readonly [string, Answer])[] = [
      [
        'an interim answer before the real one',
        async (exchange) => {
          exchange.stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
          await exchange.serve();
        },
      ],
      [
        'trailers behind the body',
        async (exchange) => {
          exchange.stream.respond(
            { ':status': 206, 'content-range': `bytes ${exchange.start}-${exchange.end - 1}/${clip.length}` },
            { waitForTrailers: true },
          );
          exchange.stream.once('wantTrailers', () => exchange.stream.sendTrailers({ checksum: '1' }));
          await exchange.send();
          exchange.stream.end();
        },
      ],
      [
        'two GOAWAYs right behind the body',
        async (exchange) => {
          await exchange.serve();
          if (exchange.number > 2) return;
          exchange.session.goaway();
          exchange.session.goaway(0, exchange.stream.id);
          exchange.session.close();
        },
      ],
      [
        'a stream reset right behind the body',
        async (exchange) => {
          await exchange.serve();
          exchange.stream.close(8);
        },
      ],
      [
        'many empty DATA frames',
        async (exchange) => {
          exchange.begin();
          for (let i = 0; i < 20; i += 1) exchange.stream.write(new Uint8Array(0));
          await exchange.send();
          exchange.stream.end();
        },
      ],
    ];
    for (const [what, answer] of oddities) {
      it(what, async () => {
        const { open } = await set(answer);
        assert.ok((await whole(await open())).equals(clip));
      });
    }
  });

  it('a signal ends the pause between two tries', async () => {
    const leaving = new AbortController();
    const { open } = await set((exchange) => {
      exchange.status(503);
      setTimeout(() => leaving.abort(), 20);
    });
    await assert.rejects(open({ backOffMs: 60_000, signal: leaving.signal }), { code: 'ERR_ABORTED' });
  });

  it('after all of it, closing the pool leaves no socket', async () => {
    const { server, pool, open } = await set(tailFault((exchange) => exchange.begin(), Infinity));
    const source = await open();
    const readings = [100_000, 300_000, 600_000].map((start) => collect(source.read({ start })));
    const ended = Promise.all(
      readings.map((reading) => assert.rejects(reading, (error: TikitakaError) => error.code === 'ERR_ABORTED')),
    );
    await until(() => server.stats.requests === 4);
    await pool.close();
    await ended;
    assert.equal(openClientSockets(server.port), 0);
  });

  describe('on HTTP/1.1', () => {
    it('a body that breaks off is resumed, a short one too', async () => {
      const ranges: string[] = [];
      const server = createServer((request, response) => {
        const [, first = '0', last = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
        const [start, end] = [Number(first), last === '' ? clip.length : Math.min(Number(last) + 1, clip.length)];
        ranges.push(first);
        response.writeHead(206, {
          'content-range': `bytes ${start}-${end - 1}/${clip.length}`,
          'content-length': end - start,
          etag: '"one"',
        });
        if (ranges.length === 2 || ranges.length === 3) {
          response.write(clip.subarray(start, start + 100_000), () => setTimeout(() => response.destroy(), 20));
        } else response.end(clip.subarray(start, end));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const pool = closing(createPool({ policy }));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/clip.mp4`;
      const source = await openHttpSource(url, { pool, headBytes: HEAD, backOffMs: 1 });
      assert.ok((await whole(source)).equals(clip));
      assert.equal(ranges.length, 4);
      await pool.close();
      await new Promise((resolve) => server.close(resolve));
    });
  });
});
