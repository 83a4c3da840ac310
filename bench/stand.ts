import { lastValueFrom } from 'rxjs';
import { cacheFolder } from '../src/app/cache-folder.js';
import { type ConfigKey, loadConfig } from '../src/app/config.js';
import { createEngine, type Engine, type FinishedAnswer } from '../src/app/engine.js';
import { createLogger } from '../src/app/log.js';
import { createFarServer } from '../src/tools/demo/far-server.js';
import { type GeneratedClip, generateClip } from '../src/tools/demo/generate.js';
import { CDN, DEMO_CLIP } from '../src/tools/demo/situation.js';

/** A clip behind a link like the CDN's, and engines that answer it: what most benchmarks stand on. */
export interface Stand {
  readonly clip: Pick<GeneratedClip, 'path'>;
  readonly url: string;
  readonly ca: string | undefined;
  /** A new engine (its own pool and models), closed with the stand. */
  engine(overrides?: Partial<Record<ConfigKey, string>>): Promise<Engine>;
  close(): Promise<void>;
}

export interface StandOptions {
  /** A clip of your own instead of the demo's. */
  readonly path?: string | undefined;
  readonly seconds?: number;
  readonly height?: number;
}

export async function openStand({
  path,
  seconds = DEMO_CLIP.seconds,
  height = DEMO_CLIP.height,
}: StandOptions = {}): Promise<Stand> {
  const width = Math.round((height * 16) / 9 / 2) * 2;
  const clip = path
    ? { path }
    : await generateClip({ ...DEMO_CLIP, seconds, height, width, cacheFolder: cacheFolder() });
  const server = await createFarServer({ files: { '/clip.mp4': clip.path }, link: CDN });
  const engines: Engine[] = [];
  return {
    clip,
    url: `${server.url}/clip.mp4`,
    ca: server.ca,
    async engine(overrides = {}) {
      const config = loadConfig({
        env: {},
        dotenvPaths: [],
        overrides: { LOG_LEVEL: 'error', CONNECT_TIMEOUT_S: '5', ANSWER_CACHE_S: '0', ...overrides },
      });
      const engine = await createEngine({ config, log: createLogger(config), ca: server.ca, allowPrivate: true });
      engines.push(engine);
      return engine;
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.close()));
      await server.close();
    },
  };
}

export async function answerOf(engine: Engine, target: string): Promise<FinishedAnswer> {
  const last = await lastValueFrom(engine.answer({ target }));
  if (last.type !== 'answer') throw new Error(`no answer but ${last.type}`);
  return last.answer;
}
