import assert from 'node:assert/strict';
import { type Moment, recordMatch } from '../../../../src/tools/demo/match-track.js';

describe('a recorded match', () => {
  const seconds = 40;
  const match = recordMatch({ seed: 5, seconds });
  const moments: Moment[] = Array.from({ length: seconds * 25 }, (_, i) => match.momentAt(i / 25));
  const pairs = moments.slice(1).map((after, i) => [moments[i] ?? after, after] as const);

  it('has two teams with a keeper each, a referee and two assistants', () => {
    const classes = match.people.map((person) => person.classId);
    assert.deepEqual(
      [1, 2, 3].map((wanted) => classes.filter((c) => c === wanted).length),
      [2, 20, 3],
    );
    assert.equal(new Set(match.people.map((person) => person.id)).size, 25);
  });

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(recordMatch({ seed: 5, seconds: 3 }).momentAt(2.5), match.momentAt(2.5));
    assert.notDeepEqual(recordMatch({ seed: 6, seconds: 3 }).momentAt(2.5), match.momentAt(2.5));
  });

  it('moves people as people can: at most 8 m/s, no jumps, accelerations below 7 m/s²', () => {
    for (const [before, after] of pairs) {
      after.stances.forEach((now, i) => {
        const then = before.stances[i] ?? now;
        assert.ok(now.speedMs <= 8.3, `${now.speedMs} m/s`);
        assert.ok(Math.hypot(now.xM - then.xM, now.yM - then.yM) * 25 <= 8.3);
        assert.ok(Math.abs(now.speedMs - then.speedMs) * 25 < 7);
      });
    }
  });

  it('moves the ball below 30 m/s, above the grass and near the pitch', () => {
    for (const [{ ball: then }, { ball }] of pairs) {
      assert.ok(Math.hypot(ball.xM - then.xM, ball.yM - then.yM) * 25 < 30);
      assert.ok(ball.zM > 0 && ball.zM < 15);
      assert.ok(ball.xM > -7 && ball.xM < 112 && ball.yM > -6 && ball.yM < 74, `${ball.xM}, ${ball.yM}`);
    }
  });

  it('plays: the ball flies, is passed on, and people run and stand', () => {
    assert.ok(moments.some(({ ball }) => ball.zM > 1));
    const holders = new Set(
      moments.map(({ ball, stances }) =>
        stances.findIndex((s) => ball.zM < 0.3 && Math.hypot(s.xM - ball.xM, s.yM - ball.yM) < 0.9),
      ),
    );
    assert.ok(holders.size > 6, `${holders.size} different people had the ball`);
    const speeds = moments.flatMap(({ stances }) => stances.map((s) => s.speedMs));
    assert.ok(speeds.some((v) => v > 6) && speeds.some((v) => v < 0.5));
  });

  it('lets people pass each other', () => {
    const order = ({ stances }: Moment): string =>
      stances
        .map((s, i) => [s.xM, i] as const)
        .sort((a, b) => a[0] - b[0])
        .map(([, i]) => i)
        .join();
    assert.ok(new Set(moments.map(order)).size > 50);
  });

  it('turns the camera slowly and never rolls back and forth within a frame', () => {
    for (const [{ camera: then }, { camera }] of pairs) {
      assert.ok(Math.abs(camera.panRad - then.panRad) * 25 < 0.6);
      assert.ok(Math.abs(camera.tiltRad - then.tiltRad) * 25 < 0.2);
      assert.ok(Math.abs(camera.focal / then.focal - 1) < 0.02);
    }
  });

  it('keeps the ball in the picture nearly always', () => {
    const seen = moments.filter(({ ball, camera }) => {
      const aside = Math.atan2(ball.xM - camera.xM, camera.yM - ball.yM) - camera.panRad;
      return Math.abs(Math.tan(aside)) * camera.focal < 0.5;
    });
    assert.ok(seen.length > moments.length * 0.95, `${seen.length} of ${moments.length}`);
  });
});
