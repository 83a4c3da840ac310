import type { Person } from './match-cast.js';

/** Seconds of one step of the simulation; positions between steps are interpolated. */
export const STEP_S = 0.02;
const MAX_ACCELERATION_MS2 = 4.5;
const MAX_BRAKING_MS2 = 6;

/** Where a person is and how they move. */
export interface Stance {
  readonly xM: number;
  readonly yM: number;
  /** Radians on the ground: 0 faces right (x grows), π/2 faces the main stand. */
  readonly headingRad: number;
  readonly speedMs: number;
  /** Phase of the stride in radians, growing with the way run. */
  readonly strideRad: number;
}

/** A person in motion: metres, m/s, radians. */
export interface Runner {
  readonly person: Person;
  x: number;
  y: number;
  vx: number;
  vy: number;
  heading: number;
  stride: number;
  /** Slow personal drift around the station, in metres. */
  driftX: number;
  driftY: number;
  /** Seconds left of a run into space. */
  sprintS: number;
}

interface Surroundings {
  readonly runners: readonly Runner[];
  readonly ball: { readonly x: number; readonly y: number };
}

/** One step towards a place at no more than `limitMs`, within what legs can do, around others, facing the way or the ball. */
export function steer(
  r: Runner,
  goal: { readonly x: number; readonly y: number; readonly limitMs: number },
  around: Surroundings,
): void {
  const [dx, dy] = [goal.x - r.x, goal.y - r.y];
  const distance = Math.hypot(dx, dy);
  const speed = distance < 0.4 ? 0 : Math.min(goal.limitMs, distance * 1.1);
  let wantX = distance > 0 ? (dx / distance) * speed : 0;
  let wantY = distance > 0 ? (dy / distance) * speed : 0;
  for (const other of around.runners) {
    const [ox, oy] = [r.x - other.x, r.y - other.y];
    const near = Math.hypot(ox, oy);
    if (other === r || near > 0.9 || near === 0) continue;
    wantX += (ox / near) * (0.9 - near) * 4;
    wantY += (oy / near) * (0.9 - near) * 4;
  }
  const [ax, ay] = [wantX - r.vx, wantY - r.vy];
  const change = Math.hypot(ax, ay);
  const braking = wantX * r.vx + wantY * r.vy < r.vx * r.vx + r.vy * r.vy;
  const most = (braking ? MAX_BRAKING_MS2 : MAX_ACCELERATION_MS2) * STEP_S;
  const share = change > most ? most / change : 1;
  r.vx += ax * share;
  r.vy += ay * share;
  r.x += r.vx * STEP_S;
  r.y += r.vy * STEP_S;
  const pace = Math.hypot(r.vx, r.vy);
  const face = pace > 1 ? Math.atan2(r.vy, r.vx) : Math.atan2(around.ball.y - r.y, around.ball.x - r.x);
  const turn = Math.atan2(Math.sin(face - r.heading), Math.cos(face - r.heading));
  r.heading += turn * Math.min(1, STEP_S * (pace > 1 ? 8 : 3));
  // One stride (two steps) covers 1.1 m at a walk and 3.4 m at a sprint.
  r.stride += ((pace * STEP_S) / (1.1 + 0.29 * pace)) * 2 * Math.PI;
}
