import assert from 'node:assert/strict';
import { Camera } from '../../../../src/tools/demo/camera.js';

const pose = { xM: 52.5, yM: 100, zM: 16, panRad: 0.2, tiltRad: 0.25, focal: 1.2 };
const camera = new Camera(pose, 1920, 1080);

describe('Camera', () => {
  it('sees the right of the pitch on the right and the far side on top', () => {
    assert.ok(camera.project(70, 30).xPx > camera.project(60, 30).xPx);
    assert.ok(camera.project(60, 0).yPx < camera.project(60, 60).yPx);
    assert.ok(camera.project(60, 30, 2).yPx < camera.project(60, 30, 0).yPx);
  });

  it('finds on the ground what it projects', () => {
    const { xPx, yPx, depthM } = camera.project(66, 25);
    const row = camera.rowOnGround(yPx);
    assert.ok(row && depthM > 0);
    assert.ok(Math.hypot(row.xM + row.dxM * xPx - 66, row.yM + row.dyM * xPx - 25) < 1e-6);
  });

  it('has no ground at the horizon and above', () => {
    const horizon = 540 - camera.focalPx * Math.tan(pose.tiltRad);
    assert.equal(camera.rowOnGround(horizon), undefined);
    assert.ok(camera.rowOnGround(horizon + 5));
  });

  it('casts rays through the points it projects', () => {
    const { xPx, yPx, depthM } = camera.project(40, 10, 5);
    const [x, y, z] = camera.ray(xPx, yPx);
    assert.ok(Math.hypot(pose.xM + x * depthM - 40, pose.yM + y * depthM - 10, pose.zM + z * depthM - 5) < 1e-6);
  });

  it('tells what lies behind the lens by its depth', () => {
    assert.ok(camera.project(52.5, 130).depthM < 0);
  });
});
