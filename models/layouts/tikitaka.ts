import type { ClassId, PictureFinding } from '../contract.js';
import { toSource } from '../picture-space.js';
import { ballId, Candidates, keyPointCount, keyPointInSource } from './candidates.js';
import { type Layout, outputOf, pictureOf } from './layout.js';

const personColumns = 8;
const ballColumns = 5;
const keyPointColumns = 3;

/**
 * Our own heads: `persons` [N, K, 8] = cx cy w h, P(person), P(goalkeeper | person), P(player | …), P(referee | …);
 * `balls` [N, B, 5] = cx cy w h score; `keypoints` [N, 32, 3] = x y score. Coordinates 0..1 of the model input.
 * A person's score is P(person) times the probability of the best role.
 */
export const tikitaka: Layout<'tikitaka'> = (outputs, spec, sources) => {
  const persons = outputOf(outputs, 'persons', [null, personColumns]);
  const balls = outputOf(outputs, 'balls', [null, ballColumns]);
  const keyPoints = outputOf(outputs, 'keypoints', [keyPointCount, keyPointColumns]);
  const { width, height } = spec.input;
  const corners = ([cx = 0, cy = 0, w = 0, h = 0]: Float32Array) => [
    (cx - w / 2) * width,
    (cy - h / 2) * height,
    (cx + w / 2) * width,
    (cy + h / 2) * height,
  ];
  return sources.map((size, n): PictureFinding => {
    const source = toSource(spec.input, size);
    const candidates = new Candidates(spec);
    for (const row of rowsOf(pictureOf(persons, n), personColumns)) {
      const [, , , , person = 0, keeper = 0, player = 0, referee = 0] = row;
      const best = Math.max(keeper, player, referee);
      const classId: ClassId = best === player ? 2 : best === keeper ? 1 : 3;
      const score = person * best;
      if (candidates.counts(classId, score)) candidates.add(classId, score, corners(row), [keeper, player, referee]);
    }
    for (const row of rowsOf(pictureOf(balls, n), ballColumns)) {
      const score = row[4] ?? 0;
      if (candidates.counts(ballId, score)) candidates.add(ballId, score, corners(row));
    }
    const points = Array.from(rowsOf(pictureOf(keyPoints, n), keyPointColumns), ([x = 0, y = 0, score = 0]) =>
      keyPointInSource(x * width, y * height, score, spec.thresholds.keyPoint, source),
    );
    return { detections: candidates.detections(source), keyPoints: points };
  });
};

function* rowsOf(data: Float32Array, columns: number): Generator<Float32Array> {
  for (let at = 0; at + columns <= data.length; at += columns) yield data.subarray(at, at + columns);
}
