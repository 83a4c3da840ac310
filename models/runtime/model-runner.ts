import { availableParallelism } from 'node:os';
import { asyncScheduler, Observable, type SchedulerLike } from 'rxjs';
import { OptionError, TikitakaError } from '../../operators/index.js';
import type { ModelInput, ModelPicture, ModelRunner, PictureFinding } from '../contract.js';
import { atMost, type ModelDescription } from '../description.js';
import { fitting } from '../onnx/preparation.js';
import type { PictureFormat } from '../picture-space.js';
import { type DeviceChoice, type DeviceReport, deviceOrder, fellBack } from './devices.js';
import { startSession } from './process.js';
import type { Device, LoadMessage, PassedOver, SessionSettings } from './protocol.js';
import { unmetWishes } from './session-options.js';
import { type ModelNotice, SessionPair } from './session-pair.js';
import { type Worker, warmWorker } from './worker.js';

export interface ModelRunnerOptions {
  /** The ONNX file. */
  readonly file: string;
  readonly description: ModelDescription;
  /** Default `auto`; see `deviceOrder` for what is tried. */
  readonly device?: DeviceChoice;
  /** How the pictures arrive: larger than the model's own, or without its grey bars, they are made its own inside the graph. Default: as the model's own. */
  readonly picture?: ModelInput;
  /** Boxes from this score on come out even where the description's thresholds are higher: for trackers, whose tracks weak boxes confirm. Default 1. */
  readonly weakest?: number;
  /** Largest batch wanted, 1…256. Default 32. */
  readonly batchSize?: number;
  /** One run on CPU takes at most this, in ms; it decides `maxBatch` at warm-up. Default 150. */
  readonly runCapMs?: number;
  /** Keep a second, warm process for the case that the first one must be killed. Default true. */
  readonly spare?: boolean;
  /** Threads of the session on CPU. Default: one per available core. */
  readonly threads?: number;
  /** Default false: idle threads that spin steal the cores from the decoder (measured on 2 shared cores: 60 ms a picture without, 107 with). */
  readonly spinning?: boolean;
  /** Default `all`. */
  readonly graphOptimization?: SessionSettings['graphOptimization'];
  /** Default true. */
  readonly memoryArena?: boolean;
  /** A process that holds more than this (resident bytes) after a run is replaced by the spare. Default: no limit. */
  readonly maxRssBytes?: number;
  /** What CUDA may take of the GPU's memory, bytes. Default: all there is. */
  readonly gpuMemoryBytes?: number;
  /** Half precision on accelerators: NAME.fp16.onnx beside the file, where there is one, else the file converted as it is loaded. Default false. */
  readonly fp16?: boolean;
  /** Folder for TensorRT's compiled engines, made where it is missing. Default: none are kept. */
  readonly engineCacheDir?: string;
  /** A run that takes longer than `hangFactor` × its prediction, and than `minHangMs`, is hung: its process is killed. Defaults 20 and 5000. */
  readonly hangFactor?: number;
  readonly minHangMs?: number;
  /** Loading and warm-up that take longer fail. Default 120 000 ms; TensorRT 900 000. */
  readonly loadTimeoutMs?: number;
  /** What an operator should read in the log: a process replaced, a spare that is warm or could not be started. */
  readonly onNotice?: (notice: ModelNotice) => void;
  /** Clock of the watchdogs. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** Our runtime: one child process per session. */
export interface ProcessModelRunner extends ModelRunner {
  /** What runs where, and why not elsewhere; for the log line see `reportLine`. */
  readonly report: DeviceReport;
  /** Whether a process is loaded and warm now; false while a lost one is replaced. */
  readonly isAlive: boolean;
  /** Process ids, the working one first; for memory figures. */
  pids(): readonly number[];
  /** Starts the spare now instead of at the first run, whose cores it would take; resolves when it is warm, or is known not to start. */
  warmSpare(): Promise<void>;
  /**
   * Replaces the file (new weights, same description) without dropping a run: runs in flight end in the old process,
   * which goes then. Without a name the same file is read again. Resolves when the next run uses the new file. Errors: ERR_MODEL_LOAD, ERR_MODEL_SHAPE (the old
   * file stays in use), ERR_RELEASED.
   */
  swap(file?: string): Promise<void>;
}

/** Errors of a fresh start: ERR_OPTION (thrown at call), ERR_MODEL_LOAD, ERR_MODEL_SHAPE. */
export async function openModelRunner(options: ModelRunnerOptions): Promise<ProcessModelRunner> {
  const { file, description, batchSize = 32, runCapMs = 150, device: choice = 'auto' } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > 256) {
    throw new OptionError(`batchSize must be a whole number from 1 to 256, not ${batchSize}`);
  }
  const { input: own } = description;
  const { width, height, fit, filter } = options.picture ?? own;
  const picture = { width, height, fit };
  if (fitting({ ...own, picture }) === 'impossible') {
    const asText = (format: PictureFormat) => `${format.width}×${format.height} ${format.fit}`;
    throw new OptionError(`${description.name} takes ${asText(own)}, which ${asText(picture)} cannot become`);
  }
  const load: LoadMessage = {
    type: 'load',
    file,
    devices: deviceOrder(choice, process.platform),
    input: {
      name: own.name,
      width: own.width,
      height: own.height,
      fit: own.fit,
      layout: own.layout,
      dtype: own.dtype,
      colours: own.colours,
      normalise: own.normalise,
      sizesName: own.sizesName,
      picture,
    },
    decode: {
      input: { width: own.width, height: own.height, fit: own.fit },
      output: description.output,
      thresholds: atMost(description.thresholds, options.weakest ?? 1),
      maxDetections: description.maxDetections,
    },
    batchSize,
    runCapMs,
    keepBatch: false,
    session: {
      threads: options.threads ?? availableParallelism(),
      spinning: options.spinning ?? false,
      graphOptimization: options.graphOptimization ?? 'all',
      memoryArena: options.memoryArena ?? true,
      gpuMemoryBytes: options.gpuMemoryBytes,
      fp16: options.fp16 ?? false,
      engineCacheDir: options.engineCacheDir,
    },
  };
  const first = await startSomewhere(load, options);
  const { device, maxBatch } = first.ready;
  // Replacements repeat what the first one found out.
  const pair = new SessionPair({
    load: { ...load, devices: [device], batchSize: maxBatch, keepBatch: true },
    first,
    spare: options.spare ?? true,
    maxRssBytes: options.maxRssBytes ?? Number.POSITIVE_INFINITY,
    hangFactor: options.hangFactor ?? 20,
    minHangMs: options.minHangMs ?? 5000,
    loadTimeoutMs: loadTimeoutMs(options, device),
    onNotice: options.onNotice ?? (() => undefined),
    scheduler: options.scheduler ?? asyncScheduler,
  });
  const input: ModelInput = { width, height, fit, filter };
  const frameBytes = width * height * 3;
  const check = (pictures: readonly ModelPicture[]) => {
    if (pictures.length === 0 || pictures.length > maxBatch) {
      return new OptionError(`a batch has 1 to ${maxBatch} pictures, not ${pictures.length}`);
    }
    const wrong = pictures.find(({ pixels }) => pixels.length !== frameBytes);
    if (!wrong) return undefined;
    return new TikitakaError(
      'ERR_MODEL_SHAPE',
      `a picture has ${frameBytes} bytes (${width}×${height}×3), not ${wrong.pixels.length}`,
    );
  };
  return {
    input,
    maxBatch,
    device,
    report: {
      model: description.name,
      file: first.ready.file,
      device,
      threads: load.session.threads,
      maxBatch,
      oneMs: first.predictor.predictMs(1),
      fullMs: first.predictor.predictMs(maxBatch),
      passedOver: first.ready.passedOver,
      half: first.ready.half,
      notes: [...unmetWishes({ ...load.session, device }), ...first.ready.notes],
      fellBack: fellBack(options.device ?? 'auto', device),
    },
    get isAlive() {
      return pair.isAlive;
    },
    predictMs: (size) => pair.predictMs(size),
    run: (pictures, onReturn) =>
      new Observable<readonly PictureFinding[]>((subscriber) => {
        const refusal = check(pictures);
        if (refusal) {
          onReturn();
          subscriber.error(refusal);
          return undefined;
        }
        return pair.enqueue(pictures, onReturn, (end) => {
          if ('error' in end) return subscriber.error(end.error);
          subscriber.next(end.findings);
          subscriber.complete();
        });
      }),
    pids: () => pair.pids(),
    warmSpare: () => pair.warmSpare(),
    swap: (next = file) => pair.swap(next),
    close: () => pair.close(),
  };
}

/** Tries the devices in order; where one takes the whole process down (a driver), the next ones are tried in a new process. */
async function startSomewhere(load: LoadMessage, options: ModelRunnerOptions): Promise<Worker> {
  const scheduler = options.scheduler ?? asyncScheduler;
  const passedOver: PassedOver[] = [];
  let devices = load.devices;
  for (;;) {
    const session = startSession({ ...load, devices });
    try {
      const worker = await warmWorker(session, loadTimeoutMs(options, devices[0] ?? 'cpu'), scheduler);
      return { ...worker, ready: { ...worker.ready, passedOver: [...passedOver, ...worker.ready.passedOver] } };
    } catch (error) {
      await session.gone;
      const failed = session.device();
      const rest = devices.slice(devices.indexOf(failed) + 1);
      const misfit = error instanceof TikitakaError && error.code === 'ERR_MODEL_SHAPE';
      if (misfit || rest.length === 0) throw error;
      passedOver.push({ device: failed, reason: error instanceof Error ? error.message : String(error) });
      devices = rest;
    }
  }
}

const loadTimeoutMs = (options: ModelRunnerOptions, device: Device) =>
  options.loadTimeoutMs ?? (device === 'tensorrt' ? 900_000 : 120_000);
