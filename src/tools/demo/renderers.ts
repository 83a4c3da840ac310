import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { childEnvironment } from '../../../models/index.js';
import { TikitakaError } from '../../../operators/index.js';
import { type ClipJob, createFrameDrawer, type RenderJob, SLOTS } from './render-job.js';
import type { TruthFrame } from './truth.js';

export interface DrawnFrame {
  /** RGBA, 8 bits, rows contiguous; valid until `free` is called. */
  readonly pixels: Uint8Array | Uint8ClampedArray;
  readonly truth: TruthFrame;
  free(): void;
}

/** Draws a clip's frames, a few ahead of who asks. */
export interface Renderers {
  /** Frames must be asked for in order, each freed before the one `SLOTS` later is asked for. Errors: ERR_RENDER. */
  frame(frame: number): Promise<DrawnFrame>;
  /** Ends the threads. Idempotent. */
  close(): Promise<void>;
}

/** Starting a thread costs as much as drawing some hundred small frames: below this many pixels we draw in our own. */
const THREADS_FROM_PIXELS = 100e6;

export function openRenderers(clip: ClipJob): Renderers {
  const pixels = clip.frameCount * clip.width * clip.height;
  return pixels < THREADS_FROM_PIXELS ? drawHere(clip) : drawInThreads(clip, Math.min(2, availableParallelism()));
}

export function drawHere(clip: ClipJob): Renderers {
  const draw = createFrameDrawer(clip);
  return {
    frame: async (frame) => ({ ...draw(frame), free: () => undefined }),
    close: async () => undefined,
  };
}

/** Starts `render-worker` compiled, or, when we ourselves run from TypeScript source, through tsx: on Node 20 its hooks do not reach threads by themselves. */
function startWorker(workerData: RenderJob): Worker {
  const options = { workerData, env: childEnvironment() };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./render-worker.js', import.meta.url), options);
  // A CommonJS lookup, since mocha loads us so; the module beside it is the one that threads can import.
  const hooks = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const file = new URL('./render-worker.ts', import.meta.url).href;
  const code = `import(${JSON.stringify(hooks)}).then(({ register }) => { register(); return import(${JSON.stringify(file)}); });`;
  return new Worker(code, { ...options, eval: true });
}

export function drawInThreads(clip: ClipJob, every: number): Renderers {
  const pictureBytes = clip.width * clip.height * 4;
  const threads = Array.from({ length: every }, (_, first) => {
    const pictures = new SharedArrayBuffer(pictureBytes * SLOTS);
    const worker = startWorker({ ...clip, first, every, pictures });
    const waiting: TruthFrame[] = [];
    let failure: unknown;
    let wake: (() => void) | undefined;
    worker.on('message', (truth: TruthFrame) => {
      waiting.push(truth);
      wake?.();
    });
    worker.on('error', (cause) => {
      failure = cause;
      wake?.();
    });
    worker.on('exit', (code) => {
      failure ??= `the thread ended (${code})`;
      wake?.();
    });
    return {
      worker,
      pictures,
      async next(): Promise<TruthFrame> {
        for (;;) {
          const truth = waiting.shift();
          if (truth) return truth;
          if (failure !== undefined)
            throw new TikitakaError('ERR_RENDER', 'a frame of the demo clip could not be drawn', { cause: failure });
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
    };
  });
  return {
    async frame(frame) {
      const thread = threads[frame % every];
      if (!thread) throw new TikitakaError('ERR_RENDER', `no thread for frame ${frame}`);
      const truth = await thread.next();
      const slot = Math.floor(frame / every) % SLOTS;
      return {
        truth,
        pixels: new Uint8Array(thread.pictures, slot * pictureBytes, pictureBytes),
        free: () => thread.worker.postMessage('freed'),
      };
    },
    async close() {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}
