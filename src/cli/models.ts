import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { lastValueFrom } from 'rxjs';
import {
  chooseModel,
  type DeviceChoice,
  type Evaluation,
  evaluate,
  type FitPitch,
  forEvaluation,
  type ModelFile,
  type ModelInput,
  type ModelPicture,
  objectsOfAnotherMoment,
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
import { createFramePool, openStreamDecoder } from '../decode/index.js';
import { fitHomography } from '../scene/homography.js';
import { PITCH_POINTS } from '../scene/pitch.js';

/** Thresholds at which key points are judged, beside the model's own: those of the reference evaluation. */
const referenceThresholds = [0.25, 0.35];

interface JsonOption {
  readonly json?: boolean;
}

interface DeviceOption extends JsonOption {
  readonly device: DeviceChoice;
  readonly threads?: number;
}

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
  withDevice(command.command('check'))
    .description('load a model file, compare it with its description, run it once')
    .argument('<file>', 'ONNX file')
    .option('--description <json>', 'description; default: the one beside the file')
    .action((file: string, options: DeviceOption & { description?: string }) => check(file, options));
  withDevice(command.command('evaluate'))
    .description('measure a model on a folder of images/, labels/objects/ and labels/pitch/')
    .argument('<folder>', 'data set, in the layout of YOLO labels')
    .option('--model <model>', 'a shipped model (see list) or a user file (.onnx, .json)', 'fast')
    .option('--img-size <width>', 'input width, for models with several', wholeNumber)
    .option('--matches <names>', 'only these matches, comma-separated (the first part of the image names)')
    .option('--everything', 'believe also the object labels that are known to show another moment than the picture')
    .action((folder: string, options: EvaluateOption) => evaluateFolder(folder, options));
  return command;
}

const devices: readonly DeviceChoice[] = ['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml', 'dml'];

function withDevice(command: Command): Command {
  return command
    .addOption(new Option('--device <device>', 'where to run it').choices(devices).default('auto'))
    .option('--threads <n>', 'threads of the session', wholeNumber)
    .option('--json', 'as JSON');
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number from 1');
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

async function check(file: string, options: DeviceOption & { readonly description?: string }): Promise<void> {
  const shipped = shippedModels().find((model) => model.file === file);
  const model: ModelFile =
    options.description === undefined
      ? (shipped ?? userModel(file))
      : { file, description: readDescription(options.description) };
  const runner = await openModelRunner({ ...model, ...runnerOptions(options), batchSize: 1 });
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

const runnerOptions = ({ device, threads }: DeviceOption) => ({
  device,
  spare: false,
  ...(threads === undefined ? {} : { threads }),
});

interface EvaluateOption extends DeviceOption {
  readonly model: string;
  readonly imgSize?: number;
  readonly matches?: string;
  readonly everything?: boolean;
}

async function evaluateFolder(folder: string, options: EvaluateOption): Promise<void> {
  const images = readDataset({
    folder,
    matches: options.matches?.split(','),
    ...(options.everything ? { withoutObjects: new Set<string>() } : {}),
  });
  const leftOut = options.everything ? [] : images.filter(({ name }) => objectsOfAnotherMoment.has(name));
  for (const { name } of leftOut) process.stderr.write(`${name}: object labels left out, they show another moment\n`);
  const imageSize = options.imgSize === undefined ? {} : { imageSize: { width: options.imgSize, nearest: false } };
  const chosen = chooseModel({ model: options.model, ...imageSize });
  const { keyPoint } = chosen.description.thresholds;
  const runner = await openModelRunner({
    file: chosen.file,
    description: forEvaluation(chosen.description),
    ...runnerOptions(options),
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
    print(
      { model: chosen.description.name, folder, leftOut: leftOut.map(({ name }) => name), ...result },
      options,
      lines(result),
    );
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
  const decoder = await openStreamDecoder({ source: { url: file }, input, pool, threads: 1 });
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
    `mAP50       ${mAP50.toFixed(3)} ${range(objects.mAP50)}`,
    ...keyPoints.map(
      (figures) =>
        `key points  from ${figures.threshold}: PCK@1 % ${figures.pck1.toFixed(3)}, @2 % ${figures.pck2.toFixed(3)}, false positives ${percent(figures.falsePositives)}, homography in ${percent(figures.homographyShare)}, median error ${(figures.homographyMedianError * 100).toFixed(3)} % of the diagonal`,
    ),
    `            last: PCK@1 % ${range(pitch.pck1)}, @2 % ${range(pitch.pck2)}, false positives ${range(pitch.falsePositives)}`,
  ];
}

function print(value: unknown, { json }: JsonOption, text: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : `${text.join('\n')}\n`);
}
