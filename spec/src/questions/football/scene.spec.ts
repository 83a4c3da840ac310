import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type Answer,
  compareWithTruth,
  createAnswerEncoder,
  createScene,
  type Finding,
  parseAnswer,
  type SceneOptions,
} from '../../../../src/questions/football/index.js';
import { coarseToFine, type Football, playFootball } from './football.js';

const size = { width: 1920, height: 1080, fps: 25 };
const match = playFootball({ frameCount: 60, noisePx: 1.5, missed: 0.05 });

function answerFor(findings: readonly Finding[], options: Partial<SceneOptions> = {}): Answer {
  const scene = createScene({ ...size, frameCount: 60, ...options });
  scene.add(findings);
  return scene.snapshot();
}

const always = () => true;
const every = (football: Football, stride: number) => football.findings.filter(({ index }) => index % stride === 0);

/** What every answer must be, whatever it was made of. */
function assertWhole(answer: Answer, frameCount: number): void {
  assert.deepEqual(
    answer.frames.map(({ index }) => index),
    [...Array(frameCount).keys()],
  );
  for (const { index, keyPoints, objects } of answer.frames) {
    assert.equal(keyPoints.length, 32);
    assert.ok(keyPoints.flat().every(Number.isFinite));
    assert.equal(new Set(objects.map(({ id }) => id)).size, objects.length, `ids of frame ${index}`);
    assert.ok(objects.filter(({ classId }) => classId === 0).length <= 1, 'one ball');
    for (const { boxXyxyPx } of objects) assert.ok(boxXyxyPx.every(Number.isFinite));
  }
  const counted = Object.values(answer.counts).reduce((a, b) => a + b, 0);
  assert.equal(counted, frameCount);
}

function compared(answer: Answer, football: Football) {
  const encoder = createAnswerEncoder();
  encoder.update(answer);
  return compareWithTruth(parseAnswer(JSON.parse(new TextDecoder().decode(encoder.json({})))), football.truth);
}

describe('a scene answers the whole clip', () => {
  for (const stride of [1, 2, 5, 10]) {
    it(`from every ${stride}. frame`, () => {
      const answer = answerFor(every(match, stride));
      assertWhole(answer, 60);
      const { person, keypoints, idf1 } = compared(answer, match);
      assert.ok(person.f1 > 0.93, `person F1 ${person.f1}`);
      assert.ok(keypoints.recall > 0.97, `key points ${keypoints.recall}`);
      assert.ok(idf1 > 0.9, `IDF1 ${idf1}`);
    });
  }

  for (const [what, findings, options, frameCount] of [
    ['without any finding', [], {}, 60],
    ['from one finding', [match.findings[30]], {}, 60],
    ['from the last frame alone', [match.findings[59]], {}, 60],
    ['of three frames', match.findings.slice(0, 3), { frameCount: 3 }, 3],
    ['of one frame', match.findings.slice(0, 1), { frameCount: 1 }, 1],
    ['of unknown length, as far as it is known', match.findings.slice(0, 21), { frameCount: undefined }, 21],
    ['whose index promised fewer frames than there are', match.findings, { frameCount: 40 }, 40],
    ['without tracking', every(match, 7), { tracking: false }, 60],
    ['without a pitch', every(match, 7), { skipPitch: true }, 60],
    [
      'with frames at uneven times',
      every(match, 5),
      { framePtsUs: match.findings.map((f) => f.index ** 1.2 * 3e4) },
      60,
    ],
    ['with frames all at one time', every(match, 5), { framePtsUs: new Float64Array(60) }, 60],
  ] as const) {
    it(what, () => assertWhole(answerFor(findings, options), frameCount));
  }

  it('with findings that say nothing or nonsense', () => {
    const empty = every(match, 6).map((finding) => ({ ...finding, detections: [], keyPoints: [] }));
    assertWhole(answerFor(empty), 60);
    const wild = every(match, 6).map((finding) => ({
      ...finding,
      detections: finding.detections.map((d) => ({ ...d, boxXyxyPx: [Number.NaN, 0, 1e9, -5] as const })),
      keyPoints: finding.keyPoints.map((k, i) => ({
        ...k,
        xPx: (i * 7919) % 1920,
        yPx: (i * 104729) % 1080,
        score: 1,
      })),
    }));
    assertWhole(answerFor(wild), 60);
  });

  it('with one sample whose pitch lies elsewhere: no cut, nobody renamed, no camera thrown about', () => {
    const astray = every(match, 4).map((finding) =>
      finding.index === 28
        ? { ...finding, keyPoints: finding.keyPoints.map((point) => ({ ...point, xPx: point.xPx + 500 })) }
        : finding,
    );
    const answer = answerFor(astray);
    assertWhole(answer, 60);
    const { person, keypoints, idf1 } = compared(answer, match);
    assert.ok(person.f1 > 0.93, `person F1 ${person.f1}`);
    assert.ok(keypoints.recall > 0.97, `key points ${keypoints.recall}`);
    assert.ok(idf1 > 0.9, `IDF1 ${idf1}`);
  });

  it('of a still picture with everybody where they are', () => {
    const still = Array.from({ length: 60 }, (_, index) => ({ ...match.findings[0], index, ptsUs: index * 4e4 }));
    const answer = answerFor(still.filter(({ index }) => index % 10 === 0));
    assertWhole(answer, 60);
    const ids = answer.frames.map(({ objects }) => objects.map(({ id }) => id).join());
    assert.equal(new Set(ids).size, 1);
  });
});

