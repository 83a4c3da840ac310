import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as scure from '@scure/sr25519';
import { defer, from, mergeMap } from 'rxjs';
import { type ConfigKey, loadConfig } from '../../src/app/config.js';
import { createEngine, type Engine } from '../../src/app/engine.js';
import { engineAnswerer } from '../../src/app/engine-answerer.js';
import { createLogger } from '../../src/app/log.js';
import { toAddress, verifySignature } from '../../src/chain/keys.js';
import { membersOf, openMetagraphView } from '../../src/chain/open-view.js';
import { loadLibav } from '../../src/decode/libav.js';
import { createAuth } from '../../src/server/index.js';
import { answerSchema } from '../../src/server/schema.js';
import { type ClipServer, createClipServer } from '../../src/tools/demo/clip-server.js';
import { generateClip } from '../../src/tools/demo/generate.js';
import { createShapedLink } from '../../src/tools/demo/shaped-link.js';
import { startFakeNode, wellChain } from '../src/chain/fake-node.js';
import { vectors } from '../src/server/auth-vectors.js';
import { type CallOptions, call, challengeBody, serverBox } from '../src/server/support.js';
import { cleanUpAfterEach } from '../support/clean-up.js';

const SECONDS = 4;
const FRAMES = SECONDS * 25;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (condition: () => boolean) => {
  while (!condition()) await pause(5);
};

/** A caller as another program would be one: another sr25519, Python's nonce. */
function createCaller(seedByte: number) {
  const secret = scure.secretFromSeed(new Uint8Array(32).fill(seedByte));
  const hotkey = toAddress(scure.getPublicKey(secret));
  let serial = 0n;
  const headers = (body: string) => {
    const nonce = `${BigInt(Date.now()) * 1_000_000n + serial++}_Ab3dE5gH7j`;
    const digest = createHash('sha256').update(body).digest('hex');
    const signature = scure.sign(secret, Buffer.from(`${nonce}:${vectors.miner}:${digest}`));
    return {
      'content-type': 'application/json',
      'validator-hotkey': hotkey,
      'miner-hotkey': vectors.miner,
      nonce,
      signature: `0x${Buffer.from(signature).toString('hex')}`,
    };
  };
  return { hotkey, headers };
}
const [first, second, poor, stranger] = [createCaller(0x11), createCaller(0x33), createCaller(0x44), createCaller(7)];
const neuron = (hotkey: string, tao: number) => ({ hotkey, tao, alpha: 0, permit: true, ip: 0n, port: 0 });

