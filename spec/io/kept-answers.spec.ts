import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defer } from 'rxjs';
import { FIRST_BYTES } from '../../src/app/clip-source.js';
import { loadConfig } from '../../src/app/config.js';
import { createEngine, type Engine } from '../../src/app/engine.js';
import { engineAnswerer } from '../../src/app/engine-answerer.js';
import { createLogger } from '../../src/app/log.js';
import { generateClip } from '../../src/tools/demo/generate.js';
import { call, challengeBody, serverBox, until } from '../src/server/support.js';
import { createHostileServer, type HostileExchange, type HostileServer } from '../support/hostile-server.js';

const FRAMES = 100;
const HURRIED_S = 3;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
type Conduct = (exchange: HostileExchange) => void | Promise<void>;
const well: Conduct = (exchange) => exchange.serve();
const silent: Conduct = () => {};
const another: Conduct = async (exchange) => {
  exchange.begin({ etag: '"two"' });
  await exchange.send();
  exchange.stream.end();
};
/** Behind what the opening request brings. */
const isTail = ({ start }: HostileExchange) => start >= FIRST_BYTES;
const onTail =
  (fault: Conduct): Conduct =>
  (exchange) =>
    isTail(exchange) ? fault(exchange) : exchange.serve();

describe('kept answers: real origin, engine and server', function () {
  this.timeout(60_000);
  const box = serverBox();
  let origin: HostileServer;
  /** With time for the plan, and with so little that a silent origin lasts until the cut. */
  let patient: Engine;
  let hurried: Engine;
  let conduct = well;
  const seen: HostileExchange[] = [];

  before(async () => {
    const size = { seed: 3, seconds: 4, width: 1280, height: 720, gop: 25 };
    const clip = await readFile((await generateClip({ ...size, cacheFolder: join(tmpdir(), 'tikitaka-spec') })).path);
    assert.ok(clip.length > 2 * FIRST_BYTES, 'reading goes on behind the opening request');
    origin = await createHostileServer(clip, (exchange) => {
      seen.push(exchange);
      return conduct(exchange);
    });
    const open = (budgetS: number) => {
      const settings = {
        LOG_LEVEL: 'silent',
        ALLOW_PRIVATE_URLS: '1',
        IMG_SIZE: '576',
        FRAME_STRIDE: '10',
        RETRIES: '0',
        // Longer than a test: what was not cancelled does not end by itself.
        READ_TIMEOUT_S: '120',
        FIRST_FRAME_TIMEOUT_S: '50',
      };
      const config = loadConfig({
        env: {},
        dotenvPaths: [],
        overrides: { ...settings, TIME_BUDGET_S: String(budgetS) },
      });
      return createEngine({ config, log: createLogger(config), ca: origin.ca });
    };
    patient = await open(30);
    hurried = await open(HURRIED_S);
  });
  beforeEach(() => {
    conduct = well;
    seen.length = 0;
  });
  afterEach(() => box.closeAll());
  after(async () => {
    await patient.close();
    await hurried.close();
    await origin.close();
  });

  async function begin({ engine = patient, revalidateMs = 300 } = {}) {
    const server = await box.start({ answerer: engineAnswerer(engine, { earlyFlush: true }), revalidateMs });
    const send = (url: string, signal?: AbortSignal) =>
      call(`${server.url}/soccer/challenge`, {
        method: 'POST',
        body: challengeBody(url),
        ...(signal ? { signal } : {}),
      });
    return {
      send,
      available: async () => (await call(`${server.url}/availability`)).text,
      /** What the answer says of itself; every frame must be in it. */
      post: async () => {
        const { status, text } = await send(origin.url);
        assert.equal(status, 200, text);
        const { frames, cached, stopped_by, problem, late } = JSON.parse(text);
        assert.equal(frames.length, FRAMES);
        return { cached, stopped_by, problem, ...(late ? { late } : {}) };
      },
    };
  }
  const whole = { cached: false, stopped_by: 'end', problem: undefined };

  describe('what a fault cut short is sent with its cause, and not kept', () => {
    const rows: readonly [what: string, fault: Conduct, code: string, engine?: () => Engine][] = [
      ['the origin falls silent before its next answer', onTail(silent), 'ERR_SOURCE_STALLED', () => hurried],
      [
        'the origin falls silent in the middle of one',
        onTail((exchange) => {
          exchange.begin();
          return exchange.send(exchange.start + 10_000);
        }),
        'ERR_SOURCE_STALLED',
        () => hurried,
      ],
      ['404 in the middle', onTail((exchange) => exchange.status(404)), 'ERR_SOURCE_STATUS'],
      ['answers are broken off', onTail((exchange) => exchange.reset()), 'ERR_SOURCE_CONNECT'],
      ['connections are cut', onTail((exchange) => exchange.hangUp()), 'ERR_SOURCE_CONNECT'],
      ['the file becomes another one', onTail(another), 'ERR_SOURCE_CHANGED'],
    ];
    for (const [what, fault, code, engine] of rows) {
      it(`${what}: ${code}`, async () => {
        const { post } = await begin(engine ? { engine: engine() } : {});
        conduct = fault;
        assert.deepEqual(await post(), { cached: false, stopped_by: 'error', problem: code });
        conduct = well;
        assert.equal((await post()).cached, false);
      });
    }

    it('a model process dies: ERR_INFERENCE', async () => {
      const { post } = await begin();
      killDuringNextRun(patient);
      assert.deepEqual(await post(), { cached: false, stopped_by: 'error', problem: 'ERR_INFERENCE' });
      assert.deepEqual(await post(), whole);
      assert.deepEqual(await post(), { ...whole, cached: true });
    });

    it('an origin so slow that the answer is late: the next one is not', async () => {
      const { post } = await begin({ engine: hurried });
      conduct = async (exchange) => {
        await pause(1.1 * HURRIED_S * 1000);
        await exchange.serve();
      };
      assert.equal((await post()).late, true);
      conduct = well;
      const { cached, late } = await post();
      assert.deepEqual([cached, late], [false, undefined]);
    });

    it('the caller hangs up: nothing is kept', async () => {
      const { post, send, available } = await begin();
      conduct = onTail(silent);
      const hangUp = new AbortController();
      const gone = assert.rejects(send(origin.url, hangUp.signal));
      await until(() => seen.some(isTail));
      hangUp.abort();
      await gone;
      await until(() => seen.filter(isTail).every(({ stream }) => stream.closed));
      assert.equal(await available(), '{"available":true}');
      conduct = well;
      assert.deepEqual(await post(), whole);
    });
  });

  describe('revalidating', () => {
    it('a silent origin does not hold the kept answer back', async () => {
      const { post } = await begin();
      assert.deepEqual(await post(), whole);
      conduct = silent;
      const before = seen.length;
      assert.deepEqual(await post(), { ...whole, cached: true });
      assert.equal(seen.length - before, 1, 'it was asked once');
      await until(() => seen.at(-1)?.stream.closed === true);
    });

    it('counts as work, and ends with its caller', async () => {
      const { post, send, available } = await begin({ revalidateMs: 10_000 });
      await post();
      conduct = silent;
      const before = seen.length;
      const hangUp = new AbortController();
      const gone = assert.rejects(send(origin.url, hangUp.signal));
      await until(() => seen.length > before);
      assert.equal(await available(), '{"available":false}');
      const { status, text } = await send(`${origin.url}?another`);
      assert.deepEqual([status, JSON.parse(text).code], [503, 'ERR_BUSY']);
      hangUp.abort();
      await gone;
      const { stream } = seen.at(-1) ?? assert.fail();
      if (!stream.closed) await once(stream, 'close');
      assert.equal(await available(), '{"available":true}');
    });

    for (const [what, answer, kept] of [
      ['says that it is the same', well, true],
      ['fails', (exchange) => exchange.status(503), true],
      ['has another file', another, false],
    ] as const satisfies readonly (readonly [string, Conduct, boolean])[]) {
      it(`an origin that ${what}: ${kept ? 'the kept answer' : 'a new run'}`, async () => {
        const { post } = await begin({ revalidateMs: 10_000 });
        await post();
        conduct = answer;
        assert.deepEqual(await post(), { ...whole, cached: kept });
      });
    }

    it('an origin that has the file no more: no kept answer', async () => {
      const { post, send } = await begin({ revalidateMs: 10_000 });
      await post();
      conduct = (exchange) => exchange.status(404);
      const { status, text } = await send(origin.url);
      assert.deepEqual([status, JSON.parse(text).code], [502, 'ERR_SOURCE_STATUS']);
    });
  });
});

/** The process that is handed the next batch dies of it. */
function killDuringNextRun({ runner }: Engine): void {
  const { run } = runner;
  runner.run = (pictures, onReturn) =>
    defer(() => {
      runner.run = run;
      const found$ = run(pictures, onReturn);
      for (const pid of runner.pids()) process.kill(pid, 'SIGKILL');
      return found$;
    });
}
