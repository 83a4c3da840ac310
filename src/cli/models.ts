import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { lastValueFrom } from 'rxjs';
import {
  chooseModel,
  classNames,
  type Evaluation,
  evaluate,
  type FitPitch,
  forEvaluation,
  type ModelFile,
  type ModelInput,
  type ModelPicture,
  openModelRunner,
  type PrecisionFigures,
  readDataset,
  readDescription,
  readGraph,
  reportLine,
  shippedModels,
  userModel,
} from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import type { Config } from '../app/config.js';
import { sessionSettings } from '../app/model-choice.js';
import { createFramePool, openStreamDecoder } from '../decode/index.js';
import { fitHomography } from '../questions/football/homography.js';
import { PITCH_POINTS } from '../questions/football/pitch.js';
import { configOf, modelSettings, withSettings } from './settings.js';

/** Thresholds at which key points are judged, beside the model's own: those of the reference evaluation. */
const referenceThresholds = [0.25, 0.35];

interface JsonOption {
  readonly json?: boolean;
}

const evaluateSettings = {
  ...modelSettings,
  model: ['--model <model>', 'MODEL', 'a shipped model (see list) or a user file (.onnx, .json)'],
  imgSize: ['--img-size <width>', 'IMG_SIZE', 'input width, for models with several'],
} as const;

/** `tikitaka models list|info|check|evaluate`: results on stdout, everything else on stderr. */
export function modelsCommand(): Command {
  const command = new Command('models').description('The models: what there is, what a file is, how good it is');
  command
    .command('list')
    .description('models that ship with Tikitaka')
    .option('--json', 'as JSON')
    .action((options: JsonOption) => list(options));
  command
    .command('info')
    .description('what an ONNX file says of itself, and its description')
    .argument('<file>', 'ONNX file')
    .option('--json', 'as JSON')
    .action((file: string, options: JsonOption) => info(file, options));
  withSettings(command.command('check'), modelSettings)
    .description('load a model file, compare it with its description, run it once')
    .argument('<file>', 'ONNX file')
    .option('--description <json>', 'description; default: the one beside the file')
    .option('--json', 'as JSON')
    .action((file: string, options: CheckOption) => check(file, options));
  withSettings(command.command('evaluate'), evaluateSettings)
    .description('measure a model on a folder of images/, labels/objects/ and labels/pitch/')
    .argument('<folder>', 'data set, in the layout of YOLO labels')
    .option('--matches <names>', 'only these matches, comma-separated (the first part of the image names)')
    .option('--json', 'as JSON')
    .action((folder: string, options: EvaluateOption) => evaluateFolder(folder, options));
  return command;
}

function list(options: JsonOption): void {
  const models = shippedModels().map(({ file, description: { name, title, family, input, output } }) => ({
    name,
    title,
    family,
    size: `${input.width}×${input.height}`,
    fit: input.fit,
    layout: output.layout,
    file,
  }));
  print(
    models,
    options,
    models.map(({ name, size, title, family }) => `${name}  MODEL=${family}  ${size}  ${title}`),
  );
}

function info(file: string, options: JsonOption): void {
  const model = readModel(file);
  const graph = readGraph(model, file);
  const description = shippedOrBeside(file);
  const show = (tensors: typeof graph.inputs) =>
    tensors.map(({ name, dtype, dims }) => `${name} ${dtype} [${dims.join(', ')}]`).join(', ');
  print({ file, bytes: model.length, ...graph, description }, options, [
    `inputs   ${show(graph.inputs)}`,
    `outputs  ${show(graph.outputs)}`,
    `${graph.nodes} nodes, ${(model.length / 1e6).toFixed(1)} MB, operator sets ${JSON.stringify(graph.opsets)}, by ${graph.producer || 'unknown'}`,
    description ? `described as ${description.name} (${description.output.layout})` : 'no description beside it',
  ]);
}

function readModel(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TikitakaError('ERR_MODEL_LOAD', `${file} cannot be read`, { cause, details: { file } });
  }
}

function shippedOrBeside(file: string) {
  const shipped = shippedModels().find((model) => model.file === file);
  if (shipped) return shipped.description;
  try {
    return userModel(file).description;
  } catch {
    // A file without a description is worth looking at all the same: the answer says that there is none.
    return undefined;
  }
}

interface CheckOption extends JsonOption {
  readonly description?: string;
}

async function check(file: string, options: CheckOption): Promise<void> {
  const config = configOf(options, modelSettings);
  const shipped = shippedModels().find((model) => model.file === file);
  const model: ModelFile =
    options.description === undefined
      ? (shipped ?? userModel(file))
      : { file, description: readDescription(options.description) };
  const runner = await openModelRunner({ ...model, ...runnerOptions(config), batchSize: 1 });
  try {
    const { width, height } = runner.input;
    const grey: ModelPicture = {
      pixels: new Uint8Array(width * height * 3).fill(114),
      sourceWidth: width,
      sourceHeight: height,
    };
    await lastValueFrom(runner.run([grey], () => undefined));
    print({ ok: true, ...runner.report }, options, [`ok: ${reportLine(runner.report)}`]);
  } finally {
    await runner.close();
  }
}

const runnerOptions = (config: Config) => ({
  ...sessionSettings(config),
  spare: false,
  ...(config.ORT_THREADS === 'auto' ? {} : { threads: config.ORT_THREADS }),
});