/** What the engine does, as it happens: `read` (a chunk is asked for), `packet` (given to the decoder), `batch` (handed to the models). */
async function watchWork(engine: Engine) {
  const { CodecContext } = await loadLibav();
  const events: string[] = [];
  let gate: Promise<void> = Promise.resolve();
  let open = () => {};
  const { lane } = engine.pool;
  engine.pool.lane = () => {
    const { request, close } = lane();
    return {
      close,
      async request(url, options) {
        const response = await request(url, options);
        const chunks = response.body[Symbol.asyncIterator]();
        const next = () => {
          events.push('read');
          return chunks.next();
        };
        const body = { [Symbol.asyncIterator]: () => ({ ...bound(chunks), next }) };
        return { ...response, body };
      },
    };
  };
  const { run } = engine.runner;
  engine.runner.run = (pictures, onReturn) =>
    defer(() => from(gate)).pipe(
      mergeMap(() => {
        events.push('batch');
        return run(pictures, onReturn);
      }),
    );
  const { sendPacket } = CodecContext.prototype;
  CodecContext.prototype.sendPacket = function (packet) {
    events.push('packet');
    return sendPacket.call(this, packet);
  };
  return {
    events,
    /** Batches wait until `release`. */
    hold() {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    release: () => open(),
    close: () => {
      open();
      CodecContext.prototype.sendPacket = sendPacket;
    },
  };
}

function bound(chunks: AsyncIterator<Uint8Array>) {
  return chunks.return ? { return: chunks.return.bind(chunks) } : {};
}

describe('server: end to end, with the shipped model', function () {
  this.timeout(60_000);
  const box = serverBox();
  const closing = cleanUpAfterEach();
  let clips: ClipServer;
  before(async () => {
    const size = { seed: 3, seconds: SECONDS, width: 1280, height: 720, gop: 25 };
    const { path } = await generateClip({ ...size, cacheFolder: join(tmpdir(), 'tikitaka-spec') });
    clips = await createClipServer({ files: { '/a.mp4': path, '/b.mp4': path } });
  });
  after(() => clips.close());
  afterEach(() => box.closeAll());

  /** All of `tikitaka serve` but the process: the chain's view on a node, real signatures, the engine. */
  const begin = async (overrides: Partial<Record<ConfigKey, string>> = {}) => {
    const members = [neuron(first.hotkey, 20_000), neuron(second.hotkey, 1_000), neuron(poor.hotkey, 999.5)];
    const node = await startFakeNode(wellChain(members));
    closing({ close: () => node.kill() });
    const view = closing(openMetagraphView({ netuid: 44, url: node.url }));
    await view.ready(5_000);
    const config = loadConfig({
      env: {},
      dotenvPaths: [],
      overrides: {
        LOG_LEVEL: 'silent',
        ALLOW_PRIVATE_URLS: '1',
        TIME_BUDGET_S: '30',
        FRAME_STRIDE: '10',
        ...overrides,
      },
    });
    const engine = closing(await createEngine({ config, log: createLogger(config), ca: clips.ca }));
    const work = closing(await watchWork(engine));
    const auth = createAuth({ mode: 'chain', ownHotkey: vectors.miner, findMember: membersOf(view), verifySignature });
    const server = await box.start({
      auth,
      answerer: engineAnswerer(engine, { earlyFlush: config.EARLY_FLUSH_FIRST_FRAME }),
    });
    const post = (caller: typeof first, body: string, options: CallOptions = {}) =>
      call(`${server.url}/soccer/challenge`, {
        ...options,
        method: 'POST',
        headers: { ...caller.headers(body), ...options.headers },
        body,
      });
    const available = async () => (await call(`${server.url}/availability`)).text;
    return { work, server, post, available };
  };
  /** Slow enough for bytes to be on their way all the time. */
  const slowUrl = async () => {
    const slow = { rttMs: 5, setUpMs: 0, bytesPerSecond: 4e5 };
    const link = closing(await createShapedLink({ targetPort: clips.port, ...slow }));
    return `https://localhost:${link.port}/a.mp4`;
  };
  const completeAnswer = (text: string) => {
    const answer = answerSchema.parse(JSON.parse(text));
    assert.deepEqual(
      answer.frames.map((frame) => frame.frame_number),
      Array.from({ length: FRAMES }, (_, i) => i),
    );
    const people = answer.frames.map(({ objects }) => objects.filter(({ class_id }) => class_id !== 0).length);
    assert.ok(Math.min(...people) >= 3, `people per frame: ${people.join()}`);
    return answer;
  };

  it('answers every frame; is busy meanwhile for another clip, and shares the run of the same one', async () => {
    const { work, post, available, server } = await begin();
    assert.equal(await available(), '{"available":true}');
    work.hold();
    const zipped = post(first, challengeBody(`${clips.url}/a.mp4`, 'one'), {
      headers: { accept: '*/*', 'accept-encoding': 'gzip, deflate' },
    });
    await until(() => work.events.includes('packet'));
    assert.equal(await available(), '{"available":false}');
    const refused = await post(second, challengeBody(`${clips.url}/b.mp4`));
    assert.deepEqual(
      [refused.status, refused.text],
      [503, '{"detail":"Another challenge is being answered","code":"ERR_BUSY"}'],
    );
    const joined = post(second, challengeBody(`${clips.url}/a.mp4`, 'two'));
    work.release();

    const [one, two] = await Promise.all([zipped, joined]);
    assert.deepEqual([one.status, one.headers['content-encoding'], two.status], [200, 'gzip', 200]);
    const [mine, theirs] = [completeAnswer(gunzipSync(one.bytes).toString()), completeAnswer(two.text)];
    assert.deepEqual([mine.challenge_id, theirs.challenge_id], ['one', 'two']);
    assert.deepEqual(theirs.frames, mine.frames);
    assert.equal(await available(), '{"available":true}');

    const batches = work.events.filter((event) => event === 'batch').length;
    const third = completeAnswer((await post(second, challengeBody(`${clips.url}/a.mp4`, 'three'))).text);
    assert.deepEqual([third.challenge_id, third.cached], ['three', true]);
    assert.deepEqual(third.frames, mine.frames);
    assert.equal(work.events.filter((event) => event === 'batch').length, batches);
    assert.equal(server.app.activeRuns, 0);
  });

  it('refuses who is not on the chain or has too little at stake', async () => {
    const { post, work } = await begin();
    const body = challengeBody(`${clips.url}/a.mp4`);
    const refusals = await Promise.all([post(stranger, body), post(poor, body)]);
    assert.deepEqual(
      refusals.map(({ status, text }) => [status, text]),
      [
        [403, '{"detail":"Hotkey not found in metagraph"}'],
        [403, '{"detail":"Insufficient stake of 999.5 - minimum is 1000  "}'],
      ],
    );
    assert.deepEqual(work.events, []);
  });

  it('streams the first finding while the other batches still wait, and the whole answer last', async () => {
    const { post, work } = await begin();
    let batchesAtFirstLine = -1;
    let text = '';
    const answered = post(first, challengeBody(`${clips.url}/a.mp4`, 's'), {
      headers: { accept: 'application/x-ndjson' },
      onChunk: (chunk) => {
        text += chunk;
        if (batchesAtFirstLine < 0 && text.includes('\n')) {
          batchesAtFirstLine = work.events.filter((event) => event === 'batch').length;
          work.release();
        }
      },
    });
    // The first batch of one frame passes.
    await until(() => work.events.includes('batch'));
    work.hold();
    await answered;
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual([lines[0].event, lines[0].frame.frame_number], ['first', 0]);
    assert.equal(lines.at(-1).event, 'answer');
    assert.ok(lines.slice(1, -1).every(({ event }) => event === 'progress'));
    assert.equal(completeAnswer(JSON.stringify(lines.at(-1).answer)).challenge_id, 's');
    const batches = work.events.filter((event) => event === 'batch').length;
    assert.ok(batchesAtFirstLine < batches, `${batchesAtFirstLine} of ${batches} batches`);
  });

  it('without EARLY_FLUSH_FIRST_FRAME the first finding is a refinement like the others', async () => {
    const { post } = await begin({ EARLY_FLUSH_FIRST_FRAME: '0' });
    const { text } = await post(first, challengeBody(`${clips.url}/a.mp4`), {
      headers: { accept: 'application/x-ndjson' },
    });
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(events[0].event, 'progress');
    assert.deepEqual([events[0].frames_measured, events[0].frames_total], [1, FRAMES]);
    assert.ok(!events.some(({ event }) => event === 'first'));
    assert.equal(events.at(-1).event, 'answer');
  });

  it('ends all work in the moment in which its caller hangs up', async () => {
    const { post, work, available, server } = await begin({ FRAME_STRIDE: '1', TIME_BUDGET_S: '15' });
    const url = await slowUrl();
    const onRequest = (message: unknown) => {
      const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
      if (request.url === '/soccer/challenge') {
        // Koa's own come to the default limit of ten.
        response.setMaxListeners(11);
        response.prependOnceListener('close', () => {
          if (!response.writableFinished) work.events.push('hang-up');
        });
      }
    };
    subscribe('http.server.request.start', onRequest);
    closing({ close: () => unsubscribe('http.server.request.start', onRequest) });

    const hangUp = new AbortController();
    const body = challengeBody(url);
    const gone = post(first, body, { headers: { accept: 'application/x-ndjson' }, signal: hangUp.signal });
    gone.catch(() => undefined);
    await until(() => work.events.filter((event) => event === 'batch').length >= 3);
    hangUp.abort();
    await until(() => work.events.includes('hang-up'));
    await pause(500);
    const before = work.events.slice(0, work.events.indexOf('hang-up'));
    for (const kind of ['read', 'packet', 'batch']) assert.ok(before.includes(kind), kind);
    assert.ok(before.filter((event) => event === 'packet').length < FRAMES, 'it was in the middle of its work');
    assert.deepEqual(work.events.slice(before.length), ['hang-up']);
    assert.equal(server.app.activeRuns, 0);

    assert.equal(await available(), '{"available":true}');
    completeAnswer((await post(second, challengeBody(`${clips.url}/a.mp4`))).text);
  });

  for (const setting of ['CHUNKED_STREAMING', 'STREAMING_DOWNLOAD'] as const) {
    it(`decodes while it reads, and with ${setting}=0 not before it has read all`, async () => {
      const order = async (value: string) => {
        const { post, work } = await begin({ [setting]: value });
        completeAnswer((await post(first, challengeBody(await slowUrl()))).text);
        return work.events.lastIndexOf('read') - work.events.indexOf('packet');
      };
      assert.ok((await order('1')) > 0);
      assert.ok((await order('0')) < 0);
    });
  }

  it('never opens a file for a caller, ALLOW_PRIVATE_URLS or not', async () => {
    const { post } = await begin();
    for (const url of ['file:///etc/hostname', '/etc/hostname', 'data:video/mp4;base64,AAAA']) {
      const { status, text } = await post(first, challengeBody(url));
      assert.deepEqual([status, JSON.parse(text).code], [400, 'ERR_SOURCE_REFUSED'], url);
    }
  });

  it('opens nothing inside the network unless ALLOW_PRIVATE_URLS=1', async () => {
    const { post } = await begin({ ALLOW_PRIVATE_URLS: '0' });
    const refused = [
      `${clips.url}/a.mp4`,
      `https://127.0.0.1:${clips.port}/a.mp4`,
      `https://2130706433:${clips.port}/a.mp4`,
      `https://[::1]:${clips.port}/a.mp4`,
      `https://[::ffff:127.0.0.1]:${clips.port}/a.mp4`,
      'http://10.0.0.8/a.mp4',
      'http://192.168.1.1/a.mp4',
      'http://169.254.169.254/latest/meta-data/',
      'file:///etc/hostname',
      'data:video/mp4;base64,AAAA',
    ];
    const connections = clips.stats.connections;
    for (const url of refused) {
      const { status, text } = await post(first, challengeBody(url));
      assert.deepEqual([status, JSON.parse(text).code], [400, 'ERR_SOURCE_REFUSED'], url);
    }
    assert.equal(clips.stats.connections, connections);
  });
});