describe('where an answer comes from', () => {
  it('samples are measured, frames between interpolated, frames beyond held', () => {
    const answer = answerFor([match.findings[10], match.findings[20]]);
    const sources = answer.frames.map(({ source }) => source);
    assert.deepEqual([sources[10], sources[15], sources[20]], ['measured', 'interpolated', 'measured']);
    assert.deepEqual([sources[0], sources[59]], ['held', 'held']);
    assert.deepEqual(answer.counts, { measured: 2, tracked: 0, interpolated: 9, held: 49 });
  });

  it('a weak box is tracked where its track is sure, and gone where it stands alone', () => {
    const weaken = (finding: Finding): Finding => ({
      ...finding,
      detections: finding.detections.map((d) => (d.classId === 3 ? { ...d, score: 0.3 } : d)),
    });
    const clean = playFootball({ frameCount: 21 });
    const findings = every(clean, 5);
    const referees = (answer: Answer, n: number) => answer.frames[n].objects.filter(({ classId }) => classId === 3);
    assert.equal(
      findings.every(({ detections }) => detections.some(({ classId }) => classId === 3)),
      true,
    );
    const one = answerFor(
      findings.map((f) => (f.index === 10 ? weaken(f) : f)),
      { frameCount: 21 },
    );
    assert.deepEqual(
      referees(one, 10).map(({ source }) => source),
      ['tracked'],
    );
    const all = answerFor(findings.map(weaken), { frameCount: 21 });
    assert.deepEqual(referees(all, 10), []);
  });
});

describe('a scene and somebody seen on both sides of a gap too long to fill', () => {
  it('shows one of the two in the exact middle', () => {
    const long = playFootball({ frameCount: 31 });
    const answer = answerFor([long.findings[0], long.findings[30]], { frameCount: 31, tracking: false });
    assertWhole(answer, 31);
    const apart = playFootball({ frameCount: 61 });
    const ball = answerFor(every(apart, 30), { frameCount: 61 });
    for (const { objects } of ball.frames) assert.ok(objects.filter(({ classId }) => classId === 0).length <= 1);
  });
});

describe('a scene and cuts', () => {
  const cut = playFootball({ frameCount: 60, cuts: [30] });
  const idsOf = (answer: Answer, from: number, to: number) =>
    new Set(answer.frames.slice(from, to).flatMap(({ objects }) => objects.map(({ id }) => id)));

  it('nothing is interpolated across a cut, and nobody keeps an id over it', () => {
    const answer = answerFor(every(cut, 8), { keyframes: [0, 30, 50] });
    assertWhole(answer, 60);
    const before = idsOf(answer, 0, 30);
    for (const id of idsOf(answer, 30, 60)) assert.ok(!before.has(id), `id ${id} on both sides`);
    for (const { source } of answer.frames.slice(25, 32)) assert.notEqual(source, 'interpolated');
  });

  it('the cut lies on the keyframe', () => {
    const { keypoints } = compared(answerFor(every(cut, 8), { keyframes: [0, 30, 50] }), cut);
    const { keypoints: blind } = compared(answerFor(every(cut, 8)), cut);
    assert.ok(keypoints.recall > 0.95, `${keypoints.recall}`);
    assert.ok(keypoints.recall >= blind.recall);
  });

  it('a clip with a cut every second is answered completely', () => {
    const many = playFootball({ frameCount: 150, cuts: [25, 50, 75, 100, 125] });
    const keyframes = [0, 25, 50, 75, 100, 125];
    for (const stride of [3, 10, 40]) assertWhole(answerFor(every(many, stride), { frameCount: 150, keyframes }), 150);
  });
});

