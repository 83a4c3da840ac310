import assert from 'node:assert/strict';
import { PITCH_POINTS } from '../../../../src/questions/football/index.js';
import { Camera } from '../../../../src/tools/demo/camera.js';
import { type Moment, recordMatch } from '../../../../src/tools/demo/match-track.js';
import { stage, truthOf } from '../../../../src/tools/demo/truth.js';

const match = recordMatch({ seed: 3, seconds: 2 });
const pose = { xM: 52.5, yM: 100, zM: 16, panRad: 0, tiltRad: 0.24, focal: 1.25 };
const camera = new Camera(pose, 1920, 1080);
const still: Moment = match.momentAt(0);
const far = { xM: -50, yM: 34, headingRad: 0, speedMs: 0, strideRad: 0 };

/** The truth with everybody out of sight but those who are placed. */
function truthWith(
  places: Readonly<Record<number, readonly [number, number]>>,
  ball: readonly [number, number, number],
) {
  const stances = match.people.map(({ id }) => {
    const place = places[id];
    return place ? { ...far, xM: place[0], yM: place[1] } : far;
  });
  const moment: Moment = { ...still, stances, ball: { xM: ball[0], yM: ball[1], zM: ball[2] } };
  return truthOf(4, stage(match.people, moment, camera), camera);
}

describe('truth of a frame', () => {
  it('lists people inside the picture with their id and class, the ball as 0', () => {
    const { frame_number, objects } = truthWith({ 1: [50, 34], 5: [55, 30], 23: [45, 40] }, [52, 34, 0.11]);
    assert.equal(frame_number, 4);
    assert.deepEqual(
      objects.map(({ id, class_id }) => [id, class_id]),
      [
        [0, 0],
        [1, 1],
        [5, 2],
        [23, 3],
      ],
    );
  });

  it('draws boxes of the height of a man around where he stands', () => {
    const person = truthWith({ 5: [55, 30] }, [20, 34, 0.11]).objects.find(({ id }) => id === 5);
    assert.ok(person);
    const [foot, head] = [camera.project(55, 30, 0), camera.project(55, 30, match.people[4]?.heightM ?? 0)];
    assert.ok(Math.abs(person.bbox[1] - head.yPx) < 4 && Math.abs(person.bbox[3] - foot.yPx) < 4);
    assert.ok(person.bbox[0] < foot.xPx && person.bbox[2] > foot.xPx);
  });

  it('leaves out a person who is hidden behind another', () => {
    const line = (y: number): readonly [number, number] => [52.5, y];
    const ids = truthWith({ 5: line(30), 6: line(30.4) }, [20, 34, 0.11]).objects.map(({ id }) => id);
    assert.ok(ids.includes(6) && !ids.includes(5));
  });

  it('clips at the border and leaves out who is mostly outside', () => {
    const edge = (column: number): readonly [number, number] => {
      const row = camera.rowOnGround(600);
      assert.ok(row);
      return [row.xM + row.dxM * column, row.yM + row.dyM * column];
    };
    const cut = truthWith({ 5: edge(2) }, [20, 34, 0.11]).objects.find(({ id }) => id === 5);
    assert.equal(cut?.bbox[0], 0);
    assert.equal(truthWith({ 5: edge(-18) }, [20, 34, 0.11]).objects.length, 0);
  });

  it('hides the ball behind a body, not in front of it', () => {
    const has = (y: number): boolean => truthWith({ 5: [52.5, 34] }, [52.5, y, 1]).objects.some(({ id }) => id === 0);
    assert.equal(has(33.5), false);
    assert.equal(has(34.6), true);
  });

  it('projects the key points that are in the picture and zeroes the others', () => {
    const { keypoints } = truthWith({}, [52, 34, 0.11]);
    assert.equal(keypoints.length, 32);
    keypoints.forEach(([x, y], i) => {
      const p = camera.project(...(PITCH_POINTS[i] ?? [0, 0]));
      const inside = p.xPx > 0 && p.xPx < 1920 && p.yPx > 0 && p.yPx < 1080;
      assert.ok(inside ? Math.hypot(x - p.xPx, y - p.yPx) < 0.01 : x === 0 && y === 0, `point ${i + 1}`);
    });
    assert.ok(keypoints.some(([x]) => x === 0) && keypoints.filter(([x]) => x > 0).length > 3);
  });
});
