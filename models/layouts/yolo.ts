import { TikitakaError } from '../../operators/index.js';
import type { ClassId, KeyPoint, PictureFinding } from '../contract.js';
import { type ToSource, toSource } from '../picture-space.js';
import { ballId, Candidates, classIds, keyPointInSource, type RoleScores, unseenKeyPoints } from './candidates.js';
import { type DecodeSpec, type Layout, type OutputTensor, outputOf, pictureOf } from './layout.js';

/** Reads cell (anchor, column) whichever way the file stores its table. */
interface Table {
  readonly anchors: number;
  readonly columns: number;
  at(anchor: number, column: number): number;
}

function tableOf(tensor: OutputTensor, n: number, rows: 'first' | 'last'): Table {
  const data = pictureOf(tensor, n);
  const [, first = 0, second = 0] = tensor.dims;
  return rows === 'first'
    ? { anchors: first, columns: second, at: (anchor, column) => data[anchor * second + column] ?? 0 }
    : { anchors: second, columns: first, at: (anchor, column) => data[column * second + anchor] ?? 0 };
}

/** Class numbers of the model with our class, in one list. */
function classList(classes: Readonly<Record<string, keyof typeof classIds>>): { index: number; classId: ClassId }[] {
  return Object.entries(classes).map(([index, name]) => ({ index: Number(index), classId: classIds[name] }));
}

/** Corners in pixels of the model input. */
function corners(
  spec: DecodeSpec,
  { boxes, normalised }: { readonly boxes: 'cxcywh' | 'xyxy'; readonly normalised: boolean },
  [a, b, c, d]: readonly [number, number, number, number],
): [number, number, number, number] {
  const sx = normalised ? spec.input.width : 1;
  const sy = normalised ? spec.input.height : 1;
  return boxes === 'xyxy'
    ? [a * sx, b * sy, c * sx, d * sy]
    : [(a - c / 2) * sx, (b - d / 2) * sy, (a + c / 2) * sx, (b + d / 2) * sy];
}

const boxAt = (table: Table, anchor: number): [number, number, number, number] => [
  table.at(anchor, 0),
  table.at(anchor, 1),
  table.at(anchor, 2),
  table.at(anchor, 3),
];

/** The three role probabilities from per-class scores, where the model tells at least two roles apart. */
function rolesFrom(scores: readonly (number | undefined)[]): RoleScores | undefined {
  const [, keeper = 0, player = 0, referee = 0] = scores;
  const sum = keeper + player + referee;
  const known = scores.slice(1).filter((score) => score !== undefined).length;
  return known > 1 && sum > 0 ? [keeper / sum, player / sum, referee / sum] : undefined;
}

/** Picks the best class of a row of class scores that are 0..1 and adds it when it passes its threshold. */
export function addBestClass(
  candidates: Candidates,
  classes: readonly { readonly index: number; readonly classId: ClassId }[],
  scoreOf: (index: number) => number,
  box: () => readonly [number, number, number, number],
): void {
  let bestScore = -1;
  let bestClass: ClassId = ballId;
  const perClass: (number | undefined)[] = [undefined, undefined, undefined, undefined];
  for (const { index, classId } of classes) {
    const score = scoreOf(index);
    perClass[classId] = Math.max(perClass[classId] ?? 0, score);
    if (score > bestScore) {
      bestScore = score;
      bestClass = classId;
    }
  }
  if (!candidates.counts(bestClass, bestScore)) return;
  candidates.add(bestClass, bestScore, box(), bestClass === ballId ? undefined : rolesFrom(perClass));
}

export { classList, corners };

