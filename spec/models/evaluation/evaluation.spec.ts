import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { of } from 'rxjs';
import { averagePrecision, iouOf, matchBoxes } from '../../../models/evaluation/average-precision.js';
import { bootstrap } from '../../../models/evaluation/bootstrap.js';
import { readDataset } from '../../../models/evaluation/dataset.js';
import { countKeyPoints, keyPointFigures, median } from '../../../models/evaluation/key-points.js';
import { evaluate, type LabelledImage, type PictureFinding } from '../../../models/index.js';

type Box = [number, number, number, number];

describe('average precision', () => {
  const square = (x: number): Box => [x, 0, x + 10, 10];

  it('is 1 where everything is found and nothing else', () => {
    const image = matchBoxes(
      [
        { box: square(0), score: 0.5 },
        { box: square(50), score: 0.4 },
      ],
      [{ box: square(0) }, { box: square(51) }],
    );
    assert.deepEqual(averagePrecision([image]), { ap: 1, truths: 2, precision: 1, recall: 1, f1: 1, threshold: 0.4 });
  });

  it('counts a label once: the second box on it is wrong', () => {
    const image = matchBoxes(
      [
        { box: square(1), score: 0.5 },
        { box: square(0), score: 0.4 },
      ],
      [{ box: square(0) }],
    );
    assert.deepEqual(image.hits, [true, false]);
  });

  it('takes the area under the precision envelope', () => {
    // hit, miss, hit of 2 labels: precision 1, 1/2, 2/3; AP = 1/2 · 1 + 1/2 · 2/3
    const image = { scores: [0.9, 0.8, 0.7], hits: [true, false, true], truths: 2 };
    const { ap, precision, recall, threshold } = averagePrecision([image]);
    assert.ok(Math.abs(ap - (0.5 + 1 / 3)) < 1e-12);
    assert.deepEqual(
      [precision, recall, threshold].map((v) => v.toFixed(3)),
      ['0.667', '1.000', '0.700'],
    );
  });

  it('is 0 for nothing found, whatever is labelled', () => {
    assert.equal(averagePrecision([matchBoxes([], [{ box: square(0) }])]).ap, 0);
    assert.equal(averagePrecision([]).ap, 0);
  });

  it('agrees with the reference, which walks all images in one order of scores', () => {
    const box = fc
      .tuple(fc.nat(30), fc.nat(30), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
      .map(([x, y, w, h]): Box => [x, y, x + w, y + h]);
    const image = fc.record({
      found: fc.array(fc.record({ box, score: fc.double({ min: 0, max: 1, noNaN: true }) }), { maxLength: 8 }),
      truths: fc.array(fc.record({ box }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(image, { maxLength: 5 }), (images) => {
        // Equal scores have no defined order across images: the reference keeps theirs, so they must differ.
        const scores = images.flatMap(({ found }) => found.map(({ score }) => score));
        fc.pre(new Set(scores).size === scores.length);
        const ours = averagePrecision(images.map(({ found, truths }) => matchBoxes(found, truths)));
        const reference = referenceAp(images);
        assert.ok(Math.abs(ours.ap - reference.ap) < 1e-9, `${ours.ap} ${reference.ap}`);
        assert.ok(Math.abs(ours.f1 - reference.f1) < 1e-9);
      }),
    );
  });
});

/** The prototype's evaluation in Python, transcribed: one global order, labels used up as it goes, precision envelope by recall. */
function referenceAp(images: readonly { found: { box: Box; score: number }[]; truths: { box: Box }[] }[]): {
  ap: number;
  f1: number;
} {
  const all = images
    .flatMap(({ found }, k) => found.map((entry) => ({ ...entry, k })))
    .sort((a, b) => b.score - a.score);
  const used = images.map(({ truths }) => truths.map(() => false));
  const n = images.reduce((sum, { truths }) => sum + truths.length, 0);
  const tp = all.map(({ box, k }) => {
    const overlaps = (images[k]?.truths ?? []).map((truth, j) => (used[k]?.[j] ? -1 : iouOf(box, truth.box)));
    const best = overlaps.indexOf(Math.max(...overlaps));
    if (best < 0 || (overlaps[best] ?? 0) < 0.5) return 0;
    const flags = used[k];
    if (flags) flags[best] = true;
    return 1;
  });
  let area = 0;
  let f1 = 0;
  let count = 0;
  const points = tp.map((hit, i) => {
    count += hit;
    return { recall: count / Math.max(n, 1), precision: count / (i + 1) };
  });
  points.forEach(({ recall, precision }, i) => {
    const envelope = Math.max(...points.slice(i).map((p) => p.precision));
    area += (recall - (points[i - 1]?.recall ?? 0)) * envelope;
    f1 = Math.max(f1, (2 * precision * recall) / Math.max(precision + recall, 1e-9));
  });
  return { ap: area, f1 };
}

describe('key-point figures', () => {
  const size = { widthPx: 1920, heightPx: 1080 };
  const diagonal = Math.hypot(1920, 1080);
  const truth = Array.from({ length: 32 }, (_, i) => ({ xNorm: 0.02 * i + 0.1, yNorm: 0.5, visible: i < 6 }));
  /** Each point moved by that share of the diagonal; undefined = not seen. */
  const found = (shifts: readonly (number | undefined)[]) =>
    truth.map(({ xNorm, yNorm }, i) => {
      const shift = shifts[i];
      return shift === undefined
        ? { xPx: 0, yPx: 0, score: 0 }
        : { xPx: xNorm * 1920 + shift * diagonal, yPx: yNorm * 1080, score: 0.8 };
    });

  it('counts hits within 1 % and 2 %, and as wrong what is hidden or further off', () => {
    const counts = countKeyPoints(
      { ...size, truth, found: found([0, 0.005, 0.015, 0.03, undefined, undefined, 0]) },
      0.5,
      () => undefined,
    );
    assert.deepEqual(counts, { visible: 6, within1: 2, within2: 3, seen: 5, wrong: 2, pitchError: undefined });
    const figures = keyPointFigures(0.5, [counts]);
    assert.deepEqual([figures.pck1, figures.pck2, figures.falsePositives], [2 / 6, 3 / 6, 2 / 5]);
  });

  it('does not see points under the threshold', () => {
    const { seen } = countKeyPoints({ ...size, truth, found: found([0, 0]) }, 0.9, () => undefined);
    assert.equal(seen, 0);
  });

  it('asks for a pitch from four points on, and takes the median error at the labelled points', () => {
    const asked: number[] = [];
    const fit = (seen: readonly unknown[], tolerancePx: number) => {
      asked.push(seen.filter(Boolean).length);
      assert.ok(Math.abs(tolerancePx - 18) < 1e-9);
      return truth.map(({ xNorm, yNorm }, i) => [xNorm * 1920 + (i === 0 ? 500 : 10), yNorm * 1080] as const);
    };
    const three = countKeyPoints({ ...size, truth, found: found([0, 0, 0]) }, 0.5, fit);
    const four = countKeyPoints({ ...size, truth, found: found([0, 0, 0, 0]) }, 0.5, fit);
    assert.deepEqual([asked, three.pitchError], [[4], undefined]);
    assert.ok(Math.abs((four.pitchError ?? 0) - 10 / diagonal) < 1e-9);
    const { homographyShare, homographyMedianError } = keyPointFigures(0.5, [three, four]);
    assert.deepEqual([homographyShare, homographyMedianError], [0.5, four.pitchError]);
  });

  it('takes medians', () => {
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])], [2, 2.5, 7]);
    assert.ok(Number.isNaN(median([])));
  });
});

