import { generateClip } from '../tools/demo/index.js';
import { cacheFolder } from './cache-folder.js';
import type { Engine } from './engine.js';
import type { Logger } from './log.js';

/** A clip that is quickly made and takes every path that a real one does. */
const SMALL_CLIP = { seed: 1, seconds: 4, width: 960, height: 540, gop: 5 } as const;

/** Lets an engine answer a clip of our own, so that the first caller meets compiled code. What goes wrong is logged. */
export async function rehearse(engine: Engine, log: Logger): Promise<void> {
  log.info('rehearsing on a clip of our own');
  try {
    const { path } = await generateClip({ ...SMALL_CLIP, cacheFolder: cacheFolder() });
    await engine.rehearse(path);
  } catch (error) {
    log.warn({ err: error }, 'not rehearsed: the first answers will be slow');
  }
}
