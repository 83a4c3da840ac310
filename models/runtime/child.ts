import { readFileSync, readSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { TikitakaError } from '../../operators/index.js';
import { decodeOutputs, type Outputs, type OutputTensor } from '../layouts/index.js';
import { fitInput, prependPreparation } from '../onnx/fit-input.js';
import { readGraph } from '../onnx/graph.js';
import { floatsOf } from './floats.js';
import {
  type Device,
  type FromChild,
  type LoadMessage,
  type PassedOver,
  packFindings,
  type ReadyMessage,
  type RunMessage,
  type SessionSettings,
  type ToChild,
} from './protocol.js';

/*
 * A process of its own for one session, and the only importer of ONNX Runtime: `run()` blocks its thread and cannot be
 * interrupted, so the parent must be able to end it from outside (LAB.md, Inference).
 */

/** The shared file is inherited under this number: after stdin, stdout, stderr and the control channel. */
const sharedFd = 4;
/** Sizes are tried further while they promise to stay below the cap by this factor (chosen: warm-up figures are noisy). */
const capTolerance = 1.25;

class Session {
  #chain = Promise.resolve();
  #sizes: readonly number[] = [];

  private constructor(
    readonly session: InferenceSession,
    readonly file: string,
    readonly load: LoadMessage,
    readonly device: Device,
    readonly pixels: Uint8Array,
    /** The file's own batch size, where it is fixed. */
    readonly fixedBatch: number | undefined,
  ) {}

  /** Errors: ERR_MODEL_LOAD, ERR_MODEL_SHAPE; whatever ONNX Runtime throws. */
  static async open(load: LoadMessage, device: Device): Promise<Session> {
    const file = device === 'cpu' ? load.file : (load.fp16File ?? load.file);
    const model = readFileSync(file);
    const input = fitInput(readGraph(model, file), load.input, file);
    const edited = prependPreparation(model, input, load.input);
    const options = sessionOptions(load.session, device);
    const session = edited
      ? await InferenceSession.create(edited, options)
      : await InferenceSession.create(file, options);
    const fixedBatch = typeof input.batch === 'number' ? input.batch : undefined;
    const pixels = new Uint8Array((fixedBatch ?? load.batchSize) * load.input.width * load.input.height * 3);
    return new Session(session, file, load, device, pixels, fixedBatch);
  }

  get padded(): boolean {
    return this.fixedBatch !== undefined || this.device !== 'cpu';
  }

  /** Runs every batch size that will be used, and chooses the largest. */
  async warmUp(): Promise<Pick<ReadyMessage, 'maxBatch' | 'warmMs' | 'padded'>> {
    const batchSize = Math.min(this.load.batchSize, this.fixedBatch ?? this.load.batchSize);
    const capMs = this.load.keepBatch || this.device !== 'cpu' ? Number.POSITIVE_INFINITY : this.load.runCapMs;
    const warmMs = await this.timeSizes(batchSize, capMs);
    const maxBatch = largestBatch(warmMs, batchSize, capMs);
    if (!warmMs.some(([size]) => size === maxBatch)) warmMs.push([maxBatch, await this.time(maxBatch)]);
    const used = warmMs.filter(([size]) => size <= maxBatch).sort(([a], [b]) => a - b);
    this.#sizes = used.map(([size]) => size);
    return { maxBatch, warmMs: used, padded: this.padded };
  }

  /** 1, 2, 4 … `batchSize`, as far as the cap allows. */
  async timeSizes(batchSize: number, capMs: number): Promise<[number, number][]> {
    if (this.fixedBatch !== undefined) return [[batchSize, await this.time(batchSize)]];
    const warmMs: [number, number][] = [];
    for (let size = 1; ; size = Math.min(size * 2, batchSize)) {
      const ms = await this.time(size);
      warmMs.push([size, ms]);
      const next = Math.min(size * 2, batchSize);
      if (size === batchSize || (ms / size) * next > capMs * capTolerance) return warmMs;
    }
  }

  /** The first run of a size allocates (or compiles) and is not counted. */
  async time(size: number): Promise<number> {
    await this.infer(size);
    const times: number[] = [];
    for (let run = 0; run < 2; run++) {
      const start = performance.now();
      decodeOutputs(await this.infer(size), this.load.decode, this.sources(size));
      times.push(performance.now() - start);
    }
    return Math.min(...times);
  }

  sources(count: number) {
    const { width, height } = this.load.input;
    return Array.from({ length: count }, () => ({ sourceWidth: width, sourceHeight: height }));
  }

  /** Runs are answered in the order of their messages, one after another: they share `pixels`. */
  enqueue(message: RunMessage): void {
    this.#chain = this.#chain.then(() => this.answer(message));
  }

  async answer({ id, offset, sourceSizes }: RunMessage): Promise<void> {
    try {
      const start = performance.now();
      const count = sourceSizes.length;
      const { width, height } = this.load.input;
      readSync(sharedFd, this.pixels, 0, width * height * 3 * count, offset);
      const sources = sourceSizes.map(([sourceWidth, sourceHeight]) => ({ sourceWidth, sourceHeight }));
      const findings = packFindings(decodeOutputs(await this.infer(count), this.load.decode, sources));
      send({ type: 'result', id, ms: performance.now() - start, rssBytes: process.memoryUsage.rss(), findings });
    } catch (error) {
      send({ type: 'error', id, message: messageOf(error) });
    }
  }

  async infer(count: number): Promise<Outputs> {
    const { width, height, sizesName } = this.load.input;
    const rows = this.fixedBatch ?? (this.padded ? (this.#sizes.find((size) => size >= count) ?? count) : count);
    const [pictureName = ''] = this.session.inputNames.filter((name) => name !== sizesName);
    const pixels = this.pixels.subarray(0, rows * width * height * 3);
    const feeds: Record<string, Tensor> = { [pictureName]: new Tensor('uint8', pixels, [rows, height, width, 3]) };
    if (sizesName !== undefined) {
      const sizes = BigInt64Array.from({ length: rows * 2 }, (_, i) => BigInt(i % 2 === 0 ? width : height));
      feeds[sizesName] = new Tensor('int64', sizes, [rows, 2]);
    }
    const results = await this.session.run(feeds);
    return new Map(
      this.session.outputNames.map((name): [string, OutputTensor] => {
        const { dims, data, type } = results[name] ?? new Tensor('float32', [], [0]);
        return [name, { dims, data: floatsOf(data, type) }];
      }),
    );
  }
}

/** The largest batch that stays under the cap, at least 1; between two timed sizes by proportion. */
function largestBatch(warmMs: readonly (readonly [number, number])[], batchSize: number, capMs: number): number {
  const [size, ms] = warmMs.findLast(([, took]) => took <= capMs) ?? [1, capMs];
  return Math.min(batchSize, Math.max(size, Math.floor((capMs * size) / ms)));
}

function sessionOptions(settings: SessionSettings, device: Device): InferenceSession.SessionOptions {
  if (device === 'tensorrt') {
    // The binding takes no TensorRT options (microsoft/onnxruntime#26854): the provider's variables are all there is.
    process.env.ORT_TENSORRT_FP16_ENABLE = settings.fp16 ? '1' : '0';
    process.env.ORT_TENSORRT_ENGINE_CACHE_ENABLE = settings.engineCacheDir === undefined ? '0' : '1';
    process.env.ORT_TENSORRT_CACHE_PATH = settings.engineCacheDir ?? '';
  }
  return {
    executionProviders: [device],
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: settings.graphOptimization,
    enableCpuMemArena: settings.memoryArena,
    enableMemPattern: settings.memoryArena,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: settings.spinning ? '1' : '0' } } },
  };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function send(message: FromChild): void {
  process.send?.(message);
}

let opened: Session | undefined;

async function load(message: LoadMessage): Promise<void> {
  const passedOver: PassedOver[] = [];
  for (const device of message.devices) {
    send({ type: 'trying', device });
    try {
      const session = await Session.open(message, device);
      const warm = await session.warmUp();
      opened = session;
      return send({ type: 'ready', device, file: session.file, passedOver, ...warm });
    } catch (error) {
      const misfit = error instanceof TikitakaError && error.code === 'ERR_MODEL_SHAPE';
      if (misfit || device === message.devices.at(-1)) {
        const code = misfit ? 'ERR_MODEL_SHAPE' : 'ERR_MODEL_LOAD';
        return send({ type: 'failed', code, message: messageOf(error) });
      }
      passedOver.push({ device, reason: messageOf(error) });
    }
  }
}

const isToChild = (message: unknown): message is ToChild =>
  typeof message === 'object' && message !== null && 'type' in message;

process.on('message', (message) => {
  if (!isToChild(message)) return;
  if (message.type === 'load') void load(message);
  else opened?.enqueue(message);
});
// The control channel is all that keeps this process alive: it ends with its parent, however that ends.
