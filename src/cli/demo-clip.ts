import { cacheFolder } from '../app/cache-folder.js';
import { type GeneratedClip, generateClip } from '../tools/demo/generate.js';
import { DEMO_CLIP } from '../tools/demo/situation.js';

export interface DemoClipOptions {
  /** Another match. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Told what is being done, in words. Default: stderr is. */
  readonly onProgress?: (text: string) => void;
}

/** The demo's match, rendered the first time (a minute on two cores). Errors: those of `generateClip`. */
export function demoClip(options: DemoClipOptions = {}): Promise<GeneratedClip> {
  const { seed = DEMO_CLIP.seed, signal, onProgress = toStderr } = options;
  return generateClip({
    ...DEMO_CLIP,
    seed,
    cacheFolder: cacheFolder(),
    ...(signal ? { signal } : {}),
    onProgress: (done, total) => {
      if (done % 75 === 0 || done === total) onProgress(`rendering the match: ${done}/${total} frames`);
    },
  });
}

const toStderr = (text: string): void => void process.stderr.write(`${text}\n`);
