import type { BoxXyxyPx, ClassId, ClassName, Detection, KeyPoint } from '../contract.js';
import type { ModelDescription } from '../description.js';
import { byScore, nms } from '../nms.js';
import type { ToSource } from '../picture-space.js';

export const classIds = { ball: 0, goalkeeper: 1, player: 2, referee: 3 } as const satisfies Record<ClassName, ClassId>;
/** By class id. */
export const classNames = ['ball', 'goalkeeper', 'player', 'referee'] as const satisfies readonly ClassName[];
export const ballId: ClassId = classIds.ball;
export const keyPointCount = 32;

export type RoleScores = readonly [number, number, number];

interface Candidate {
  readonly classId: ClassId;
  readonly score: number;
  readonly roleScores: RoleScores | undefined;
}

/** Boxes of one picture from the thresholds on, in pixels of the model input, until the best of them become detections. */
export class Candidates {
  readonly #candidates: Candidate[] = [];
  readonly #boxes: number[] = [];

  constructor(private readonly spec: Pick<ModelDescription, 'thresholds' | 'maxDetections'>) {}

  /** Whether a box of the class and score is kept. */
  counts(classId: ClassId, score: number): boolean {
    return score >= this.spec.thresholds[classNames[classId]];
  }

  /** `boxXyxyInputPx`: x1 y1 x2 y2 in pixels of the model input. */
  add(classId: ClassId, score: number, boxXyxyInputPx: readonly number[], roleScores?: RoleScores): void {
    this.#candidates.push({ classId, score, roleScores });
    this.#boxes.push(...boxXyxyInputPx);
  }

  /** Best first, clamped to the picture; boxes without area are dropped. Persons of all roles compete as one kind. */
  detections(source: ToSource): Detection[] {
    const { spec } = this;
    const scores = Float32Array.from(this.#candidates, ({ score }) => score);
    const boxesXyxy = Float32Array.from(this.#boxes);
    const { nmsIou } = spec.thresholds;
    const best =
      nmsIou === null
        ? byScore(scores)
        : nms({
            boxesXyxy,
            scores,
            kinds: Uint8Array.from(this.#candidates, ({ classId }) => (classId === ballId ? 0 : 1)),
            iou: nmsIou,
            limit: spec.maxDetections,
          });
    const detections: Detection[] = [];
    for (const index of best) {
      if (detections.length === spec.maxDetections) break;
      const candidate = this.#candidates[index];
      const boxXyxyPx = boxInSource(boxesXyxy.subarray(index * 4, index * 4 + 4), source);
      if (!candidate || !boxXyxyPx) continue;
      const { classId, score, roleScores } = candidate;
      detections.push({ classId, score, boxXyxyPx, ...(roleScores ? { roleScores } : {}) });
    }
    return detections;
  }
}

/** Undefined where nothing of the box lies inside the picture, or a coordinate is not a number. */
function boxInSource([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: Float32Array, source: ToSource): BoxXyxyPx | undefined {
  const left = Math.max(0, source.x(x1));
  const top = Math.max(0, source.y(y1));
  const right = Math.min(source.sourceWidth, source.x(x2));
  const bottom = Math.min(source.sourceHeight, source.y(y2));
  return right > left && bottom > top ? [left, top, right, bottom] : undefined;
}

/** 32 unseen key points to be filled in. */
export function unseenKeyPoints(): KeyPoint[] {
  return Array.from({ length: keyPointCount }, () => ({ xPx: 0, yPx: 0, score: 0 }));
}

/** A key point given in pixels of the model input; below the threshold or outside the picture it is not seen. */
export function keyPointInSource(
  xInputPx: number,
  yInputPx: number,
  score: number,
  threshold: number,
  source: ToSource,
): KeyPoint {
  const xPx = source.x(xInputPx);
  const yPx = source.y(yInputPx);
  const inside = xPx >= 0 && yPx >= 0 && xPx <= source.sourceWidth && yPx <= source.sourceHeight;
  return inside && score >= threshold ? { xPx, yPx, score } : { xPx: 0, yPx: 0, score: 0 };
}
