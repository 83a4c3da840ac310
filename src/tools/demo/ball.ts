import { PITCH_LENGTH_M, PITCH_WIDTH_M } from '../../questions/football/index.js';
import { STEP_S } from './locomotion.js';

export const BALL_RADIUS_M = 0.11;
const ROLLING_DRAG_MS2 = 2.2; // chosen: a 14 m/s pass on wet grass runs about 40 m
export const GRAVITY_MS2 = 9.81;

export interface BallPlace {
  readonly xM: number;
  readonly yM: number;
  /** Height of the ball's centre. */
  readonly zM: number;
}

/** The ball in motion: metres and m/s. */
export interface Ball {
  x: number;
  y: number;
  z: number;
  vx: number;
  vy: number;
  vz: number;
}

/** One step of the free ball: flight, bounces, rolling out. */
export function advance(b: Ball): void {
  b.x += b.vx * STEP_S;
  b.y += b.vy * STEP_S;
  b.z += b.vz * STEP_S;
  if (b.z > BALL_RADIUS_M || b.vz > 0) b.vz -= GRAVITY_MS2 * STEP_S;
  else {
    b.z = BALL_RADIUS_M;
    b.vz = b.vz < -1.5 ? -b.vz * 0.5 : 0;
    const speed = Math.hypot(b.vx, b.vy);
    const left = speed > 0 ? Math.max(0, speed - ROLLING_DRAG_MS2 * STEP_S) / speed : 0;
    b.vx *= left;
    b.vy *= left;
  }
  // Long grass and boards: a ball that leaves stays near the line, where somebody can fetch it.
  const outside = Math.max(-b.x, b.x - PITCH_LENGTH_M, -b.y, b.y - PITCH_WIDTH_M);
  if (outside > 0.5) {
    b.vx *= 1 - 6 * STEP_S;
    b.vy *= 1 - 6 * STEP_S;
  }
}
