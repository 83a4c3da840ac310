import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ClipTruth,
  compareWithTruth,
  estimateScore,
  findMismatches,
  parseAnswer,
  parseTruth,
  type WireAnswer,
} from '../../../../src/questions/football/index.js';
import { PITCH_POINTS } from '../../../../src/questions/football/pitch.js';
import { PITCH_LINES } from '../../../../src/questions/football/pitch-lines.js';
import { playFootball } from './football.js';

const { truth } = playFootball({ frameCount: 100 });
const perfect: WireAnswer = { processing_time: 1, frames: [...truth.frames] };
/** The same, but nobody labelled the objects of every third frame. */
const partly: ClipTruth = {
  ...truth,
  frames: truth.frames.map((frame) => (frame.frame_number % 3 === 1 ? { ...frame, objects: null } : frame)),
};
/** An implementation of its own, without dependencies. */
const judge = fileURLToPath(new URL('../../../fixtures/evaluate.mjs', import.meta.url));

/** The truth, shaken: boxes moved, some left out, classes and ids mixed up, key points off. */
function spoiled(): WireAnswer {
  const frames = truth.frames
    .filter(({ frame_number }) => frame_number % 9 !== 4)
    .map((frame) => ({
      frame_number: frame.frame_number,
      keypoints: frame.keypoints.map(([x, y], k): [number, number] =>
        k % 5 === 0 ? [0, 0] : [x + k, Math.max(0, y - k / 2)],
      ),
      objects: frame.objects
        .filter(({ id }) => (id + frame.frame_number) % 7 !== 0)
        .map(({ id, class_id, bbox: [a, b, c, d] }) => ({
          id: frame.frame_number > 50 && id < 6 ? id + 1000 : id,
          class_id: id % 11 === 3 && class_id === 2 ? (3 as const) : class_id,
          bbox: [a + (id % 9), b, c + (id % 9), d] as [number, number, number, number],
        })),
    }));
  return { processing_time: 2, frames };
}

