import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { OptionError, TikitakaError } from '../../operators/index.js';
import type { ClassId } from '../contract.js';

/** A labelled object; centre and size as shares (0..1) of the picture. */
export interface TruthBox {
  readonly classId: ClassId;
  readonly boxCxcywhNorm: readonly [number, number, number, number];
}

/** A labelled key point as shares (0..1) of the picture; its place in the list is its identity. */
export interface TruthPoint {
  readonly xNorm: number;
  readonly yNorm: number;
  readonly visible: boolean;
}

/** A frame without a label file of a kind is unlabelled for that kind (undefined), not empty. */
export interface LabelledImage {
  readonly name: string;
  readonly match: string;
  readonly file: string;
  readonly objects: readonly TruthBox[] | undefined;
  readonly keyPoints: readonly TruthPoint[] | undefined;
}

export interface DatasetOptions {
  readonly folder: string;
  /** Only these; default all. */
  readonly matches?: readonly string[] | undefined;
}

/**
 * Reads a folder of `images/<match>_….jpg`, `labels/objects/*.txt` (YOLO: class cx cy w h) and `labels/pitch/*.txt` (a
 * class, a box and 32 × x y visibility). Errors, thrown at call: ERR_OPTION where nothing of it
 * is there, ERR_LABELS for a line that cannot be read.
 */
export function readDataset({ folder, matches }: DatasetOptions): LabelledImage[] {
  const images = join(folder, 'images');
  if (!existsSync(images)) throw new OptionError(`${folder} has no folder images/`, { folder });
  const labelled = readdirSync(images)
    .sort()
    .flatMap((fileName): LabelledImage[] => {
      const { name } = parse(fileName);
      const match = name.split('_')[0] ?? name;
      if (matches && !matches.includes(match)) return [];
      const objects = readLines(join(folder, 'labels/objects', `${name}.txt`))?.map(toBox);
      const keyPoints = readLines(join(folder, 'labels/pitch', `${name}.txt`))?.map(toPoints)[0];
      return objects || keyPoints ? [{ name, match, file: join(images, fileName), objects, keyPoints }] : [];
    });
  if (labelled.length > 0) return labelled;
  throw new OptionError(`${folder} has no labelled image${matches ? ` of ${matches.join(', ')}` : ''}`, {
    folder,
    matches,
  });
}

interface Line {
  readonly values: readonly number[];
  readonly where: string;
}

function readLines(file: string): Line[] | undefined {
  if (!existsSync(file)) return undefined;
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line, i) => ({ text: line.trim(), where: `${file}:${i + 1}` }))
    .filter(({ text }) => text !== '')
    .map(({ text, where }) => {
      const values = text.split(/\s+/).map(Number);
      if (values.some(Number.isNaN)) throw unreadable(where, 'not all are numbers');
      return { values, where };
    });
}

const classIds: readonly ClassId[] = [0, 1, 2, 3];

function toBox({ values, where }: Line): TruthBox {
  const [label = -1, cx = 0, cy = 0, w = 0, h = 0] = values;
  const classId = classIds[label];
  if (values.length !== 5 || classId === undefined) throw unreadable(where, 'expected: class 0..3, cx, cy, w, h');
  return { classId, boxCxcywhNorm: [cx, cy, w, h] };
}

function toPoints({ values, where }: Line): TruthPoint[] {
  if (values.length !== 5 + 32 * 3) throw unreadable(where, 'expected: class, cx, cy, w, h, 32 × x y visibility');
  return Array.from({ length: 32 }, (_, i) => {
    const [xNorm = 0, yNorm = 0, visibility = 0] = values.slice(5 + 3 * i, 8 + 3 * i);
    return { xNorm, yNorm, visible: visibility > 0 };
  });
}

const unreadable = (where: string, why: string) =>
  new TikitakaError('ERR_LABELS', `${where}: ${why}`, { details: { where } });
