/** `npm run bench:memory`: peak memory over all our processes for a 30 s and a 300 s clip at the same stride. */
import { fork } from 'node:child_process';
import { cacheFolder } from '../src/app/cache-folder.js';
import { loadConfig } from '../src/app/config.js';
import { createEngine } from '../src/app/engine.js';
import { createLogger } from '../src/app/log.js';
import { generateClip } from '../src/tools/demo/generate.js';
import { DEMO_CLIP } from '../src/tools/demo/situation.js';
import { residentBytes } from '../src/tools/resident-bytes.js';
import { machine, revision } from './harness.js';
import { answerOf } from './stand.js';

const rounds = 3;

/** One answer in a fresh process: peak of all processes less the answer's own size. */
function peakOf(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL(import.meta.url), [path], { execArgv: [...process.execArgv, '--expose-gc'] });
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, residentBytes(child.pid ?? 0) ?? 0);
    }, 50);
    child.once('message', (answerBytes) => resolve(peak - Number(answerBytes)));
    child.once('exit', (code) => {
      clearInterval(timer);
      if (code !== 0) reject(new Error(`exit ${code}`));
    });
  });
}

/** What objects and buffers hold once all that is not needed is gone. */
function heldBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Answers the clip and returns what the answer holds: its frames and its bytes. */
async function ownSize(path: string): Promise<number> {
  const overrides = { LOG_LEVEL: 'error', FRAME_STRIDE: '10', TIME_BUDGET_S: '600' };
  const config = loadConfig({ env: {}, dotenvPaths: [], overrides });
  const engine = await createEngine({ config, log: createLogger(config), allowPrivate: true });
  const holder: { held?: unknown } = {};
  const answer = async () => {
    const finished = await answerOf(engine, path);
    holder.held = { finished, body: finished.body({}) };
  };
  await answer();
  const withAnswer = heldBytes();
  holder.held = undefined;
  const size = withAnswer - heldBytes();
  await engine.close();
  return size;
}

const given = process.argv[2];
if (given) {
  const bytes = await ownSize(given);
  await new Promise<void>((resolve) => process.send?.(bytes, () => resolve()));
} else {
  const peaks: number[] = [];
  for (const seconds of [30, 300]) {
    const { path } = await generateClip({ ...DEMO_CLIP, width: 640, height: 360, seconds, cacheFolder: cacheFolder() });
    const runs: number[] = [];
    for (let i = 0; i < rounds; i++) runs.push(await peakOf(path));
    peaks.push(Math.max(...runs));
    const shown = runs.map((bytes) => (bytes / 1e6).toFixed(0)).join(', ');
    console.log(`${String(seconds).padStart(3)} s clip: peak ${shown} MB over all processes, less the answer`);
  }
  const [short = 1, long = 0] = peaks;
  console.log(
    `300 s / 30 s: ${(long / short).toFixed(3)} (target within 1.15)   ${JSON.stringify({ ...machine(), revision: revision() })}`,
  );
}
