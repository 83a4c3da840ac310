import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastValueFrom } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import { cacheFolder } from '../../src/app/cache-folder.js';
import { type ConfigKey, loadConfig } from '../../src/app/config.js';
import { createEngine, type Engine, type FinishedAnswer } from '../../src/app/engine.js';
import { createLogger } from '../../src/app/log.js';
import type { LoopLag } from '../../src/challenge/loop-lag.js';
import { reportLine, wireFacts } from '../../src/challenge/report.js';
import { createClipServer } from '../../src/tools/demo/clip-server.js';
import { generateClip } from '../../src/tools/demo/generate.js';
import { createShapedLink } from '../../src/tools/demo/shaped-link.js';
import { cleanUpAfterEach } from '../support/clean-up.js';

/** Every connection takes longer than the whole budget, however fast the machine is. */
const SET_UP_MS = 700;
const BUDGET_S = 0.4;

describe('an origin that is slower to connect to than the budget is long', function () {
  this.timeout(120_000);
  const closing = cleanUpAfterEach();

  async function set(settings: Partial<Record<ConfigKey, string>>, lag?: LoopLag) {
    const { path } = await generateClip({ seed: 5, seconds: 2, width: 320, height: 180, cacheFolder: cacheFolder() });
    const server = closing(await createClipServer({ files: { '/clip.mp4': path }, protocol: 'http/1.1' }));
    const link = closing(await createShapedLink({ targetPort: server.port, rttMs: 4, setUpMs: SET_UP_MS }));
    const overrides = {
      LOG_LEVEL: 'silent',
      IMG_SIZE: '576',
      TIME_BUDGET_S: String(BUDGET_S),
      FIRST_FRAME_TIMEOUT_S: '60',
      ...settings,
    };
    const config = loadConfig({ env: {}, dotenvPaths: [], overrides });
    const options = { config, log: createLogger(config), allowPrivate: true, spare: false, ...(lag ? { lag } : {}) };
    const engine = closing(await createEngine(options));
    return { engine, server, url: `http://localhost:${link.port}/clip.mp4` };
  }
  const answer = async (engine: Engine, target: string): Promise<FinishedAnswer> => {
    const last = await lastValueFrom(engine.answer({ target }));
    assert.ok(last.type === 'answer');
    return last.answer;
  };

  it('is answered late, whole, with what it cost and what would help; and then it is connected', async () => {
    const { engine, server, url } = await set({});
    const { report, answer: frames } = await answer(engine, url);
    assert.equal(frames.frames.length, 50);
    assert.ok(report.frames.measured > 1, 'not only the first frame was looked at');
    // Which step cost most hangs on the machine: on a slow one that is a later one than the connection (late-cost.spec).
    assert.ok(report.late && report.late.byMs > SET_UP_MS - BUDGET_S * 1000);
    assert.ok(report.late.cost.ms > 0);
    assert.match(reportLine(report), /late by \d+\.\d\d s: [\w' ]+ \d+\.\d\d s/);
    assert.equal(wireFacts(report).late, true);

    server.dropConnections();
    while (server.stats.connections < 2) await sleep(20);
    while (engine.pool.stats().idle < 1) await sleep(20);
    const again = await answer(engine, url);
    assert.equal(again.report.connectionReused, true, 'the lost connection was dialled again before anybody asked');
  });

  it('is ERR_BUDGET_EMPTY with what was reached where ON_EMPTY_BUDGET=fail', async () => {
    const { engine, url } = await set({ ON_EMPTY_BUDGET: 'fail' });
    await assert.rejects(answer(engine, url), (error) => {
      assert.ok(error instanceof TikitakaError);
      assert.equal(error.code, 'ERR_BUDGET_EMPTY');
      assert.equal(error.details.reached, 'open');
      assert.match(error.message, /during open: connecting \d\.\d\d s; PREWARM_ORIGINS/);
      return true;
    });
  });

  it('has the lag of the loop measured meanwhile, and only then, and its budget asks for it', async () => {
    let asked = 0;
    const watched: number[] = [0];
    const change = (by: number) => watched.push((watched.at(-1) ?? 0) + by);
    const lag: LoopLag = {
      get ms() {
        asked++;
        return 0;
      },
      watch() {
        change(1);
        return () => change(-1);
      },
    };
    const { engine, url } = await set({}, lag);
    assert.deepEqual(watched, [0]);
    await answer(engine, url);
    assert.deepEqual(watched, [0, 1, 0]);
    assert.ok(asked > 2, 'again and again');
  });

  it('is not kept connected where KEEP_WARM_S=0', async () => {
    const { engine, server, url } = await set({ KEEP_WARM_S: '0', KEEP_ALIVE_S: '0.05' });
    await answer(engine, url);
    while (server.stats.open > 0) await sleep(20);
  });
});
