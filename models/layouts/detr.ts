import type { PictureFinding } from '../contract.js';
import { toSource } from '../picture-space.js';
import { Candidates } from './candidates.js';
import { type Layout, type OutputTensor, outputOf, pictureOf } from './layout.js';
import { addBestClass, classList, corners } from './yolo.js';

/** DETR family (RT-DETR, D-FINE): a fixed number of queries, no NMS. See the description's `detr` for its three kinds. */
export const detr: Layout<'detr'> = (outputs, spec, sources) => {
  const { output } = spec;
  const boxes = outputOf(outputs, output.names.boxes, [null, 4]);
  const queries = boxes.dims[1] ?? 0;
  const classes = classList(output.classes);
  const scores =
    output.scores === 'labelled'
      ? labelled(outputOf(outputs, output.names.labels, [queries]), outputOf(outputs, output.names.scores, [queries]))
      : activated(outputOf(outputs, output.names.logits, [queries, null]), output.scores);
  return sources.map((size, n): PictureFinding => {
    const candidates = new Candidates(spec);
    const box = pictureOf(boxes, n);
    const scoreAt = scores(n);
    for (let query = 0; query < queries; query++) {
      const scoreOf = scoreAt(query);
      addBestClass(candidates, classes, scoreOf, () => {
        const [a = 0, b = 0, c = 0, d = 0] = box.subarray(query * 4, query * 4 + 4);
        return corners(spec, output, [a, b, c, d]);
      });
    }
    return { detections: candidates.detections(toSource(spec.input, size)), keyPoints: [] };
  });
};

/** picture → query → class → score 0..1 */
type Scores = (n: number) => (query: number) => (classIndex: number) => number;

function labelled(labels: OutputTensor, scores: OutputTensor): Scores {
  return (n) => {
    const label = pictureOf(labels, n);
    const score = pictureOf(scores, n);
    return (query) => (classIndex) => (label[query] === classIndex ? (score[query] ?? 0) : 0);
  };
}

function activated(logits: OutputTensor, kind: 'sigmoid' | 'softmax'): Scores {
  const classes = logits.dims[2] ?? 0;
  return (n) => {
    const data = pictureOf(logits, n);
    return (query) => {
      const row = data.subarray(query * classes, (query + 1) * classes);
      if (kind === 'sigmoid') return (classIndex) => 1 / (1 + Math.exp(-(row[classIndex] ?? Number.NEGATIVE_INFINITY)));
      const top = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
      const sum = row.reduce((total, value) => total + Math.exp(value - top), 0);
      return (classIndex) => Math.exp((row[classIndex] ?? Number.NEGATIVE_INFINITY) - top) / sum;
    };
  };
}
