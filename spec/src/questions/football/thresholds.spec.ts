import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ClassThresholds, Detection } from '../../../../models/index.js';
import { type Answer, createScene, type Finding } from '../../../../src/questions/football/index.js';
import { playFootball } from './football.js';

const FRAMES = 41;
const match = playFootball({ frameCount: FRAMES });
const names = ['ball', 'goalkeeper', 'player', 'referee'] as const;
type Name = (typeof names)[number];
/** The camera does not see the goalkeeper. */
const inView: Name[] = ['ball', 'player', 'referee'];

const everywhere = (threshold: number): ClassThresholds => ({
  ball: threshold,
  goalkeeper: threshold,
  player: threshold,
  referee: threshold,
});

/** The match with other scores; every second frame was looked at. */
function looked(scoreOf: (detection: Detection, finding: Finding) => number): Finding[] {
  return match.findings
    .filter(({ index }) => index % 2 === 0)
    .map((finding) => ({
      ...finding,
      detections: finding.detections.map((detection) => ({ ...detection, score: scoreOf(detection, finding) })),
    }));
}

function answerFor(findings: readonly Finding[], thresholds: ClassThresholds, tracking: boolean): Answer {
  const scene = createScene({ width: 1920, height: 1080, fps: 25, frameCount: FRAMES, thresholds, tracking });
  scene.add(findings);
  return scene.snapshot();
}

function classesIn(answer: Answer): Name[] {
  const seen = new Set(answer.frames.flatMap(({ objects }) => objects.map(({ classId }) => names[classId])));
  return names.filter((name) => seen.has(name));
}

describe('thresholds from findings to answer', () => {
  const table: {
    why: string;
    score: (detection: Detection, finding: Finding) => number;
    thresholds: ClassThresholds;
    classes: readonly Name[];
  }[] = [
    { why: 'everything sure is answered', score: () => 0.8, thresholds: everywhere(0.5), classes: inView },
    {
      why: 'what is weak in every frame is nobody, however often it was seen',
      score: () => 0.45,
      thresholds: everywhere(0.5),
      classes: [],
    },
    { why: 'exactly at the threshold is not above it', score: () => 0.5, thresholds: everywhere(0.5), classes: [] },
    { why: '1 answers nothing, not even certainty', score: () => 1, thresholds: everywhere(1), classes: [] },
    { why: '0 answers the weakest', score: () => 0.02, thresholds: everywhere(0), classes: inView },
    {
      why: 'a threshold below the noise is meant',
      score: () => 0.06,
      thresholds: everywhere(0.05),
      classes: inView,
    },
    {
      why: 'each class has its own: referees',
      score: () => 0.5,
      thresholds: { ...everywhere(0.4), referee: 0.6 },
      classes: ['ball', 'player'],
    },
    {
      why: 'each class has its own: the ball',
      score: () => 0.5,
      thresholds: { ...everywhere(0.4), ball: 0.6 },
      classes: ['player', 'referee'],
    },
  ];
  for (const { why, score, thresholds, classes } of table) {
    for (const tracking of [true, false]) {
      it(`${why} (${tracking ? 'tracked' : 'each frame by itself'})`, () =>
        assert.deepEqual(classesIn(answerFor(looked(score), thresholds, tracking)), classes));
    }
  }

  it('one sure sight carries the weak ones around it', () => {
    const once = looked((_, { index }) => (index === 20 ? 0.8 : 0.45));
    const answer = answerFor(once, everywhere(0.5), true);
    assert.deepEqual(classesIn(answer), inView);
    assert.ok(answer.frames[10].objects.length > 5, 'in other frames too');
  });

  it('whoever is answered was seen above the threshold, whatever the scores', () => {
    const scores = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 30, maxLength: 60 });
    fc.assert(
      fc.property(scores, fc.float({ min: 0, max: 1, noNaN: true }), fc.boolean(), (values, threshold, tracking) => {
        let at = 0;
        const findings = looked(() => values[at++ % values.length]);
        const best = new Map<number, number>();
        for (const { objects } of answerFor(findings, everywhere(threshold), tracking).frames) {
          for (const { id, score } of objects) best.set(id, Math.max(score, best.get(id) ?? 0));
        }
        // Scores of an answer are rounded to 1/10,000.
        for (const [id, score] of best) assert.ok(score > threshold - 1e-4, `${id}: ${score} of ${threshold}`);
      }),
      { numRuns: 20 },
    );
  });
});
