import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Readiness } from '../../src/server/index.js';
import { answerOf, call, challengeBody, manualAnswerer, serverBox, until } from '../src/server/support.js';

const clip = 'https://cdn.example/clip.mp4';

describe('server: operations', () => {
  const box = serverBox();
  afterEach(() => box.closeAll());

  const begin = async (
    deps: Partial<Parameters<typeof box.start>[0]> = {},
    options: Parameters<typeof box.start>[1] = {},
  ) => {
    const work = manualAnswerer();
    const server = await box.start({ answerer: work.answerer, ...deps }, options);
    const get = (path: string, headers: Record<string, string> = {}) => call(`${server.url}${path}`, { headers });
    const status = (path: string) => call(`${server.statusUrl}${path}`);
    const post = (url: string, headers: Record<string, string> = {}) =>
      call(`${server.url}/soccer/challenge`, { method: 'POST', headers, body: challengeBody(url) });
    return { ...work, server, get, status, post };
  };

  for (const [host, bound, reached] of [
    ['0.0.0.0', '0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ...(Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
      ? [['::1', '[::1]', '[::1]'] as const, ['::', '[::]', '127.0.0.1'] as const]
      : []),
  ] as const) {
    it(`says that it listens on ${host}, and where that is reached`, async () => {
      const { server } = await begin({}, { host });
      assert.equal(server.boundUrl, `http://${bound}:${server.port}`);
      assert.equal(server.url, `http://${reached}:${server.port}`);
      assert.equal((await call(`${server.url}/livez`)).status, 200);
    });
  }

  it('lives', async () => {
    const { get } = await begin();
    const reply = await get('/livez');
    assert.deepEqual([reply.status, reply.text], [200, 'ok']);
  });

  it('is ready and available only when its parts are', async () => {
    let readiness: Readiness = { ready: false, checks: { models: { ok: false, detail: 'warming up' } } };
    const { get } = await begin({ readiness: () => readiness });
    assert.equal((await get('/availability')).text, '{"available":false}');
    const before = await get('/readyz');
    assert.equal(before.status, 503);
    assert.equal(before.text, '{"ready":false,"checks":{"models":{"ok":false,"detail":"warming up"}}}');
    readiness = { ready: true, checks: { models: { ok: true } } };
    assert.equal((await get('/availability')).text, '{"available":true}');
    assert.equal((await get('/readyz')).status, 200);
  });

  it('counts requests and challenges, and shows the gauges it is given', async () => {
    let ageS: number | undefined;
    const gauges = { tikitaka_chain_view_age_seconds: { help: 'age', value: () => ageS } };
    const { get, status, post, runs, emit } = await begin({ gauges });
    const answered = post(clip);
    await until(() => runs.length === 1);
    emit(0, answerOf(1));
    await answered;
    await post(clip);
    await get('/nowhere');
    const first = (await status('/metrics')).text;
    assert.match(first, /tikitaka_challenges_total\{outcome="answered"\} 1/);
    assert.match(first, /tikitaka_challenges_total\{outcome="cached"\} 1/);
    assert.match(first, /tikitaka_http_requests_total\{route="\/soccer\/challenge",status="200"\} 2/);
    assert.match(first, /tikitaka_http_requests_total\{route="other",status="404"\} 1/);
    assert.doesNotMatch(first, /tikitaka_chain_view_age_seconds \d/);
    ageS = 12;
    const second = await status('/metrics');
    assert.match(second.text, /tikitaka_chain_view_age_seconds 12/);
    assert.match(second.headers['content-type'] ?? '', /^text\/plain/);
  });

  it('describes itself in OpenAPI 3.1, every reference resolved', async () => {
    const { get } = await begin();
    const { text, headers } = await get('/openapi.json');
    assert.equal(headers['content-type'], 'application/json');
    const document = JSON.parse(text);
    assert.equal(document.openapi, '3.1.0');
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
      assert.ok(document.components.schemas[name ?? ''], name);
    }
    for (const [path, operations] of Object.entries<Record<string, unknown>>(document.paths)) {
      for (const method of Object.keys(operations)) {
        const reply = await call(`http://127.0.0.1:${box.port()}${path}`, { method: method.toUpperCase(), body: '' });
        assert.notEqual(reply.status, 404, path);
        assert.notEqual(reply.status, 405, path);
      }
    }
  });

  it('shows the page that it is given, and lets it load nothing', async () => {
    const page = await begin({ statusPage: ({ available, activeRuns }) => `<p>${available} ${activeRuns}` });
    const { status, headers, text } = await page.status('/');
    assert.deepEqual([status, headers['content-type'], text], [200, 'text/html; charset=utf-8', '<p>true 0']);
    assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
  });

  it('keeps the page and the metrics to the status address, and challenges to the public one', async () => {
    const { server, get, status } = await begin({ statusPage: () => '<p>' });
    for (const path of ['/', '/metrics'])
      assert.deepEqual([(await get(path)).status, (await status(path)).status], [404, 200]);
    const probes = ['/livez', '/readyz'];
    for (const path of probes) assert.deepEqual([(await get(path)).status, (await status(path)).status], [200, 200]);
    const challenge = await call(`${server.statusUrl}/soccer/challenge`, { method: 'POST', body: challengeBody(clip) });
    assert.equal(challenge.status, 404);
    assert.equal((await status('/availability')).status, 404);
  });

  it('serves neither where no status address is given', async () => {
    const { server, get } = await begin({ statusPage: () => '<p>' }, { status: undefined });
    assert.equal(server.statusUrl, undefined);
    assert.equal((await get('/metrics')).status, 404);
  });

  it('serves HEAD without a body', async () => {
    const { server } = await begin();
    const reply = await call(`${server.url}/availability`, { method: 'HEAD' });
    assert.deepEqual([reply.status, reply.text], [200, '']);
  });

  it('keeps connections for longer than the callers do', async () => {
    const { server } = await begin();
    const agent = new Agent({ keepAlive: true });
    const header = await new Promise<string | undefined>((resolve, reject) => {
      get(`${server.url}/availability`, { agent }, (response) => {
        response.resume().on('end', () => resolve(response.headers['keep-alive']?.toString()));
      }).on('error', reject);
    });
    agent.destroy();
    assert.equal(header, 'timeout=65');
  });

  it('reports a port that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await assert.rejects(begin({}, { port }), {
      code: 'ERR_LISTEN',
      message: new RegExp(`^Cannot listen on .*:${port}`),
    });
    const status = { host: '127.0.0.1', port };
    await assert.rejects(begin({}, { status }), {
      code: 'ERR_LISTEN',
      message: new RegExp(`^The status page: .*:${port}`),
    });
    await new Promise((resolve) => taken.close(resolve));
  });

  describe('graceful end', () => {
    it('lets a running challenge finish and refuses new ones', async () => {
      const { server, runs, emit, post, log } = await begin({}, { graceMs: 5_000 });
      const agent = new Agent({ keepAlive: true });
      const answered = post(clip);
      await until(() => runs.length === 1);
      server.app.drain();
      const refused = await post('https://cdn.example/other.mp4');
      assert.equal(refused.status, 503);
      assert.equal(refused.headers.connection, 'close');
      assert.match(refused.text, /ERR_SHUTDOWN/);
      const closed = server.close();
      emit(0, answerOf(1));
      assert.equal((await answered).status, 200);
      await closed;
      agent.destroy();
      assert.deepEqual(log, [`start ${clip}`, `end ${clip}`]);
      await assert.rejects(call(`${server.url}/livez`), { code: 'ECONNREFUSED' });
    });

    it('is not ready while it drains', async () => {
      const { server, get } = await begin();
      server.app.drain();
      const reply = await get('/readyz');
      assert.equal(reply.status, 503);
      assert.equal((await get('/availability')).text, '{"available":false}');
    });

    it('cuts what does not finish in time, and tells the caller', async () => {
      const { server, runs, post, log } = await begin({}, { graceMs: 20 });
      const answered = post(clip);
      await until(() => runs.length === 1);
      await server.close();
      const reply = await answered;
      assert.equal(reply.status, 503);
      assert.match(reply.text, /ERR_SHUTDOWN/);
      assert.deepEqual(log, [`start ${clip}`, `end ${clip}`]);
    });

    it('closes idle kept-alive connections at once', async () => {
      const { server } = await begin({}, { graceMs: 60_000 });
      const agent = new Agent({ keepAlive: true });
      await new Promise<void>((resolve, reject) => {
        get(`${server.url}/livez`, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
      });
      await server.close();
      agent.destroy();
    });

    it('may be asked twice', async () => {
      const { server } = await begin();
      assert.equal(server.close(), server.close());
      await server.close();
    });
  });
});