describe('a scene and order', () => {
  const sampled = every(match, 4);
  const expected = answerFor(sampled);

  it('the answer depends on the findings alone, not on their order, grouping or the snapshots between', () => {
    const plan = fc.record({
      order: fc.shuffledSubarray([...sampled.keys()], { minLength: sampled.length }),
      sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: sampled.length, maxLength: sampled.length }),
      looks: fc.array(fc.boolean(), { minLength: sampled.length, maxLength: sampled.length }),
    });
    fc.assert(
      fc.property(plan, ({ order, sizes, looks }) => {
        const scene = createScene({ ...size, frameCount: 60 });
        for (let at = 0, turn = 0; at < order.length; at += sizes[turn], turn++) {
          scene.add(order.slice(at, at + sizes[turn]).map((k) => sampled[k]));
          if (looks[turn]) assertWhole(scene.snapshot(), 60);
          else scene.refresh(always);
        }
        assert.deepEqual(scene.snapshot(), expected);
      }),
      { numRuns: 12 },
    );
  });

  it('a later finding for the same frame replaces the earlier one', () => {
    const scene = createScene({ ...size, frameCount: 60 });
    scene.add(sampled.map((finding) => ({ ...finding, detections: [] })));
    scene.add(sampled);
    assert.equal(scene.sampleCount, sampled.length);
    assert.deepEqual(scene.snapshot(), expected);
  });

  it('what is learnt late of the clip counts as if it had been known', () => {
    const scene = createScene({ ...size, frameCount: undefined });
    scene.add(sampled);
    scene.snapshot();
    scene.setClip({ frameCount: 60 });
    assert.deepEqual(scene.snapshot(), expected);
  });
});

describe('a scene works in pieces', () => {
  it('refresh stops whenever it is asked to and ends where snapshot ends', () => {
    const scene = createScene({ ...size, frameCount: 60 });
    scene.add(every(match, 4));
    let pauses = 0;
    while (!scene.refresh(always)) pauses++;
    assert.ok(pauses > 60, `${pauses}`);
    assert.equal(scene.refresh(always), true);
    assert.equal(scene.snapshot(always), scene.snapshot());
    assert.deepEqual(scene.snapshot(), answerFor(every(match, 4)));
  });

  it('keeps the last complete answer while newer findings wait', () => {
    const scene = createScene({ ...size, frameCount: 60 });
    scene.add(every(match, 12));
    const first = scene.snapshot();
    scene.add([match.findings[1]]);
    assert.equal(scene.snapshot(always), first);
    assert.notEqual(scene.snapshot(), first);
  });

  it('answers from the first finding where nothing was complete in time', () => {
    const scene = createScene({ ...size, frameCount: 60 });
    assertWhole(scene.snapshot(always), 60);
    const late = createScene({ ...size, frameCount: 60 });
    late.add(every(match, 12));
    assert.deepEqual(late.snapshot(always), answerFor([match.findings[0]]));
    assert.deepEqual(late.snapshot(), answerFor(every(match, 12)));
  });

  it('finishes what it began, however fast findings come', () => {
    const scene = createScene({ ...size, frameCount: 60 });
    scene.add(every(match, 12));
    for (let step = 0; step < 5000; step++) {
      scene.add([match.findings[step % 60]]);
      scene.refresh(always);
    }
    assert.ok(scene.snapshot(always).counts.measured >= 5);
  });

  it('frames far from a new finding stay the same objects', () => {
    const long = playFootball({ frameCount: 200 });
    const scene = createScene({ ...size, frameCount: 200 });
    scene.add(every(long, 10));
    const before = scene.snapshot();
    scene.add([long.findings[105]]);
    const after = scene.snapshot();
    const changed = after.frames.filter((frame, n) => frame !== before.frames[n]).map(({ index }) => index);
    assert.ok(changed.includes(105));
    // 1 s of neighbours steady a camera, three samples shape a speed.
    assert.ok(Math.min(...changed) >= 40 && Math.max(...changed) < 170, `${changed[0]}–${changed.at(-1)}`);
    assert.equal(scene.snapshot(), after);
  });

  it('gets no worse coarse to fine', () => {
    const scene = createScene({ ...size, frameCount: 60 });
    const order = coarseToFine(60);
    let last = 0;
    for (let from = 0; from < 60; from += 12) {
      scene.add(order.slice(from, from + 12).map((n) => match.findings[n]));
      const { f1 } = compared(scene.snapshot(), match).person;
      assert.ok(f1 >= last - 0.02, `${f1} after ${last}`);
      last = f1;
    }
  });
});
