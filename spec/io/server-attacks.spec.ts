import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { cryptoReady } from '../../src/chain/keys.js';
import type { AppDeps, RefusedReason, ServerLog } from '../../src/server/index.js';
import { shortHotkey } from '../../src/server/refusals.js';
import { vectors } from '../src/server/auth-vectors.js';
import {
  answerOf,
  call,
  chainAuth,
  challengeBody,
  manualAnswerer,
  serverBox,
  signedHeaders,
  strangerAddress,
  until,
} from '../src/server/support.js';
import { rawConnections } from '../support/raw-connection.js';

const clip = 'https://cdn.example/clip.mp4';
const path = '/soccer/challenge';

describe('server: attacks', () => {
  const box = serverBox();
  const raws = rawConnections();
  before(cryptoReady);
  afterEach(async () => {
    raws.closeAll();
    await box.closeAll();
  });

  const begin = async (
    deps: Partial<Parameters<typeof box.start>[0]> = {},
    options: Parameters<typeof box.start>[1] = {},
  ) => {
    const work = manualAnswerer();
    const server = await box.start({ answerer: work.answerer, auth: chainAuth(), ...deps }, options);
    const signed = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
      call(`${server.url}${path}`, { method: 'POST', headers: { ...signedHeaders(body), ...headers }, body });
    const raw = (first: string) => raws.open(server.port, first);
    /** The signed path still works. */
    const stillServes = async () => {
      const before = work.runs.length;
      const answered = signed(challengeBody(`${clip}?${before}`));
      await until(() => work.runs.length > before);
      work.emit(before, answerOf(1));
      assert.equal((await answered).status, 200);
    };
    return { ...work, server, signed, raw, stillServes };
  };
  const head = (more: string) => {
    const headers = Object.entries(signedHeaders('')).map(([name, value]) => `${name}: ${value}`);
    return `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers.join('\r\n')}\r\n${more}\r\n`;
  };

  it('refuses a replay over the wire', async () => {
    const { server, runs, emit } = await begin();
    const body = challengeBody(clip);
    const headers = signedHeaders(body);
    const post = () => call(`${server.url}${path}`, { method: 'POST', headers, body });
    const first = post();
    await until(() => runs.length === 1);
    assert.equal((await post()).text, '{"detail":"Oi, that nonce is not valid!"}');
    emit(0, answerOf(1));
    assert.equal((await first).status, 200);
    assert.equal((await post()).status, 401);
  });

  describe('bodies', () => {
    const invalid: readonly [string, string | Uint8Array][] = [
      ['not JSON', '{"video_url":'],
      ['empty', ''],
      ['a byte-order mark', '\ufeff{"challenge_id":"x","video_url":"https://x/y"}'],
      ['not UTF-8', Buffer.concat([Buffer.from('{"challenge_id":"'), Buffer.from([0xff]), Buffer.from('"}')])],
      ['an array', '[]'],
      ['a string', '"https://x/y"'],
      ['null', 'null'],
      ['nested beyond reason', '['.repeat(30_000) + ']'.repeat(30_000)],
      ['a number as URL', '{"challenge_id":"x","video_url":5}'],
      ['an object as URL', '{"challenge_id":"x","video_url":{"href":"https://x"}}'],
      ['no challenge id', '{"video_url":"https://x/y"}'],
      ['an overlong challenge id', challengeBody(clip, 'x'.repeat(257))],
    ];
    for (const [name, body] of invalid) {
      it(`400: signed, but ${name}`, async () => {
        const { signed, log } = await begin();
        const reply = await signed(body);
        assert.equal(reply.status, 400);
        assert.equal(JSON.parse(reply.text).code, 'ERR_REQUEST');
        assert.deepEqual(log, []);
      });
    }

    const prototypes = [
      '{"__proto__":{"video_url":"https://x/y","challenge_id":"x"}}',
      '{"constructor":{"prototype":{"video_url":"https://x/y"}},"challenge_id":"x"}',
    ];
    for (const body of prototypes) {
      it(`takes nothing from a prototype key: ${body.slice(0, 20)}…`, async () => {
        const { signed, log } = await begin();
        assert.equal((await signed(body)).text, '{"detail":"No video URL provided"}');
        assert.equal(Object.hasOwn(Object.prototype, 'video_url'), false);
        assert.deepEqual(log, []);
      });
    }

    it('takes nothing from a polluted prototype', async () => {
      const { signed, log } = await begin();
      const pollute = { value: 'https://x/y', configurable: true };
      Object.defineProperties(Object.prototype, { video_url: pollute, challenge_id: pollute });
      try {
        assert.equal((await signed('{}')).text, '{"detail":"No video URL provided"}');
      } finally {
        for (const key of ['video_url', 'challenge_id']) Reflect.deleteProperty(Object.prototype, key);
      }
      assert.deepEqual(log, []);
    });

    it('413: announced too large, answered before it is sent', async () => {
      const { raw, stillServes } = await begin();
      const seen = raw(head('Content-Length: 65537\r\n'));
      await until(() => seen.text.includes('ERR_BODY_TOO_LARGE'));
      assert.match(seen.text, /^HTTP\/1\.1 413 /);
      await stillServes();
    });

    it('413: too large in chunks, though never announced', async () => {
      const { server, stillServes } = await begin();
      const reply = await call(`${server.url}${path}`, {
        method: 'POST',
        headers: { ...signedHeaders('x'), 'transfer-encoding': 'chunked' },
        body: Buffer.alloc(100_000, 'x'),
      });
      assert.equal(reply.status, 413);
      await stillServes();
    });

    it('accepts one as large as the cap', async () => {
      const { signed } = await begin();
      const reply = await signed(`{"challenge_id":"x"}${' '.repeat(65_536 - 20)}`);
      assert.equal(reply.text, '{"detail":"No video URL provided"}');
    });

    it('408: a body that does not arrive', async () => {
      const { raw, stillServes } = await begin({ bodyTimeoutMs: 30 });
      const seen = raw(head('Content-Length: 100\r\n'));
      seen.socket.write('{"chal');
      await until(() => seen.text.includes('ERR_BODY_TIMEOUT'));
      assert.match(seen.text, /^HTTP\/1\.1 408 /);
      await stillServes();
    });

    it('cuts an endless body soon after the answer', async () => {
      const { raw, stillServes } = await begin();
      const seen = raw(head('Transfer-Encoding: chunked\r\n'));
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const pump = () => {
        while (!seen.closed && seen.socket.write(chunk));
      };
      seen.socket.on('drain', pump);
      pump();
      await until(() => seen.closed);
      assert.ok(seen.socket.bytesWritten < 64 << 20, `${seen.socket.bytesWritten} bytes were taken`);
      await stillServes();
    });

    it('cuts an endless body of a stranger too', async () => {
      const { raw } = await begin();
      const seen = raw(`POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const pump = () => {
        while (!seen.closed && seen.socket.write(chunk));
      };
      seen.socket.on('drain', pump);
      pump();
      await until(() => seen.closed);
      assert.ok(seen.socket.bytesWritten < 64 << 20);
    });
  });

  describe('heads', () => {
    it('431: a head larger than 16 KiB', async () => {
      const { raw, stillServes } = await begin();
      const seen = raw(`GET /availability HTTP/1.1\r\nHost: x\r\n${`X-Flood: ${'y'.repeat(1000)}\r\n`.repeat(20)}\r\n`);
      await until(() => seen.closed);
      assert.match(seen.text, /^HTTP\/1\.1 431 /);
      await stillServes();
    });

    it('408: a head that does not arrive', async () => {
      const { raw, stillServes } = await begin({}, { headTimeoutMs: 200 });
      const seen = raw('GET /availability HTTP/1.1\r\nX-Slow: ');
      await until(() => seen.closed);
      assert.match(seen.text, /^HTTP\/1\.1 408 /);
      await stillServes();
    });

    it('400: not HTTP', async () => {
      const { raw, stillServes } = await begin();
      const seen = raw('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
      await until(() => seen.closed);
      assert.match(seen.text, /^HTTP\/1\.1 400 /);
      await stillServes();
    });

    it('does not care for Host, which callers write as a number', async () => {
      const { server } = await begin();
      const reply = await call(`${server.url}/availability`, { headers: { host: '2130706433' } });
      assert.equal(reply.status, 200);
    });
  });

  it('tells the operator who was turned away and why, on one line a reason, and on the page', async () => {
    const lines: string[] = [];
    const line = (level: string) => (facts: object, text: string) => {
      const { reason, hotkey, target } = { reason: '', hotkey: '', target: '', ...facts };
      if (text === 'requests refused') lines.push(`${level} ${reason} ${hotkey} ${target}`);
    };
    const log: ServerLog = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
    const statusPage: AppDeps['statusPage'] = ({ refusals }) => JSON.stringify(refusals);
    const { server, signed, raw } = await begin({ log, statusPage });
    const body = challengeBody(clip);
    for (let times = 0; times < 3; times++) {
      await signed(body, { signature: `0x${'ab'.repeat(64)}` });
      await signed(body, { nonce: 'x' });
      await signed(body, { 'validator-hotkey': strangerAddress });
      await signed(body, { 'miner-hotkey': vectors.validator, signature: '0x' });
      await signed('{}');
    }
    const seen = raw(`POST ${path} HTTP/1.1\r\nHost: x\r\nvalidator-hotkey: \x9b31m\r\nContent-Length: 0\r\n\r\n`);
    await until(() => seen.text.includes('422'));
    await call(`${server.url}/challenge?key=secret`, { method: 'POST' });
    const known = shortHotkey(vectors.validator);
    assert.deepEqual(lines, [
      `warn ERR_UNAUTHENTICATED (signature) ${known} POST ${path}`,
      `warn ERR_UNAUTHENTICATED (nonce) ${known} POST ${path}`,
      `warn ERR_FORBIDDEN (unknown hot key) ${shortHotkey(strangerAddress)} POST ${path}`,
      `warn ERR_NO_VIDEO_URL ${known} POST ${path}`,
      `warn ERR_HEADERS_MISSING \\u009b31m POST ${path}`,
      'info ERR_NOT_FOUND  POST /challenge',
    ]);
    const shown = JSON.parse((await call(`${server.statusUrl}/`)).text);
    assert.deepEqual(shown.map(({ reason, times }: RefusedReason) => [reason, times]).slice(0, 3), [
      ['ERR_NOT_FOUND', 1],
      ['ERR_HEADERS_MISSING', 1],
      ['ERR_NO_VIDEO_URL', 3],
    ]);
  });

  it('10,000 unsigned requests: memory stays, the log gets one line, a signed caller is served', async function () {
    this.timeout(60_000);
    const lines: string[] = [];
    const note = (level: string) => (_facts: object, text: string) => void (level === 'debug' || lines.push(text));
    const log: ServerLog = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
    const { server, stillServes } = await begin({ log });
    const request = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`;
    const flood = async (count: number) => {
      const each = count / 20;
      const one = () =>
        new Promise<void>((resolve, reject) => {
          const socket = connect(server.port, '127.0.0.1', () => socket.write(request.repeat(each)));
          const mark = 'HTTP/1.1 422';
          let answers = 0;
          let rest = '';
          socket.on('error', reject);
          socket.on('data', (chunk) => {
            const parts = (rest + chunk.toString()).split(mark);
            answers += parts.length - 1;
            rest = (parts.at(-1) ?? '').slice(1 - mark.length);
            if (answers >= each) socket.end(resolve);
          });
        });
      await Promise.all(Array.from({ length: 20 }, one));
    };
    await flood(1_000);
    const heapMiB = () => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed / (1 << 20);
    };
    const before = heapMiB();
    await flood(10_000);
    await stillServes();
    const grown = heapMiB() - before;
    assert.ok(grown < 24, `the heap grew by ${grown.toFixed(1)} MiB`);
    assert.deepEqual(lines, ['requests refused']);
    const { text } = await call(`${server.statusUrl}/metrics`);
    assert.match(text, /tikitaka_challenges_total\{outcome="ERR_HEADERS_MISSING"\} 11000/);
  });
});