describe('bootstrap', () => {
  it('gives the spread of a mean, the same at every call', () => {
    const values = Array.from({ length: 100 }, (_, i) => i / 100);
    const run = () =>
      bootstrap(values.length, (drawn) => ({
        mean: drawn.reduce((sum, i) => sum + (values[i] ?? 0), 0) / drawn.length,
      }));
    const { mean } = run();
    assert.deepEqual(run().mean, mean);
    // Standard error of the mean: .289 / 10; 90 % lie within ± 1.645 of it.
    assert.ok(Math.abs(mean[0] - (0.495 - 0.0475)) < 0.015 && Math.abs(mean[1] - (0.495 + 0.0475)) < 0.015, `${mean}`);
  });
});

describe('labelled images', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tikitaka-labels-'));
  for (const name of ['images', 'labels/objects', 'labels/pitch']) mkdirSync(join(folder, name), { recursive: true });
  after(() => rmSync(folder, { recursive: true }));
  const put = (name: string, text = '') => writeFileSync(join(folder, name), text);
  put('images/a_1.jpg');
  put('images/a_2.jpg');
  put('images/b_1.jpg');
  put('images/b_2.jpg');
  put('labels/objects/a_1.txt', '2 0.5 0.5 0.1 0.2\n0 0.1 0.1 0.01 0.02\n');
  put('labels/objects/b_1.txt', '');
  put('labels/pitch/b_1.txt', `0 0.5 0.5 1 1 ${Array.from({ length: 32 }, (_, i) => `0.1 0.2 ${i % 3}`).join(' ')}`);

  it('are read with what is labelled; images without any label are left out', () => {
    const images = readDataset({ folder });
    assert.deepEqual(
      images.map(({ name, match }) => [name, match]),
      [
        ['a_1', 'a'],
        ['b_1', 'b'],
      ],
    );
    assert.deepEqual(
      images[0]?.objects?.map(({ classId }) => classId),
      [2, 0],
    );
    assert.equal(images[0]?.keyPoints, undefined, 'unlabelled, not empty');
    assert.deepEqual(images[1]?.objects, [], 'empty, not unlabelled');
    assert.deepEqual(
      images[1]?.keyPoints?.slice(0, 3).map(({ visible }) => visible),
      [false, true, true],
    );
  });

  it('are chosen by match', () =>
    assert.deepEqual(
      readDataset({ folder, matches: ['b'] }).map(({ name }) => name),
      ['b_1'],
    ));

  it('that are not there, or cannot be read, are refused', () => {
    assert.throws(() => readDataset({ folder: join(folder, 'images') }), { code: 'ERR_OPTION' });
    assert.throws(() => readDataset({ folder, matches: ['c'] }), { code: 'ERR_OPTION' });
    for (const line of ['2 0.5 0.5 0.1', '9 0.5 0.5 0.1 0.1', '2 0.5 x 0.1 0.1']) {
      put('labels/objects/a_2.txt', line);
      assert.throws(() => readDataset({ folder }), { code: 'ERR_LABELS' });
    }
  });
});