interface EvaluateOption extends JsonOption {
  readonly matches?: string;
}

async function evaluateFolder(folder: string, options: EvaluateOption): Promise<void> {
  const config = configOf(options, evaluateSettings);
  const images = readDataset({ folder, matches: options.matches?.split(',') });
  const { MODEL: model, IMG_SIZE: imageSize } = config;
  const chosen = chooseModel({ model, ...(imageSize && { imageSize }) });
  const { keyPoint } = chosen.description.thresholds;
  const runner = await openModelRunner({
    file: chosen.file,
    description: forEvaluation(chosen.description),
    ...runnerOptions(config),
    batchSize: 8,
  });
  try {
    process.stderr.write(`${reportLine(runner.report)}\n`);
    const result = await evaluate({
      runner,
      images,
      readPicture,
      fitPitch,
      keyPointThresholds: [...referenceThresholds.filter((threshold) => threshold !== keyPoint), keyPoint],
      ...(process.stderr.isTTY ? { onProgress: showProgress } : {}),
    });
    print({ model: chosen.description.name, folder, ...result }, options, lines(result));
  } finally {
    await runner.close();
  }
}

function showProgress(done: number, of: number): void {
  process.stderr.write(`\r${done} of ${of} images${done === of ? '\n' : ''}`);
}

/** A still picture is a clip of one frame: decoded and scaled by the very code that clips go through. */
async function readPicture(file: string, input: ModelInput): Promise<ModelPicture> {
  const pool = createFramePool({ slots: 1, bytesPerSlot: input.width * input.height * 3 });
  // One's own pictures may be larger than what strangers send.
  const limits = { maxPixels: Number.POSITIVE_INFINITY };
  const decoder = await openStreamDecoder({ source: { url: file }, input, pool, threads: 1, limits });
  try {
    for await (const frame of decoder.frames()) {
      const { sourceWidth, sourceHeight } = frame;
      const pixels = frame.pixels.slice();
      frame.release();
      return { pixels, sourceWidth, sourceHeight };
    }
  } finally {
    await decoder.close();
    pool.close();
  }
  throw new TikitakaError('ERR_DECODE', `${file} holds no picture`, { details: { file } });
}

const fitPitch: FitPitch = (seen, tolerancePx) => {
  const pairs = seen.flatMap((point, i) => {
    const place = PITCH_POINTS[i];
    return point && place ? [{ point, place }] : [];
  });
  const fit = fitHomography(
    {
      fromX: Float64Array.from(pairs, ({ place }) => place[0]),
      fromY: Float64Array.from(pairs, ({ place }) => place[1]),
      toX: Float64Array.from(pairs, ({ point }) => point[0]),
      toY: Float64Array.from(pairs, ({ point }) => point[1]),
      weight: new Float64Array(pairs.length).fill(1),
    },
    { tolerance: tolerancePx },
  );
  if (!fit) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = fit.map;
  return PITCH_POINTS.map(([x, y]) => {
    const depth = g * x + h * y + i;
    return [(a * x + b * y + c) / depth, (d * x + e * y + f) / depth];
  });
};

function lines({ images, classes, person, mAP50, keyPoints, intervals }: Evaluation): string[] {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const range = ([low, high]: readonly [number, number]) => `[${low.toFixed(3)} … ${high.toFixed(3)}]`;
  const row = (name: string, figures: PrecisionFigures, interval: readonly [number, number]) =>
    `${name.padEnd(12)}AP50 ${figures.ap.toFixed(3)} ${range(interval)}  ${figures.truths} labelled, best F1 ${figures.f1.toFixed(3)} at ${figures.threshold.toFixed(2)}: precision ${figures.precision.toFixed(3)}, recall ${figures.recall.toFixed(3)}`;
  const { objects, pitch } = intervals;
  return [
    `${images.objects} images with objects, ${images.pitch} with a pitch; [90 % bootstrap]`,
    row('person', person, objects.person),
    row('player', classes.player, objects.player),
    row('referee', classes.referee, objects.referee),
    row('goalkeeper', classes.goalkeeper, objects.goalkeeper),
    row('ball', classes.ball, objects.ball),
    ...thresholdsLine(classes),
    `mAP50       ${mAP50.toFixed(3)} ${range(objects.mAP50)}`,
    ...keyPoints.map(
      (figures) =>
        `key points  from ${figures.threshold}: PCK@1 % ${figures.pck1.toFixed(3)}, @2 % ${figures.pck2.toFixed(3)}, false positives ${percent(figures.falsePositives)}, homography in ${percent(figures.homographyShare)}, median error ${(figures.homographyMedianError * 100).toFixed(3)} % of the diagonal`,
    ),
    `            last: PCK@1 % ${range(pitch.pck1)}, @2 % ${range(pitch.pck2)}, false positives ${range(pitch.falsePositives)}`,
  ];
}

/** What the description should say of the classes that were labelled; rounded down, so that the last good box is above it. */
function thresholdsLine(classes: Evaluation['classes']): string[] {
  const measured = classNames.filter((name) => classes[name].f1 > 0);
  const entries = measured.map((name) => `"${name}": ${(Math.floor(classes[name].threshold * 100) / 100).toFixed(2)}`);
  return entries.length > 0 ? [`description "thresholds": { ${entries.join(', ')} }`] : [];
}

function print(value: unknown, { json }: JsonOption, text: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text.join('\n')}\n`);
}