/** YOLOv5, v8, v11 detect: one row per anchor; see the description's `yolo-detect`. */
export const yoloDetect: Layout<'yolo-detect'> = (outputs, spec, sources) => {
  const { output } = spec;
  const tensor = outputOf(outputs, output.output, [null, null]);
  const classes = classList(output.classes);
  const firstClass = output.objectness ? 5 : 4;
  return sources.map((size, n): PictureFinding => {
    const table = tableOf(tensor, n, output.rows);
    needColumns(table, firstClass + 1 + Math.max(...classes.map(({ index }) => index)));
    const candidates = new Candidates(spec);
    for (let anchor = 0; anchor < table.anchors; anchor++) {
      const objectness = output.objectness ? table.at(anchor, 4) : 1;
      addBestClass(
        candidates,
        classes,
        (index) => objectness * table.at(anchor, firstClass + index),
        () => corners(spec, output, boxAt(table, anchor)),
      );
    }
    return { detections: candidates.detections(toSource(spec.input, size)), keyPoints: [] };
  });
};

/** YOLOv8-pose of a pitch: the anchor with the best score gives the key points. */
export const yoloPose: Layout<'yolo-pose'> = (outputs, spec, sources) => {
  const { output } = spec;
  const tensor = outputOf(outputs, output.output, [null, null]);
  return sources.map((size, n): PictureFinding => {
    const table = tableOf(tensor, n, output.rows);
    const firstPoint = 5;
    needColumns(table, firstPoint + 3);
    let best = -1;
    for (let anchor = 0; anchor < table.anchors; anchor++) {
      if (best < 0 || table.at(anchor, 4) > table.at(best, 4)) best = anchor;
    }
    const keyPoints = pointsOf(table, best, firstPoint, spec, output.keyPoints, toSource(spec.input, size));
    return { detections: [], keyPoints };
  });
};

/** YOLOv10/26 and other end-to-end exports: [N, A, 6 (+ 3K)], x1 y1 x2 y2 score class (key points). */
export const yoloNmsFree: Layout<'yolo-nms-free'> = (outputs, spec, sources) => {
  const { output } = spec;
  const tensor = outputOf(outputs, output.output, [null, null]);
  const classes = classList(output.classes);
  return sources.map((size, n): PictureFinding => {
    const table = tableOf(tensor, n, 'first');
    needColumns(table, 6);
    const source = toSource(spec.input, size);
    const candidates = new Candidates(spec);
    let best = -1;
    for (let anchor = 0; anchor < table.anchors; anchor++) {
      const label = table.at(anchor, 5);
      const known = classes.filter(({ index }) => index === label);
      addBestClass(
        candidates,
        known,
        () => table.at(anchor, 4),
        () => corners(spec, output, boxAt(table, anchor)),
      );
      if (best < 0 || table.at(anchor, 4) > table.at(best, 4)) best = anchor;
    }
    const keyPoints = table.columns > 6 && best >= 0 ? pointsOf(table, best, 6, spec, output.keyPoints, source) : [];
    return { detections: candidates.detections(source), keyPoints };
  });
};

/** Key points of one row, put into our order; the row's own score must pass the key-point threshold too. */
function pointsOf(
  table: Table,
  anchor: number,
  firstColumn: number,
  spec: DecodeSpec,
  order: readonly (number | null)[] | undefined,
  source: ToSource,
): KeyPoint[] {
  const points = unseenKeyPoints();
  if (anchor < 0 || table.at(anchor, 4) < spec.thresholds.keyPoint) return points;
  const count = Math.min(order?.length ?? points.length, Math.floor((table.columns - firstColumn) / 3));
  for (let k = 0; k < count; k++) {
    const place = order ? order[k] : k;
    if (place === null || place === undefined) continue;
    const at = firstColumn + 3 * k;
    points[place] = keyPointInSource(
      table.at(anchor, at),
      table.at(anchor, at + 1),
      table.at(anchor, at + 2),
      spec.thresholds.keyPoint,
      source,
    );
  }
  return points;
}

function needColumns(table: Table, needed: number): void {
  if (table.columns >= needed) return;
  throw new TikitakaError(
    'ERR_MODEL_SHAPE',
    `the description expects at least ${needed} values per anchor, the file gives ${table.columns} (${table.anchors} anchors): check \`rows\` and \`classes\``,
    { details: { needed, columns: table.columns, anchors: table.anchors } },
  );
}
