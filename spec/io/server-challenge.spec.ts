import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { TikitakaError } from '../../operators/index.js';
import { cryptoReady } from '../../src/chain/keys.js';
import { type Auth, createAuth } from '../../src/server/index.js';
import { answerSchema } from '../../src/server/schema.js';
import { vectors } from '../src/server/auth-vectors.js';
import {
  answerOf,
  call,
  chainAuth,
  challengeBody,
  frameText,
  manualAnswerer,
  serverBox,
  signedHeaders,
  strangerAddress,
  until,
} from '../src/server/support.js';

const clip = 'https://cdn.example/clip.mp4';
const otherClip = 'https://cdn.example/other.mp4';

describe('server: POST /soccer/challenge over a socket', () => {
  const box = serverBox();
  before(cryptoReady);
  afterEach(() => box.closeAll());

  const begin = async (deps: Partial<Parameters<typeof box.start>[0]> = {}) => {
    const work = manualAnswerer();
    const { auth = createAuth({ mode: 'off' }), ...rest } = deps;
    let admitted = 0;
    const counting: Auth = {
      ...auth,
      open: (headers) => {
        const session = auth.open(headers);
        return {
          ...session,
          verify: (body) => {
            session.verify(body);
            // What follows up to the run happens in this same tick.
            admitted++;
          },
        };
      },
    };
    const server = await box.start({ answerer: work.answerer, auth: counting, ...rest });
    const post = (body: string | Uint8Array, headers: Record<string, string> = {}, signal?: AbortSignal) =>
      call(`${server.url}/soccer/challenge`, { method: 'POST', headers, body, ...(signal ? { signal } : {}) });
    const available = async () => (await call(`${server.url}/availability`)).text;
    return { ...work, server, post, available, admitted: () => admitted };
  };

  describe('answers of docs/protocol.md §1, byte for byte', () => {
    const missing = (...names: string[]) =>
      `{"detail":[${names.map((name) => `{"type":"missing","loc":["header","${name}"],"msg":"Field required","input":null}`).join(',')}]}`;
    const good = challengeBody(clip);
    const rows: readonly [string, () => [string, Record<string, string>], number, string][] = [
      ['no header at all', () => [good, {}], 422, missing('validator-hotkey', 'miner-hotkey', 'nonce', 'signature')],
      [
        'one header missing',
        () => {
          const { nonce: _nonce, ...rest } = signedHeaders(good);
          return [good, rest];
        },
        422,
        missing('nonce'),
      ],
      [
        'unknown hot key',
        () => [good, { ...signedHeaders(good), 'validator-hotkey': strangerAddress }],
        403,
        '{"detail":"Hotkey not found in metagraph"}',
      ],
      [
        'bad nonce',
        () => [good, { ...signedHeaders(good), nonce: 'x' }],
        401,
        '{"detail":"Oi, that nonce is not valid!"}',
      ],
      [
        'bad signature',
        () => [good, { ...signedHeaders(good), signature: '0x00' }],
        401,
        `{"detail":"Oi, invalid signature, you're not who you said you were!"}`,
      ],
      [
        'another miner is meant',
        () => [good, signedHeaders(good, { miner: vectors.validator })],
        401,
        `{"detail":"Oi, invalid miner hotkey - that's not me!"}`,
      ],
      ...['{"challenge_id":"x"}', '{"challenge_id":"x","video_url":""}', '{"video_url":null}'].map(
        (body): [string, () => [string, Record<string, string>], number, string] => [
          `no video URL: ${body}`,
          () => [body, signedHeaders(body)],
          400,
          '{"detail":"No video URL provided"}',
        ],
      ),
    ];
    for (const [name, make, status, expected] of rows) {
      it(`${status}: ${name}`, async () => {
        const { post, log } = await begin({ auth: chainAuth() });
        const reply = await post(...make());
        assert.equal(reply.status, status);
        assert.equal(reply.text, expected);
        assert.equal(reply.headers['content-type'], 'application/json');
        assert.deepEqual(log, []);
      });
    }

    it('403: too little stake', async () => {
      const auth = chainAuth({ minStakeTao: 30_000 });
      const { post } = await begin({ auth });
      const reply = await post(good, signedHeaders(good));
      assert.equal(reply.status, 403);
      assert.equal(reply.text, '{"detail":"Insufficient stake of 20000.0 - minimum is 30000  "}');
    });

    it('404 and 405 with Allow', async () => {
      const { server } = await begin();
      const rows = [
        ['GET', '/soccer/challenge', 405, 'POST', '{"detail":"Method Not Allowed"}'],
        ['PUT', '/soccer/challenge', 405, 'POST', '{"detail":"Method Not Allowed"}'],
        ['POST', '/availability', 405, 'HEAD, GET', '{"detail":"Method Not Allowed"}'],
        ['GET', '/', 404, undefined, '{"detail":"Not Found"}'],
        ['POST', '/challenge', 404, undefined, '{"detail":"Not Found"}'],
        ['OPTIONS', '/nowhere', 404, undefined, '{"detail":"Not Found"}'],
      ] as const;
      for (const [method, path, status, allow, body] of rows) {
        const reply = await call(`${server.url}${path}`, { method });
        assert.deepEqual([reply.status, reply.headers.allow, reply.text], [status, allow, body], `${method} ${path}`);
      }
    });
  });

  it('answers a signed caller with every frame, and is not available meanwhile', async () => {
    const { post, emit, available, runs } = await begin({ auth: chainAuth() });
    assert.equal(await available(), '{"available":true}');
    const body = challengeBody(clip, 'ch-1');
    const answered = post(body, signedHeaders(body));
    await until(() => runs.length === 1);
    assert.equal(await available(), '{"available":false}');
    emit(0, answerOf(3));
    const reply = await answered;
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['content-encoding'], undefined);
    const answer = answerSchema.parse(JSON.parse(reply.text));
    assert.equal(answer.challenge_id, 'ch-1');
    assert.equal(answer.cached, false);
    assert.equal(answer.frames.length, 3);
    assert.equal(await available(), '{"available":true}');
  });

  it('counts from the head of the request, however long its body takes', async () => {
    const { server, runs, emit } = await begin();
    const sentAtMs = performance.now();
    const outgoing = request(`${server.url}/soccer/challenge`, { method: 'POST', headers: { expect: '100-continue' } });
    const answered = once(outgoing, 'response');
    outgoing.flushHeaders();
    // The server has the head when it asks for the body.
    await once(outgoing, 'continue');
    const headArrivedByMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    outgoing.end(challengeBody(clip));
    await until(() => runs.length === 1);
    const { receivedAtMs = 0 } = runs[0]?.challenge ?? {};
    assert.ok(receivedAtMs >= sentAtMs && receivedAtMs <= headArrivedByMs);
    emit(0, answerOf(1));
    const [response] = await answered;
    response.resume();
    await once(response, 'end');
  });

  it('survives what httpx ≥ 0.28 does to the body', async () => {
    const { post, emit, runs } = await begin({ auth: chainAuth() });
    const signed = vectors.bodyA;
    const answered = post(vectors.bodyB, signedHeaders(signed));
    await until(() => runs.length === 1);
    emit(0, answerOf(1));
    assert.equal((await answered).status, 200);
  });

  it('sends gzip where it is accepted', async () => {
    const { post, emit, runs } = await begin();
    const answered = post(challengeBody(clip, 'é"\\'), { 'accept-encoding': 'gzip, deflate' });
    await until(() => runs.length === 1);
    emit(0, answerOf(100));
    const reply = await answered;
    assert.equal(reply.headers['content-encoding'], 'gzip');
    const text = gunzipSync(reply.bytes);
    assert.ok(reply.bytes.length < text.length / 5);
    const answer = answerSchema.parse(JSON.parse(text.toString()));
    assert.deepEqual([answer.challenge_id, answer.frames.length], ['é"\\', 100]);
  });

  for (const accept of ['application/json', 'application/x-ndjson'])
    it(`sends an answer of megabytes whole, piece by piece (${accept})`, async () => {
      const { post, emit, runs } = await begin();
      const headers = { 'accept-encoding': 'identity', accept };
      const answered = post(challengeBody(clip), headers);
      await until(() => runs.length === 1);
      emit(0, answerOf(20_000));
      const { headers: told, bytes, text } = await answered;
      assert.ok(bytes.length > 4e6);
      if (accept === 'application/json') assert.equal(Number(told['content-length']), bytes.length);
      const body = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
      assert.equal((body.answer ?? body).frames.length, 20_000);
      // The bytes are everybody's.
      assert.ok((await post(challengeBody(clip), headers)).text.includes('{"frame_number":19999,'));
    });

  it('refuses another clip at once while it is busy, and says when to come again', async () => {
    const { post, runs, emit } = await begin();
    const first = post(challengeBody(clip));
    await until(() => runs.length === 1);
    const second = await post(challengeBody(otherClip));
    assert.equal(second.status, 503);
    assert.equal(second.headers['retry-after'], '1');
    assert.equal(second.text, '{"detail":"Another challenge is being answered","code":"ERR_BUSY"}');
    emit(0, answerOf(1));
    assert.equal((await first).status, 200);
  });

  it('lets callers of the same clip share one run, each with its own id', async () => {
    const { post, runs, emit, log, admitted } = await begin();
    const first = post(challengeBody(clip, 'one'));
    await until(() => runs.length === 1);
    const second = post(challengeBody(clip, 'two'));
    await until(() => admitted() === 2);
    emit(0, answerOf(2));
    const ids = (await Promise.all([first, second])).map(
      ({ text }) => answerSchema.parse(JSON.parse(text)).challenge_id,
    );
    assert.deepEqual(ids, ['one', 'two']);
    assert.deepEqual(log, [`start ${clip}`, `end ${clip}`]);
    const third = answerSchema.parse(JSON.parse((await post(challengeBody(clip, 'three'))).text));
    assert.deepEqual([third.challenge_id, third.cached, third.frames.length], ['three', true, 2]);
    assert.equal(runs.length, 1);
  });

  it('ends the work of a caller that hangs up, before anything else happens', async () => {
    const { post, runs, log, available } = await begin();
    const hangUp = new AbortController();
    const answered = post(challengeBody(clip), {}, hangUp.signal).catch(() => log.push('caller gone'));
    await until(() => runs.length === 1);
    hangUp.abort();
    await answered;
    await until(() => log.includes(`end ${clip}`));
    assert.equal(runs[0]?.events.observed, false);
    assert.deepEqual(log.toSorted(), ['caller gone', `end ${clip}`, `start ${clip}`].toSorted());
    assert.equal(await available(), '{"available":true}');
  });

  it('goes on for the second caller when the first hangs up', async () => {
    const { post, runs, emit, log, admitted, server } = await begin();
    const hangUp = new AbortController();
    const first = post(challengeBody(clip), {}, hangUp.signal).catch(() => 'gone');
    await until(() => runs.length === 1);
    const second = post(challengeBody(clip));
    await until(() => admitted() === 2);
    hangUp.abort();
    assert.equal(await first, 'gone');
    // The hang-up was seen when its outcome is counted.
    while (
      !(await call(`${server.statusUrl}/metrics`)).text.includes('tikitaka_challenges_total{outcome="ERR_ABORTED"} 1')
    );
    assert.deepEqual(log, [`start ${clip}`]);
    emit(0, answerOf(1));
    assert.equal((await second).status, 200);
  });

  describe('errors of the work', () => {
    const rows = [
      ['ERR_SOURCE_REFUSED', 400],
      ['ERR_SOURCE_TOO_LARGE', 413],
      ['ERR_DECODE', 422],
      ['ERR_SOURCE_CONNECT', 502],
      ['ERR_SOURCE_STATUS', 502],
      ['ERR_CHAIN_UNAVAILABLE', 503],
      ['ERR_BUDGET_EMPTY', 504],
    ] as const;
    for (const [code, status] of rows) {
      it(`${code} becomes ${status} with its text`, async () => {
        const { post, runs, fail } = await begin();
        const answered = post(challengeBody(clip));
        await until(() => runs.length === 1);
        fail(0, new TikitakaError(code, 'because'));
        const reply = await answered;
        assert.equal(reply.status, status);
        assert.equal(reply.text, `{"detail":"because","code":"${code}"}`);
      });
    }
    it('an unexpected one becomes 500 without its text', async () => {
      const { post, runs, fail } = await begin();
      const answered = post(challengeBody(clip));
      await until(() => runs.length === 1);
      fail(0, new Error('/root/secret'));
      const reply = await answered;
      assert.equal(reply.status, 500);
      assert.equal(reply.text, '{"detail":"Internal Server Error","code":"ERR_INTERNAL"}');
    });
  });

  describe('streamed answers', () => {
    const open = async (accept: string, deps: Parameters<typeof begin>[0] = {}) => {
      const work = await begin(deps);
      const chunks: string[] = [];
      const hangUp = new AbortController();
      const reply = call(`${work.server.url}/soccer/challenge`, {
        method: 'POST',
        headers: { accept },
        body: challengeBody(clip, 's-1'),
        signal: hangUp.signal,
        onChunk: (chunk) => {
          chunks.push(chunk);
        },
      });
      reply.catch(() => undefined);
      await until(() => work.runs.length === 1);
      return { ...work, chunks, hangUp, reply };
    };

    it('NDJSON: the first finding is there before the answer exists', async () => {
      const { emit, chunks, reply } = await open('application/x-ndjson');
      emit(0, { type: 'first', read: () => frameText(0) });
      await until(() => chunks.length === 1);
      assert.equal(chunks[0], `{"event":"first","frame":${frameText(0)}}\n`);
      const progress = { framesMeasured: 2, framesTotal: 3, frames: [frameText(1), frameText(2)] };
      emit(0, { type: 'progress', read: () => progress });
      await until(() => chunks.length === 2);
      assert.equal(
        chunks[1],
        `{"event":"progress","frames_measured":2,"frames_total":3,"frames":[${frameText(1)},${frameText(2)}]}\n`,
      );
      emit(0, answerOf(3));
      const { headers, text } = await reply;
      assert.equal(headers['content-type'], 'application/x-ndjson');
      assert.equal(headers['x-accel-buffering'], 'no');
      const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
      assert.equal(last.event, 'answer');
      assert.equal(answerSchema.parse(last.answer).challenge_id, 's-1');
    });

    it('SSE: the same as messages', async () => {
      const { emit, reply } = await open('text/event-stream');
      emit(0, { type: 'first', read: () => frameText(0) });
      emit(0, answerOf(1));
      const { headers, text } = await reply;
      assert.equal(headers['content-type'], 'text/event-stream');
      const messages = text.trimEnd().split('\n\n');
      assert.equal(messages[0], `event: first\ndata: {"event":"first","frame":${frameText(0)}}`);
      assert.match(messages[1] ?? '', /^event: answer\ndata: \{"event":"answer","answer":\{"challenge_id":"s-1",/);
    });

    it('shows signs of life', async () => {
      const { chunks, emit, reply } = await open('application/x-ndjson', { heartbeatMs: 5 });
      await until(() => chunks.length >= 2);
      assert.equal(chunks[0], '{"event":"heartbeat"}\n');
      emit(0, answerOf(1));
      assert.equal((await reply).status, 200);
    });

    it('keeps the status of an error that comes before anything was sent', async () => {
      const { fail, reply } = await open('application/x-ndjson');
      fail(0, new TikitakaError('ERR_SOURCE_REFUSED', 'no'));
      const { status, text } = await reply;
      assert.deepEqual([status, text], [400, '{"detail":"no","code":"ERR_SOURCE_REFUSED"}']);
    });

    it('says an error that comes later as the last event', async () => {
      const { emit, fail, reply } = await open('application/x-ndjson');
      emit(0, { type: 'first', read: () => frameText(0) });
      fail(0, new TikitakaError('ERR_DECODE', 'broken'));
      const { status, text } = await reply;
      assert.equal(status, 200);
      assert.equal(
        text.trimEnd().split('\n').at(-1),
        '{"event":"error","status":422,"detail":"broken","code":"ERR_DECODE"}',
      );
    });

    it('ends the work when the reader leaves', async () => {
      const { emit, chunks, hangUp, log } = await open('application/x-ndjson');
      emit(0, { type: 'first', read: () => frameText(0) });
      await until(() => chunks.length === 1);
      hangUp.abort();
      await until(() => log.includes(`end ${clip}`));
    });

    it('makes no text for events that nobody streams', async () => {
      const { emit, reply } = await open('*/*');
      const read = () => assert.fail('nobody asked');
      emit(0, { type: 'first', read });
      emit(0, { type: 'progress', read });
      emit(0, answerOf(1));
      assert.equal((await reply).status, 200);
    });

    it('gives plain JSON to callers that accept anything', async () => {
      const { emit, reply } = await open('*/*');
      emit(0, answerOf(1));
      assert.equal((await reply).headers['content-type'], 'application/json');
    });
  });
});
