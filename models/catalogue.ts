import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OptionError, TikitakaError } from '../operators/index.js';
import { readDescription } from './description.js';
import type { ModelFile } from './runtime/model-set.js';

/** The width of the model's input that `IMG_SIZE` asks for. */
export interface ImageSize {
  readonly width: number;
  /** Take the nearest size there is instead of refusing. */
  readonly nearest: boolean;
}

export interface ModelChoice {
  /** A family that ships (`fast`), or the path of a description (.json) or of an ONNX file with its description beside it. */
  readonly model: string;
  /** Default: the family's largest; the description's own. */
  readonly imageSize?: ImageSize;
  /** Replaces the thresholds of all classes. 0..1. */
  readonly confThreshold?: number;
  readonly maxDetections?: number;
}

/** What a user file without a description of its own is taken for: the usual exports of the trio. */
const usualDescriptions = { player: 'yolov8-player', pitch: 'yolov8-pitch', ball: 'yolov8-ball' } as const;
export type ModelRole = keyof typeof usualDescriptions;

/** `models/` of the package: this folder under a loader, two above it when built into `dist/models`. */
const modelsFolder =
  [new URL('./', import.meta.url), new URL('../../models/', import.meta.url)].find((url) =>
    existsSync(new URL('descriptions/', url)),
  ) ?? new URL('./', import.meta.url);

/** Models that ship with Tikitaka: descriptions whose weights are in `models/weights`, largest first. */
export function shippedModels(): ModelFile[] {
  const folder = new URL('descriptions/', modelsFolder);
  return readdirSync(folder)
    .map((name) => readDescription(new URL(name, folder)))
    .flatMap((description) => {
      const file = description.file && fileURLToPath(new URL(`weights/${description.file}`, modelsFolder));
      return file && existsSync(file) ? [{ file, description }] : [];
    })
    .sort((a, b) => b.description.input.width - a.description.input.width);
}

/** Finds what `MODEL` and `IMG_SIZE` ask for. Errors, thrown at call: ERR_OPTION (with the list of what there is), ERR_MODEL_DESCRIPTION, ERR_MODEL_LOAD. */
export function chooseModel({ model, imageSize, ...overrides }: ModelChoice): ModelFile {
  const shipped = shippedModels();
  const family = shipped.filter(({ description }) => description.family === model);
  if (family.length === 0 && !/\.(json|onnx)$/.test(model)) {
    const families = [...new Set(shipped.map(({ description }) => description.family))];
    throw new OptionError(
      `there is no model "${model}"; there is ${families.join(', ')}, or give a .json or .onnx file`,
      {
        model,
        families,
      },
    );
  }
  const candidates = family.length > 0 ? family : [userModel(model)];
  return override(sized(candidates, model, imageSize), overrides);
}

/** The trio of `PLAYER_MODEL`, `PITCH_MODEL`, `BALL_MODEL`; the same errors as `chooseModel`. */
export function chooseRoleModel(role: ModelRole, { model, imageSize, ...overrides }: ModelChoice): ModelFile {
  return override(sized([userModel(model, role)], model, imageSize), overrides);
}

/** A user's file, with the description beside it (same name, .json) or the usual one of its role. */
export function userModel(path: string, role?: ModelRole): ModelFile {
  const json = path.replace(/\.onnx$/, '.json');
  const usual = role && fileURLToPath(new URL(`descriptions/${usualDescriptions[role]}.json`, modelsFolder));
  const described = existsSync(json) ? json : usual;
  if (!described) {
    throw new TikitakaError('ERR_MODEL_DESCRIPTION', `${path} needs a description: ${json} does not exist`, {
      details: { file: path, description: json },
    });
  }
  const description = readDescription(described);
  const named = described === json && description.file ? resolve(json, '..', description.file) : undefined;
  const file = named ?? path.replace(/\.json$/, '.onnx');
  if (existsSync(file)) return { file, description };
  throw new TikitakaError('ERR_MODEL_LOAD', `there is no model file ${file}`, { details: { file } });
}

function sized(candidates: readonly ModelFile[], model: string, imageSize: ImageSize | undefined): ModelFile {
  const [largest] = candidates;
  if (!largest) throw new OptionError(`there is no model "${model}"`);
  if (!imageSize) return largest;
  const { width, nearest } = imageSize;
  const dynamic = candidates.find(({ description }) => description.input.dynamic);
  if (dynamic && (nearest || width % sizeStep === 0))
    return resized(dynamic, Math.max(1, Math.round(width / sizeStep)) * sizeStep);
  const byDistance = [...candidates].sort(
    (a, b) => Math.abs(a.description.input.width - width) - Math.abs(b.description.input.width - width),
  );
  const [closest = largest] = byDistance;
  if (nearest || closest.description.input.width === width) return closest;
  const sizes = candidates.map(({ description: { input } }) => `${input.width}×${input.height}`);
  const has = dynamic ? `widths in steps of ${sizeStep}` : sizes.join(', ');
  throw new OptionError(`model "${model}" has no input ${width} pixels wide; it has ${has}`, { width, sizes });
}

/** Strides of the usual backbones end at 32. */
const sizeStep = 32;

function resized({ file, description }: ModelFile, width: number): ModelFile {
  const { input } = description;
  const height = Math.max(1, Math.round((input.height * width) / input.width / sizeStep)) * sizeStep;
  return { file, description: { ...description, input: { ...input, width, height } } };
}

function override(
  { file, description }: ModelFile,
  { confThreshold, maxDetections }: Pick<ModelChoice, 'confThreshold' | 'maxDetections'>,
): ModelFile {
  const all = confThreshold;
  const ofClasses = all === undefined ? {} : { ball: all, goalkeeper: all, player: all, referee: all };
  return {
    file,
    description: {
      ...description,
      thresholds: { ...description.thresholds, ...ofClasses },
      maxDetections: maxDetections ?? description.maxDetections,
    },
  };
}
