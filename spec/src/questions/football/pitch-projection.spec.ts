import assert from 'node:assert/strict';
import { type AnswerFrame, PITCH_POINTS } from '../../../../src/questions/football/index.js';
import { projectPitch } from '../../../../src/questions/football/pitch-projection.js';
import { Camera } from '../../../../src/tools/demo/camera.js';

const camera = new Camera({ xM: 52.5, yM: 100, zM: 16, panRad: 0.3, tiltRad: 0.25, focal: 1.1 }, 1280, 720);
const diagonal = Math.hypot(1280, 720);
const keyPoints = PITCH_POINTS.map(([x, y]): readonly [number, number] => {
  const p = camera.project(x, y);
  return p.xPx > 0 && p.xPx < 1280 && p.yPx > 0 && p.yPx < 720 ? [p.xPx, p.yPx] : [0, 0];
});
const frameWith = (points: AnswerFrame['keyPoints']): AnswerFrame => ({
  index: 0,
  source: 'measured',
  keyPoints: points,
  objects: [],
});

describe('projectPitch', () => {
  it('finds the place on the pitch under a pixel', () => {
    const pitch = projectPitch(frameWith(keyPoints), diagonal);
    const { xPx, yPx } = camera.project(70, 20);
    const place = pitch?.toPitch(xPx, yPx);
    assert.ok(place && Math.hypot(place[0] - 70, place[1] - 20) < 0.1, `${place}`);
  });

  it('knows no place above the horizon', () => {
    assert.equal(projectPitch(frameWith(keyPoints), diagonal)?.toPitch(640, -400), undefined);
  });

  it('draws the lines where the camera sees them, and nothing of what is behind it', () => {
    const lines = projectPitch(frameWith(keyPoints), diagonal)?.lines ?? [];
    const inside = lines.flat().filter(([x, y]) => x > 0 && x < 1280 && y > 0 && y < 720);
    assert.ok(inside.length > 100);
    const near = (x: number, y: number): number => Math.min(...inside.map(([a, b]) => Math.hypot(a - x, b - y)));
    const corner = camera.project(105 - 16.5, 13.84);
    assert.ok(near(corner.xPx, corner.yPx) < 1);
    const horizon = 360 - camera.focalPx * Math.tan(0.25);
    assert.ok(lines.flat().every(([, y]) => y > horizon));
  });

  const none: readonly (readonly [string, AnswerFrame['keyPoints']])[] = [
    ['no key points', keyPoints.map(() => [0, 0] as const)],
    ['three key points', keyPoints.map((p, i) => (i > 12 && i < 16 ? p : ([0, 0] as const)))],
    [
      'key points that do not agree',
      keyPoints.map((_, i) => [((i * 7919) % 1279) + 1, ((i * 104729) % 719) + 1] as const),
    ],
  ];
  for (const [reason, points] of none) {
    it(`gives nothing for ${reason}`, () => assert.equal(projectPitch(frameWith(points), diagonal), undefined));
  }
});