describe('evaluate', () => {
  const image = (name: string, objects: LabelledImage['objects']): LabelledImage => ({
    name,
    match: 'm',
    file: name,
    objects,
    keyPoints: undefined,
  });
  const person = (roles: [number, number, number], score: number): PictureFinding['detections'][number] => ({
    classId: 2,
    score,
    boxXyxyPx: [45, 40, 55, 60],
    roleScores: roles,
  });

  it('makes a person with role probabilities a candidate for every role, and for any person by its own probability', async () => {
    const finding: PictureFinding = { detections: [person([0.4, 0.5, 0.1], 0.4)], keyPoints: [] };
    const result = await evaluate({
      runner: {
        maxBatch: 2,
        input: { width: 1, height: 1, fit: 'stretch', filter: 'area' },
        run: (pictures) => of(pictures.map(() => finding)),
      },
      images: ['a', 'b', 'c'].map((name) =>
        image(name, [{ classId: name === 'a' ? 1 : 2, boxCxcywhNorm: [0.5, 0.5, 0.1, 0.2] }]),
      ),
      readPicture: async () => ({ pixels: new Uint8Array(3), sourceWidth: 100, sourceHeight: 100 }),
      fitPitch: () => undefined,
      keyPointThresholds: [0.3],
    });
    assert.equal(result.person.ap, 1);
    assert.ok(Math.abs(result.person.threshold - 0.8) < 1e-9, 'P(person) = .4 / .5');
    assert.ok(Math.abs(result.classes.goalkeeper.threshold - 0.32) < 1e-9, 'P(person) × P(keeper) = .8 × .4');
    assert.deepEqual(
      [result.classes.goalkeeper.truths, result.classes.player.truths, result.classes.ball.truths],
      [1, 2, 0],
    );
    assert.ok(Math.abs(result.classes.player.ap - 2 / 3) < 1e-9, 'the keeper is the first of three equal candidates');
    assert.deepEqual(result.images, { objects: 3, pitch: 0 });
  });
});
