import { availableParallelism } from 'node:os';
import { Observable, Subscription } from 'rxjs';
import { OptionError } from '../../operators/index.js';
import type { ClassThresholds, Detection, ModelRunner, PictureFinding } from '../contract.js';
import { jointThresholds, type ModelDescription, provides } from '../description.js';
import { ballId } from '../layouts/index.js';
import { nms } from '../nms.js';
import { jointInput } from '../picture-space.js';
import type { DeviceReport } from './devices.js';
import { type ModelRunnerOptions, openModelRunner, type ProcessModelRunner } from './model-runner.js';

/** An ONNX file with its description. */
export interface ModelFile {
  readonly file: string;
  readonly description: ModelDescription;
}

export interface ModelSetOptions extends Omit<ModelRunnerOptions, 'file' | 'description'> {
  /** One model that does everything, or several (player, pitch, ball); their inputs may differ. */
  readonly models: readonly ModelFile[];
  /** Leave the pitch out: models that give nothing else are not opened, key points are empty. Default false. */
  readonly skipPitch?: boolean;
}

export interface ModelSet extends ModelRunner {
  readonly reports: readonly DeviceReport[];
  /** Whether every model has a process that is loaded and warm; false while a lost one is replaced. */
  readonly isAlive: boolean;
  /** What the descriptions say of the classes; `weakest` changes nothing about them. */
  readonly thresholds: ClassThresholds;
  /** Process ids of all models; for memory figures. */
  pids(): readonly number[];
  /** Starts the spare processes now instead of at the first run; resolves when they are warm, or known not to start. */
  warmSpare(): Promise<void>;
  /** Reads all files again and replaces the processes without dropping a run. Errors: ERR_MODEL_LOAD, ERR_MODEL_SHAPE (the old ones stay). */
  reload(): Promise<void>;
}

/** Boxes of the same kind from different models that overlap more than this are one (the usual IoU of a match). */
const sameObjectIou = 0.5;

/**
 * Several models as one runner: they run at the same time, each in its process with its share of the threads, and their
 * findings are merged into one per picture. Errors: ERR_OPTION, ERR_MODEL_LOAD, ERR_MODEL_SHAPE.
 */
export async function openModelSet({ models, skipPitch = false, ...options }: ModelSetOptions): Promise<ModelSet> {
  const used = models.filter(({ description }) => !skipPitch || provides(description).objects);
  const [first] = used;
  if (!first) throw new OptionError('no model is left to run', { models: models.length, skipPitch });
  const picture = jointInput([first.description.input, ...used.map(({ description }) => description.input)]);
  const threads = shares(options.threads ?? availableParallelism(), used.length);
  const runners: ProcessModelRunner[] = [];
  try {
    // One after another: a warm-up beside another one would measure both too slow.
    for (const [i, model] of used.entries()) {
      runners.push(await openModelRunner({ ...options, ...model, picture, threads: threads[i] ?? 1 }));
    }
  } catch (error) {
    await Promise.all(runners.map((runner) => runner.close()));
    throw error;
  }
  const limit = Math.max(...used.map(({ description }) => description.maxDetections));
  const merge = (parts: readonly PictureFinding[]): PictureFinding => {
    const { detections, keyPoints } = mergeFindings(parts, limit);
    return { detections, keyPoints: skipPitch ? [] : keyPoints };
  };
  return {
    input: picture,
    maxBatch: Math.min(...runners.map(({ maxBatch }) => maxBatch)),
    device: [...new Set(runners.map(({ device }) => device))].join('+'),
    reports: runners.map(({ report }) => report),
    get isAlive() {
      return runners.every(({ isAlive }) => isAlive);
    },
    thresholds: jointThresholds(used.map(({ description }) => description)),
    pids: () => runners.flatMap((runner) => runner.pids()),
    warmSpare: async () => {
      for (const runner of runners) await runner.warmSpare();
    },
    predictMs: (batchSize) => Math.max(...runners.map((runner) => runner.predictMs(batchSize))),
    run: (pictures, onReturn) =>
      new Observable<readonly PictureFinding[]>((subscriber) => {
        const found: (readonly PictureFinding[])[] = [];
        const runs = new Subscription();
        let reading = runners.length;
        let waiting = runners.length;
        runners.forEach((runner, i) => {
          const returned = () => {
            if (--reading === 0) onReturn();
          };
          const run = runner.run(pictures, returned).subscribe({
            next: (findings) => {
              found[i] = findings;
            },
            error: (error: unknown) => subscriber.error(error),
            complete: () => {
              if (--waiting > 0) return;
              subscriber.next(pictures.map((_, n) => merge(found.flatMap((findings) => findings[n] ?? []))));
              subscriber.complete();
            },
          });
          runs.add(run);
        });
        return runs;
      }),
    reload: async () => {
      for (const runner of runners) await runner.swap();
    },
    close: async () => {
      await Promise.all(runners.map((runner) => runner.close()));
    },
  };
}

/** Threads per model, at least one each; the first ones get what is left over. */
function shares(threads: number, models: number): number[] {
  return Array.from({ length: models }, (_, i) => Math.max(1, Math.floor((threads + models - 1 - i) / models)));
}

/** What several models say about one picture: all boxes, the same object once; the key points of the first that has some. */
export function mergeFindings(parts: readonly PictureFinding[], limit: number): PictureFinding {
  const keyPoints = parts.find((part) => part.keyPoints.length > 0)?.keyPoints ?? [];
  const lists = parts.map(({ detections }) => detections).filter((detections) => detections.length > 0);
  if (lists.length < 2) return { detections: lists[0] ?? [], keyPoints };
  const all: readonly Detection[] = lists.flat();
  const kept = nms({
    boxesXyxy: Float32Array.from(all.flatMap(({ boxXyxyPx }) => boxXyxyPx)),
    scores: Float32Array.from(all, ({ score }) => score),
    kinds: Uint8Array.from(all, ({ classId }) => (classId === ballId ? 0 : 1)),
    iou: sameObjectIou,
    limit,
  });
  return { detections: Array.from(kept, (i) => all[i]).filter((detection) => detection !== undefined), keyPoints };
}