describe('compareWithTruth', () => {
  it('finds nothing wrong with the truth', () => {
    const found = compareWithTruth(perfect, truth);
    assert.equal(found.person.f1, 1);
    assert.equal(found.ball.meanIou, 1);
    assert.deepEqual([found.idf1, found.idSwitchesPer100, found.classAccuracy, found.coverage], [1, 0, 1, 1]);
    assert.deepEqual(found.keypoints, { recall: 1, meanErrorPct: 0, extra: 0, jitterPx: 0 });
  });

  it('finds nothing right in nothing', () => {
    const found = compareWithTruth({ frames: [] }, truth);
    assert.deepEqual([found.person.f1, found.idf1, found.coverage, found.keypoints.recall], [0, 0, 0, 0]);
  });

  it('counts ids twice in a frame', () => {
    const frames = truth.frames.map((frame) => ({ ...frame, objects: frame.objects.map((o) => ({ ...o, id: 1 })) }));
    const persons = truth.frames.map(({ objects }) => objects.filter(({ class_id }) => class_id !== 0).length);
    const { duplicateIds } = compareWithTruth({ frames }, truth);
    assert.equal(
      duplicateIds,
      persons.reduce((sum, count) => sum + count - 1, 0),
    );
  });

  for (const [why, expected] of [
    ['a truth with all labels', truth],
    ['a truth with unlabelled frames', partly],
  ] as const) {
    it(`agrees with another implementation on the common measures: ${why}`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'tikitaka-compare-'));
      try {
        const [answerPath, truthPath] = [join(folder, 'answer.json'), join(folder, 'truth.json')];
        writeFileSync(answerPath, JSON.stringify(spoiled()));
        writeFileSync(truthPath, JSON.stringify(expected));
        const run = execFileSync('node', [judge, answerPath, truthPath, '--json'], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        const theirs = JSON.parse(run.toString());
        const ours = compareWithTruth(spoiled(), expected);
        const pairs: [string, number, number][] = [
          ['coverage', ours.coverage, theirs.coverage],
          ['classes', ours.classAccuracy, theirs.class_accuracy],
          ['idf1', ours.idf1, theirs.idf1],
          ['switches', ours.idSwitchesPer100, theirs.id_switches_per_100],
          ['key point recall', ours.keypoints.recall, theirs.keypoints.recall],
          ['key point error', ours.keypoints.meanErrorPct, theirs.keypoints.mean_error_pct],
          ['key points extra', ours.keypoints.extra, theirs.keypoints.extra],
        ];
        for (const name of ['ball', 'goalkeeper', 'player', 'referee', 'person'] as const) {
          pairs.push([`${name} precision`, ours[name].precision, theirs[name].precision]);
          pairs.push([`${name} recall`, ours[name].recall, theirs[name].recall]);
          pairs.push([`${name} f1`, ours[name].f1, theirs[name].f1]);
          pairs.push([`${name} iou`, ours[name].meanIou, theirs[name].mean_iou]);
        }
        for (const [what, a, b] of pairs) assert.ok(Math.abs(a - b) <= 0.000501, `${what}: ${a}, not ${b}`);
        assert.ok(ours.person.f1 > 0.3 && ours.person.f1 < 0.95, 'the answer is neither perfect nor empty');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('judges key points but no boxes where the truth has no labels', () => {
    const all = compareWithTruth(spoiled(), truth);
    const some = compareWithTruth(spoiled(), partly);
    assert.deepEqual(some.keypoints, all.keypoints);
    assert.deepEqual([some.labelled, all.labelled, some.answered], [67, 100, all.answered]);
    // Boxes in unlabelled frames are neither right nor wrong.
    const unseen = spoiled().frames.map((frame) => (frame.frame_number % 3 === 1 ? { ...frame, objects: [] } : frame));
    assert.deepEqual(compareWithTruth({ frames: unseen }, partly).person, some.person);
  });
});

describe('findMismatches', () => {
  const found = (answer: WireAnswer) => findMismatches(answer, truth, compareWithTruth(answer, truth));
  const moved = (change: (value: number) => number): WireAnswer => ({
    frames: perfect.frames.map(({ frame_number, keypoints, objects }) => ({
      frame_number,
      keypoints: keypoints.map(([x, y]): [number, number] => (x === 0 && y === 0 ? [0, 0] : [change(x), change(y)])),
      objects: objects.map(({ bbox: [a, b, c, d], ...object }) => ({
        ...object,
        bbox: [change(a), change(b), change(c), change(d)] as [number, number, number, number],
      })),
    })),
  });
  const rows: readonly (readonly [why: string, answer: WireAnswer, said: readonly RegExp[]])[] = [
    ['the right answer', perfect, []],
    [
      'one that finds few persons',
      { frames: perfect.frames.map((frame) => ({ ...frame, objects: frame.objects.slice(0, 3) })) },
      [],
    ],
    [
      'one of more frames',
      { frames: [...perfect.frames, { frame_number: 100, keypoints: [], objects: [] }] },
      [/1 of the answer's 101 frames/],
    ],
    ['one of fewer frames', { frames: perfect.frames.slice(0, 40) }, [/40 of the truth's 100 frames/]],
    ['one of a larger picture', moved((v) => v * 2), [/ends at 1920×1080/, /next to nothing/]],
    ['one of a smaller picture', moved((v) => v / 3), [/of a smaller picture/, /next to nothing/]],
    ['one of another match', moved((v) => 1080 - v), [/next to nothing/]],
    ['an empty one', { frames: perfect.frames.map((frame) => ({ ...frame, keypoints: [], objects: [] })) }, []],
  ];
  for (const [why, answer, said] of rows) {
    it(`${why}: ${said.length === 0 ? 'nothing to say' : said.join(', ')}`, () => {
      const sentences = found(answer);
      assert.equal(sentences.length, said.length, sentences.join('\n'));
      for (const [i, pattern] of said.entries()) assert.match(sentences[i] ?? '', pattern);
    });
  }
});

describe('estimateScore', () => {
  const score = (answer: WireAnswer, options = {}) => estimateScore(answer, truth, options);

  it('gives the truth nearly everything', () => {
    const { boxes, keypoints, quality, speed, validFrames, skipped } = score(perfect);
    assert.ok(boxes > 0.85 && quality > 0.85, `${boxes} ${quality}`);
    assert.ok(keypoints.online > 0.9 && keypoints.homographies === 1 && keypoints.stability > 0.9);
    assert.deepEqual([speed, validFrames, skipped], [1, 100, false]);
  });

  it('gives nothing for nothing', () => {
    const { boxes, keypoints, total } = score({ frames: [] });
    assert.deepEqual([boxes, keypoints.score, total], [0, 0, 0]);
  });

  // docs/protocol.md §3: the first frames alone and every second frame are worth little, whatever is in them.
  it('an answer with holes is worth far less than the whole', () => {
    const whole = score(perfect).keypoints.score;
    const first = score({ frames: perfect.frames.slice(0, 20) }).keypoints.score;
    const holes = score({ frames: perfect.frames.filter(({ frame_number }) => frame_number % 2 === 0) }).keypoints
      .score;
    assert.ok(first < 0.35 * whole, `${first} of ${whole}`);
    assert.ok(holes < 0.1 * whole, `${holes} of ${whole}`);
  });

  it('trembling key points cost', () => {
    const frames = perfect.frames.map((frame) => ({
      ...frame,
      keypoints: frame.keypoints.map(([x, y], k): [number, number] =>
        x === 0 ? [0, 0] : [x + 12 * (((frame.frame_number * 7 + k * 3) % 5) - 2), y],
      ),
    }));
    assert.ok(score({ frames }).keypoints.score < score(perfect).keypoints.score - 0.05);
  });

  for (const [why, options, speed] of [
    ['the fastest gets all of the speed', { timeS: 2, fastestS: 2 }, 1],
    ['one second behind costs a third of it', { timeS: 2, fastestS: 1 }, Math.exp(-5 / 14)],
    ['after 15 s there is none', { timeS: 15, fastestS: 1 }, 0],
    ['faster than the fastest is the fastest', { timeS: 1, fastestS: 3 }, 1],
  ] as const) {
    it(why, () => assert.ok(Math.abs(score(perfect, options).speed - speed) < 1e-9));
  }

  it('without a time, speed counts in full and the time is not made up', () => {
    const { speed, timeS, fastestS } = score({ frames: [...truth.frames] });
    assert.deepEqual([speed, timeS, fastestS], [1, undefined, undefined]);
  });

  it('judges the boxes of labelled frames alone, and all key points', () => {
    const unseen = perfect.frames.map((frame) => (frame.frame_number % 3 === 1 ? { ...frame, objects: [] } : frame));
    const [all, some, few] = [
      score(perfect),
      estimateScore(perfect, partly),
      estimateScore({ frames: unseen }, partly),
    ];
    assert.ok(Math.abs(some.boxes - all.boxes) < 0.01, `${some.boxes} of the labelled, ${all.boxes} of all`);
    assert.equal(few.boxes, some.boxes);
    assert.equal(some.validFrames, 100);
    assert.deepEqual(some.keypoints, all.keypoints);
    assert.ok(
      estimateScore({ frames: perfect.frames.filter(({ frame_number }) => frame_number % 3 === 1) }, partly).boxes ===
        0,
    );
  });

  it('says that callers skip a clip with too little pitch', () => {
    const few = { ...truth, frames: truth.frames.slice(0, 70) };
    assert.equal(estimateScore(perfect, few).skipped, true);
  });
});

describe('the forms', () => {
  for (const [why, json] of [
    ['frames as a map', { frames: {} }],
    ['no key points', { frames: [{ frame_number: 0, objects: [] }] }],
    [
      'a class that does not exist',
      { frames: [{ frame_number: 0, keypoints: [], objects: [{ id: 1, class_id: 4, bbox: [0, 0, 1, 1] }] }] },
    ],
    ['nothing', null],
  ] as const) {
    it(`an answer with ${why} is refused`, () => {
      assert.throws(() => parseAnswer(json), { code: 'ERR_ANSWER' });
    });
  }

  it('a truth may leave frames unlabelled, an answer may not', () => {
    const frames = [{ frame_number: 0, keypoints: [], objects: null }];
    assert.equal(parseTruth({ width: 1, height: 1, frames }).frames[0]?.objects, null);
    assert.throws(() => parseAnswer({ frames }), { code: 'ERR_ANSWER' });
  });

  it('a truth without a size is refused', () =>
    assert.throws(() => parseTruth({ frames: [] }), { code: 'ERR_ANSWER' }));
});

describe('the pitch', () => {
  it('has its key points on its lines, but for the two penalty spots', () => {
    const off = PITCH_POINTS.flatMap(([x, y], k) => {
      const distance = Math.min(
        ...PITCH_LINES.flatMap((line) =>
          line.slice(1).map(([x2, y2], i) => {
            const [x1, y1] = line[i];
            const [dx, dy] = [x2 - x1, y2 - y1];
            const share = Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
            return Math.hypot(x1 + share * dx - x, y1 + share * dy - y);
          }),
        ),
      );
      return distance > 0.1 ? [k + 1] : [];
    });
    assert.deepEqual(off, [9, 22]);
  });
});
