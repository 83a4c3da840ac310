import { existsSync, mkdirSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { TikitakaError } from '../../operators/index.js';
import type { PictureFinding } from '../contract.js';
import { decodeOutputs, type Outputs, type OutputTensor } from '../layouts/index.js';
import { fitInput, type PreparedModel, prependPreparation } from '../onnx/fit-input.js';
import { readGraph } from '../onnx/graph.js';
import { toHalfPrecision } from '../onnx/half-precision.js';
import { placement } from '../onnx/preparation.js';
import type { SourceSize } from '../picture-space.js';
import { floatsOf } from './floats.js';
import {
  type Device,
  type FromChild,
  type LoadMessage,
  type PassedOver,
  packFindings,
  type ReadyMessage,
  type RunMessage,
  type ToChild,
} from './protocol.js';
import { halfDevices, providerEnvironment, sessionOptions } from './session-options.js';

/*
 * A process of its own for one session, and the only importer of ONNX Runtime: `run()` blocks its thread and cannot be
 * interrupted, so the parent must be able to end it from outside (docs/measurements.md "Inference").
 */

/** The shared file is inherited under this number: after stdin, stdout, stderr and the control channel. */
const sharedFd = 4;
/** Sizes are tried further while they promise to stay below the cap by this factor (chosen: warm-up figures are noisy). */
const capTolerance = 1.25;

interface OpenedFile {
  readonly session: InferenceSession;
  readonly names: { readonly picture: string; readonly placement: PreparedModel['placementNames'] };
  readonly file: string;
  readonly load: LoadMessage;
  readonly device: Device;
  /** The file's own batch size, where it is fixed. */
  readonly fixedBatch: number | undefined;
}

class Session {
  #chain = Promise.resolve();
  #sizes: readonly number[] = [];

  readonly session: InferenceSession;
  readonly names: OpenedFile['names'];
  readonly file: string;
  readonly load: LoadMessage;
  readonly device: Device;
  readonly fixedBatch: number | undefined;
  readonly pictureBytes: number;
  readonly pixels: Uint8Array;

  private constructor({ session, names, file, load, device, fixedBatch }: OpenedFile) {
    this.session = session;
    this.names = names;
    this.file = file;
    this.load = load;
    this.device = device;
    this.fixedBatch = fixedBatch;
    this.pictureBytes = load.input.picture.width * load.input.picture.height * 3;
    this.pixels = new Uint8Array((fixedBatch ?? load.batchSize) * this.pictureBytes);
  }

  /** Errors: ERR_MODEL_LOAD, ERR_MODEL_SHAPE; whatever ONNX Runtime throws. */
  static async open(load: LoadMessage, device: Device, half: boolean): Promise<Session> {
    const exported = half ? halfExportOf(load.file) : undefined;
    const file = exported ?? load.file;
    const read = readFileSync(file);
    const model = half && exported === undefined ? toHalfPrecision(read) : read;
    const graph = readGraph(model, file);
    const input = fitInput(graph, load.input, file);
    const edited = prependPreparation(model, { input, opset: graph.opsets[''] ?? 0 }, load.input);
    const options = sessionOptions(load.session, device);
    const { engineCacheDir } = load.session;
    if (device === 'tensorrt' && engineCacheDir !== undefined) mkdirSync(engineCacheDir, { recursive: true });
    Object.assign(process.env, providerEnvironment(load.session, device));
    // By its name where that is what it holds: weights beside it are found then.
    const session = await (edited || model !== read
      ? InferenceSession.create(edited?.model ?? model, options)
      : InferenceSession.create(file, options));
    const fixedBatch = typeof input.batch === 'number' ? input.batch : undefined;
    const names = { picture: edited?.pictureName ?? input.name, placement: edited?.placementNames };
    return new Session({ session, names, file, load, device, fixedBatch });
  }

  get padded(): boolean {
    return this.fixedBatch !== undefined || this.device !== 'cpu';
  }

  /** Half precision ends at 65504: what is larger becomes infinite and then no number at all. Errors: ERR_MODEL_LOAD. */
  async checkNumbers(): Promise<void> {
    // Half black, half white: as bright and as sharp as pictures get.
    this.pixels.fill(0).fill(255, 0, this.pictureBytes / 2);
    for (const [name, { data }] of await this.infer(this.sources(1))) {
      if (data.every(Number.isFinite)) continue;
      throw new TikitakaError('ERR_MODEL_LOAD', `${name} holds values that are no numbers`);
    }
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
    const sources = this.sources(size);
    await this.infer(sources);
    const times: number[] = [];
    for (let run = 0; run < 2; run++) {
      const start = performance.now();
      decodeOutputs(await this.infer(sources), this.load.decode, sources);
      times.push(performance.now() - start);
    }
    return Math.min(...times);
  }

  sources(count: number): SourceSize[] {
    const { width, height } = this.load.input.picture;
    return Array.from({ length: count }, () => ({ sourceWidth: width, sourceHeight: height }));
  }

  /** Runs are answered in the order of their messages, one after another: they share `pixels`. */
  enqueue(message: RunMessage): void {
    this.#chain = this.#chain.then(() => this.answer(message));
  }

  async answer({ id, offset, sourceSizes }: RunMessage): Promise<void> {
    try {
      const start = performance.now();
      const sources = sourceSizes.map(([sourceWidth, sourceHeight]) => ({ sourceWidth, sourceHeight }));
      const found: PictureFinding[] = [];
      for (const part of this.partsOf(sources)) {
        const at = offset + found.length * this.pictureBytes;
        readSync(sharedFd, this.pixels, 0, this.pictureBytes * part.length, at);
        found.push(...decodeOutputs(await this.infer(part), this.load.decode, part));
      }
      const findings = packFindings(found);
      send({ type: 'result', id, ms: performance.now() - start, rssBytes: process.memoryUsage.rss(), findings });
    } catch (error) {
      send({ type: 'error', id, message: messageOf(error) });
    }
  }

  /** What can run at once: pictures that are placed alike. */
  partsOf(sources: readonly SourceSize[]): readonly (readonly SourceSize[])[] {
    if (!this.names.placement) return [sources];
    const parts: SourceSize[][] = [];
    for (const source of sources) {
      const [last] = parts.at(-1) ?? [];
      const isSame = last?.sourceWidth === source.sourceWidth && last.sourceHeight === source.sourceHeight;
      if (isSame) parts.at(-1)?.push(source);
      else parts.push([source]);
    }
    return parts;
  }

  /** Runs the first `sources.length` pictures of `pixels`. */
  async infer(sources: readonly SourceSize[]): Promise<Outputs> {
    const { width, height, sizesName, picture } = this.load.input;
    const count = sources.length;
    const rows = this.fixedBatch ?? (this.padded ? (this.#sizes.find((size) => size >= count) ?? count) : count);
    const pixels = this.pixels.subarray(0, rows * this.pictureBytes);
    const feeds: Record<string, Tensor> = {
      [this.names.picture]: new Tensor('uint8', pixels, [rows, picture.height, picture.width, 3]),
    };
    const [source] = sources;
    if (this.names.placement && source) {
      const { sizes, pads } = placement(this.load.input, source, rows);
      feeds[this.names.placement.sizes] = new Tensor('int64', sizes, [sizes.length]);
      feeds[this.names.placement.pads] = new Tensor('int64', pads, [pads.length]);
    }
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

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function send(message: FromChild): void {
  process.send?.(message);
}

let opened: Session | undefined;

async function start(
  message: LoadMessage,
  { device, half, ...told }: Pick<ReadyMessage, 'device' | 'half' | 'passedOver' | 'notes'>,
): Promise<void> {
  const session = await Session.open(message, device, half);
  try {
    if (half) await session.checkNumbers();
    const warm = await session.warmUp();
    opened = session;
    const { engineCacheDir } = message.session;
    const notes = [...told.notes, ...(device === 'tensorrt' ? engineNotes(engineCacheDir) : [])];
    send({ type: 'ready', device, half, file: session.file, passedOver: told.passedOver, notes, ...warm });
  } catch (error) {
    await session.session.release();
    throw error;
  }
}

/** The half-precision export beside a file. */
function halfExportOf(file: string): string | undefined {
  const sibling = file.replace(/\.onnx$/, '.fp16.onnx');
  return sibling !== file && existsSync(sibling) ? sibling : undefined;
}

/** Whether the provider did keep what it compiled: it may never have heard of the folder. */
function engineNotes(folder: string | undefined): string[] {
  if (folder === undefined || readdirSync(folder).length > 0) return [];
  return [`TensorRT kept no engine in ${folder}: it compiles anew at each start`];
}

async function load(message: LoadMessage): Promise<void> {
  const passedOver: PassedOver[] = [];
  for (const device of message.devices) {
    send({ type: 'trying', device });
    const notes: string[] = [];
    if (message.session.fp16 && halfDevices.includes(device)) {
      try {
        return await start(message, { device, half: true, passedOver, notes });
      } catch (error) {
        notes.push(`no half precision: ${messageOf(error)}`);
      }
    }
    try {
      return await start(message, { device, half: false, passedOver, notes });
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
