import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  answerOf,
  call,
  chainAuth,
  challengeBody,
  frameText,
  manualAnswerer,
  serverBox,
  until,
} from '../src/server/support.js';
import { type RawConnection, rawConnections } from '../support/raw-connection.js';
import { unhandledDuring } from '../support/unhandled.js';

const clip = 'https://cdn.example/clip.mp4';
const get = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const challenge = (() => {
  const body = challengeBody(clip);
  return `POST /soccer/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
})();

describe('server: the front door', () => {
  const box = serverBox();
  const raws = rawConnections();
  afterEach(async () => {
    raws.closeAll();
    await box.closeAll();
  });

  const begin = async (
    options: Parameters<typeof box.start>[1] = {},
    deps: Partial<Parameters<typeof box.start>[0]> = {},
  ) => {
    const work = manualAnswerer();
    const server = await box.start({ answerer: work.answerer, ...deps }, options);
    const raw = (first?: string) => raws.open(server.port, first);
    const lives = async () => assert.equal((await call(`${server.url}/livez`)).status, 200);
    const metrics = async () => (await call(`${server.statusUrl}/metrics`)).text;
    return { ...work, server, raw, lives, metrics };
  };

  describe('whatever comes is answered, counted and survived', () => {
    /** With the route that it is counted under. */
    const rows: readonly [what: string, request: string, status: number, route: string][] = [
      ['a target that no parser takes', get('http://['), 400, 'other'],
      ['an IPv6 address without an end', get('http://[::1'), 400, 'other'],
      ['a port that is no number', get('http://x:port/livez'), 400, 'other'],
      ['a host of forbidden letters', get('http://a<b/livez'), 400, 'other'],
      ['an absolute target', get('http://elsewhere.example/livez'), 200, '/livez'],
      ['an absolute target without a path', get('http://elsewhere.example'), 404, 'other'],
      ['percent signs that encode nothing', get('/%zz%E0%A4%A%'), 404, 'other'],
      ['bytes that are no ASCII', get('/\xff\xfe\x80'), 400, 'other'],
      ['a path of slashes', get('//////'), 404, 'other'],
      ['a path that climbs', get('/../../etc/passwd'), 404, 'other'],
      ['brackets in the query', get('/livez?[=]&#['), 200, '/livez'],
      ['names of the prototype', get('/__proto__/constructor'), 404, 'other'],
      ['another spelling of a route', get('/LiVeZ/'), 200, '/livez'],
      ['the server as a whole', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 404, 'other'],
      ['a tunnel', 'CONNECT a.example:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'other'],
      ['a tunnel to nowhere', 'CONNECT [ HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'other'],
      ['a WebSocket', get('/livez', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), 200, '/livez'],
      ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'other'],
      ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n', 400, 'other'],
      ['no target', 'GET  HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'other'],
      [
        'two lengths',
        'POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
        400,
        'other',
      ],
      ['a negative length', 'POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400, 'other'],
      ['a zero in a header', get('/livez', 'X-A: a\0b\r\n'), 400, 'other'],
      ['101 headers', get('/livez', 'X: y\r\n'.repeat(100)), 431, '/livez'],
      ['a head of 20 KB', get('/livez', `X: ${'y'.repeat(20_000)}\r\n`), 431, 'other'],
      ['a wrong method', 'DELETE /soccer/challenge HTTP/1.1\r\nHost: x\r\n\r\n', 405, '/soccer/challenge'],
    ];
    for (const [what, request, status, route] of rows) {
      it(`${status}: ${what}`, async () => {
        const { server, raw, lives, metrics } = await begin();
        const unhandled = await unhandledDuring(async () => {
          const seen = raw(request);
          await until(() => seen.closed || seen.text.includes('\r\n\r\n'));
          assert.equal(/^HTTP\/1\.1 (\d+) /.exec(seen.text)?.[1], String(status));
          await lives();
        });
        assert.deepEqual(unhandled, []);
        const counted = (await metrics()).match(/^tikitaka_http_requests_total\{.*/gm) ?? [];
        const wanted = `tikitaka_http_requests_total{route="${route}",status="${status}"} `;
        assert.ok(
          counted.some((line) => line.startsWith(wanted)),
          counted.join('\n'),
        );
        const routes = counted.map((line) => /route="(.*?)"/.exec(line)?.[1]);
        assert.deepEqual([...new Set(routes)].sort(), [...new Set([route, '/livez'])].sort());
        await server.close();
      });
    }
  });

  /** Answered again and again on one connection, each time after the answer before. */
  const asksAgain = async (seen: RawConnection, times: number) => {
    const answers = () => seen.text.split('HTTP/1.1 200').length - 1;
    for (let before = answers(), done = 0; done < times; done++, before++) {
      seen.socket.write(get('/livez'));
      await until(() => seen.closed || answers() > before);
      assert.equal(seen.closed, false);
    }
  };

  it('closes behind an answer where garbage follows it', async () => {
    const { raw, lives } = await begin();
    const seen = raw(`${get('/livez')}garbage\r\n\r\n`);
    await until(() => seen.closed);
    await lives();
  });

  it('does not answer garbage into the middle of an answer', async () => {
    const { raw, runs, emit, lives } = await begin();
    const seen = raw(challenge.replace('\r\n', '\r\nAccept: application/x-ndjson\r\n'));
    await until(() => runs.length === 1);
    emit(0, { type: 'first', read: () => frameText(0) });
    await until(() => seen.text.includes('"event":"first"'));
    seen.socket.write('garbage\r\n\r\n');
    await until(() => seen.closed);
    assert.equal(seen.text.split('HTTP/1.1').length, 2);
    await lives();
  });

  it('survives callers that break off in the middle of anything', async () => {
    const { raw, lives } = await begin();
    const unhandled = await unhandledDuring(async () => {
      for (const part of [
        '',
        'GE',
        get('/livez').slice(0, -3),
        challenge.slice(0, -5),
        'CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n',
      ]) {
        const seen = raw(part);
        await once(seen.socket, 'connect');
        seen.socket.resetAndDestroy();
      }
      await lives();
    });
    assert.deepEqual(unhandled, []);
  });

  for (const target of ['POST /livez', 'POST /nowhere', 'GET http://[', 'PUT /readyz']) {
    it(`cuts an endless body behind an answer: ${target}`, async () => {
      const { raw, lives } = await begin();
      const seen = raw(`${target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const pump = () => {
        while (!seen.closed && seen.socket.write(chunk));
      };
      seen.socket.on('drain', pump);
      pump();
      await until(() => seen.closed);
      assert.match(seen.text, /^HTTP\/1\.1 4/);
      assert.ok(seen.socket.bytesWritten < 64 << 20, `${seen.socket.bytesWritten} bytes were taken`);
      await lives();
    });
  }

  it('is reached at an address of version 6 too', async function () {
    const server = await begin({ host: '::1' }).catch(() => this.skip());
    assert.equal(server.server.url, `http://[::1]:${server.server.port}`);
    await server.lives();
  });

  it('refuses a limit that cannot be', async () => {
    await assert.rejects(begin({ maxClients: 0 }), { code: 'ERR_OPTION' });
  });

  it('closes at its end what it has let go of, too', async () => {
    const { server, raw } = await begin();
    const seen = raw('CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n');
    seen.socket.pause();
    await once(seen.socket, 'connect');
    await server.close();
  });

  describe('clocks', () => {
    it('408 for a head that does not arrive, and for silence; a connection that is kept alive has more time than that', async () => {
      const { raw, metrics } = await begin({ headTimeoutMs: 1_000 });
      const kept = raw();
      await asksAgain(kept, 1);
      const late = [undefined, 'GET /livez HT', 'GET /livez HTTP/1.1\r\nX-Slow: '].map(raw);
      await until(() => late.every(({ closed }) => closed));
      for (const { text } of late) assert.match(text, /^HTTP\/1\.1 408 /);
      await asksAgain(kept, 1);
      assert.match(await metrics(), /tikitaka_http_requests_total\{route="other",status="408"\} 3/);
    });
  });

  describe('connections', () => {
    it('the one that sent no request for the longest time makes room', async () => {
      const { server, raw } = await begin({ maxClients: 3 });
      const first = raw();
      await asksAgain(first, 1);
      const silent = raw();
      await once(silent.socket, 'connect');
      const third = raw();
      await asksAgain(third, 1);
      await asksAgain(first, 1);
      const fourth = raw();
      await asksAgain(fourth, 1);
      await until(() => silent.closed);
      const fifth = raw();
      await asksAgain(fifth, 1);
      await until(() => third.closed);
      assert.deepEqual([first.closed, fourth.closed], [false, false]);
      await server.close();
    });

    it('a hundred times as many as there is room for keep nobody out', async () => {
      const { raw, lives, metrics } = await begin({ maxClients: 4 });
      const many = Array.from({ length: 400 }, () => raw('GET /livez HT'));
      await Promise.all(many.map(({ socket }) => once(socket, 'connect')));
      await lives();
      await until(() => many.filter(({ closed }) => !closed).length <= 4);
      assert.match(await metrics(), /tikitaka_http_requests_total\{route="other",status="503"\} 397/);
    });

    it('a challenge that is being answered is never closed for others, who are told that there is no room', async () => {
      const { raw, runs, emit, server } = await begin({ maxClients: 1 });
      const asking = raw(challenge);
      await until(() => runs.length === 1);
      const refused = raw(get('/livez'));
      await until(() => refused.closed);
      assert.match(refused.text, /^HTTP\/1\.1 503 .*Retry-After: 1\r\n.*"code":"ERR_CLIENTS"\}$/s);
      emit(0, answerOf(1));
      await until(() => asking.text.includes('"frames":['));
      assert.match(asking.text, /^HTTP\/1\.1 200 /);
      // Answered, it is a connection like others.
      await asksAgain(raw(), 1);
      await until(() => asking.closed);
      await server.close();
    });

    it('a caller that was not let in holds no place', async () => {
      const { raw } = await begin({ maxClients: 1 }, { auth: chainAuth() });
      const stranger = raw(challenge.slice(0, -1));
      await once(stranger.socket, 'connect');
      await asksAgain(raw(), 1);
      await until(() => stranger.closed);
    });
  });
});
