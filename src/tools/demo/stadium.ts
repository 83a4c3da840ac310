import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { drawLettering, letteringWidth } from '../../annotate/block-letters.js';
import { PITCH_LENGTH_M, PITCH_WIDTH_M } from '../../questions/football/index.js';
import { GOAL_HEIGHT_M, GOAL_WIDTH_M, PITCH_PAINT } from '../../questions/football/pitch-markings.js';
import { APRON_M } from './backdrop.js';
import type { Camera, Projected } from './camera.js';
import { createRandom } from './random.js';
import type { Point3 } from './skeleton.js';
import { BOARD_COLOURS, SPONSORS } from './stands.js';

const NEAR_PLANE_M = 3;
const BOARD_HEIGHT_M = 1;
const BOARD_LENGTH_M = 7;
const POST_RADIUS_M = 0.06;
const NET_DEPTH_M = 2;

/** Fills the markings. Lines narrower than a pixel fade instead of vanishing. */
export function drawMarkings(ctx: SKRSContext2D, camera: Camera): void {
  ctx.fillStyle = 'rgba(238,242,232,0.86)';
  ctx.beginPath();
  for (const { left, right } of PITCH_PAINT) {
    const pairs = left.map((point, i) => {
      const other = right[i] ?? point;
      return [camera.project(point[0], point[1]), camera.project(other[0], other[1])] as const;
    });
    let run: (readonly [Projected, Projected])[] = [];
    const fill = (): void => {
      const outline = [...run.map((pair) => pair[0]), ...run.map((pair) => pair[1]).reverse()];
      outline.forEach((p, i) => {
        if (i === 0) ctx.moveTo(p.xPx, p.yPx);
        else ctx.lineTo(p.xPx, p.yPx);
      });
      run = [];
    };
    for (const pair of pairs) {
      if (pair[0].depthM > NEAR_PLANE_M && pair[1].depthM > NEAR_PLANE_M) run.push(pair);
      else fill();
    }
    fill();
  }
  ctx.fill();
}

function line(ctx: SKRSContext2D, camera: Camera, from: Point3, to: Point3): void {
  const [a, b] = [camera.project(...from), camera.project(...to)];
  if (a.depthM < NEAR_PLANE_M || b.depthM < NEAR_PLANE_M) return;
  ctx.moveTo(a.xPx, a.yPx);
  ctx.lineTo(b.xPx, b.yPx);
}

/** Draws a goal: net first, then posts and bar. `goalX` is the goal line, 0 or 105. */
export function drawGoal(ctx: SKRSContext2D, camera: Camera, goalX: number): void {
  const back = goalX === 0 ? -1 : 1;
  const [far, near] = [(PITCH_WIDTH_M - GOAL_WIDTH_M) / 2, (PITCH_WIDTH_M + GOAL_WIDTH_M) / 2];
  const middle = camera.project(goalX, PITCH_WIDTH_M / 2, 1);
  const scale = camera.focalPx / middle.depthM;
  if (middle.depthM < NEAR_PLANE_M || Math.abs(middle.xPx - camera.width / 2) > camera.width / 2 + 8 * scale) return;
  const shoulder = goalX + back * 0.9;
  const foot = goalX + back * NET_DEPTH_M;
  ctx.strokeStyle = 'rgba(225,228,230,0.3)';
  ctx.lineWidth = Math.max(0.6, 0.02 * scale);
  ctx.beginPath();
  const threads = 16;
  for (let i = 0; i <= threads; i++) {
    const y = far + ((near - far) * i) / threads;
    line(ctx, camera, [goalX, y, GOAL_HEIGHT_M], [shoulder, y, GOAL_HEIGHT_M]);
    line(ctx, camera, [shoulder, y, GOAL_HEIGHT_M], [foot, y, 0]);
  }
  for (let i = 0; i <= 8; i++) {
    const share = i / 8;
    const [x, z] = [shoulder + (foot - shoulder) * share, GOAL_HEIGHT_M * (1 - share)];
    line(ctx, camera, [x, far, z], [x, near, z]);
    for (const y of [far, near]) {
      line(ctx, camera, [goalX, y, z], [x, y, z]);
      line(ctx, camera, [goalX + (shoulder - goalX) * share, y, GOAL_HEIGHT_M], [goalX + (foot - goalX) * share, y, 0]);
    }
  }
  ctx.stroke();
  ctx.strokeStyle = 'rgb(240,240,238)';
  ctx.lineCap = 'round';
  ctx.lineWidth = Math.max(1.2, 2 * POST_RADIUS_M * scale);
  ctx.beginPath();
  line(ctx, camera, [goalX, far, 0], [goalX, far, GOAL_HEIGHT_M]);
  line(ctx, camera, [goalX, far, GOAL_HEIGHT_M], [goalX, near, GOAL_HEIGHT_M]);
  line(ctx, camera, [goalX, near, GOAL_HEIGHT_M], [goalX, near, 0]);
  ctx.stroke();
}

/** Corner flags, drawn before the people. */
export function drawFlags(ctx: SKRSContext2D, camera: Camera): void {
  for (const x of [0, PITCH_LENGTH_M]) {
    for (const y of [0, PITCH_WIDTH_M]) {
      const [foot, top] = [camera.project(x, y, 0), camera.project(x, y, 1.5)];
      if (foot.depthM < NEAR_PLANE_M) continue;
      const size = (0.4 * camera.focalPx) / foot.depthM;
      ctx.strokeStyle = 'rgb(230,225,120)';
      ctx.lineWidth = Math.max(1, size * 0.1);
      ctx.beginPath();
      ctx.moveTo(foot.xPx, foot.yPx);
      ctx.lineTo(top.xPx, top.yPx);
      ctx.stroke();
      ctx.fillStyle = 'rgb(214,70,40)';
      ctx.fillRect(top.xPx, top.yPx, size, size * 0.75);
    }
  }
}

/** Advertising boards along the far side and behind both goals. */
export class Boards {
  private readonly sprites: readonly Canvas[];
  private readonly panels: readonly {
    readonly sprite: number;
    readonly from: readonly [number, number];
    readonly to: readonly [number, number];
  }[];

  constructor(seed: number, pixelsPerM: number) {
    const random = createRandom(seed, 5);
    const [width, height] = [Math.ceil(BOARD_LENGTH_M * pixelsPerM), Math.ceil(BOARD_HEIGHT_M * pixelsPerM)];
    this.sprites = SPONSORS.map((text) => {
      const canvas = createCanvas(width, height);
      const ctx = canvas.getContext('2d');
      const [ground, ink] = random.pick(BOARD_COLOURS);
      ctx.fillStyle = ground;
      ctx.fillRect(0, 0, width, height);
      ctx.fillStyle = ink;
      const size = Math.min(height * 0.56, (width * 0.86 * 7) / (text.length * 6));
      drawLettering(ctx, text, { x: (width - letteringWidth(text, size)) / 2, y: (height - size) / 2, heightPx: size });
      return canvas;
    });
    const panels = [];
    const sprite = (): number => random.below(this.sprites.length);
    for (let x = -APRON_M.ends; x < PITCH_LENGTH_M + APRON_M.ends; x += BOARD_LENGTH_M) {
      panels.push({ sprite: sprite(), from: [x, -APRON_M.far], to: [x + BOARD_LENGTH_M, -APRON_M.far] } as const);
    }
    for (let y = -APRON_M.far; y < PITCH_WIDTH_M; y += BOARD_LENGTH_M) {
      const [left, right] = [-APRON_M.ends, PITCH_LENGTH_M + APRON_M.ends];
      panels.push({ sprite: sprite(), from: [left, y + BOARD_LENGTH_M], to: [left, y] } as const);
      panels.push({ sprite: sprite(), from: [right, y], to: [right, y + BOARD_LENGTH_M] } as const);
    }
    this.panels = panels;
  }

  draw(ctx: SKRSContext2D, camera: Camera): void {
    for (const { sprite, from, to } of this.panels) {
      const topLeft = camera.project(...from, BOARD_HEIGHT_M);
      const topRight = camera.project(...to, BOARD_HEIGHT_M);
      const bottomLeft = camera.project(...from, 0);
      const picture = this.sprites[sprite];
      if (!picture || Math.min(topLeft.depthM, topRight.depthM) < NEAR_PLANE_M) continue;
      if (Math.max(topLeft.xPx, topRight.xPx) < 0 || Math.min(topLeft.xPx, topRight.xPx) > camera.width) continue;
      const [w, h] = [picture.width, picture.height];
      // An affine map is exact on three corners; the overlap hides what perspective leaves open on the fourth.
      ctx.setTransform(
        (topRight.xPx - topLeft.xPx) / w,
        (topRight.yPx - topLeft.yPx) / w,
        (bottomLeft.xPx - topLeft.xPx) / h,
        (bottomLeft.yPx - topLeft.yPx) / h,
        topLeft.xPx,
        topLeft.yPx,
      );
      ctx.drawImage(picture, 0, 0, w * 1.01, h);
    }
    ctx.resetTransform();
  }

  /** The backs of the boards along the near side, drawn after the people. */
  drawNear(ctx: SKRSContext2D, camera: Camera): void {
    const y = PITCH_WIDTH_M + APRON_M.near;
    for (let x = -APRON_M.ends; x < PITCH_LENGTH_M + APRON_M.ends; x += BOARD_LENGTH_M) {
      const corners = [camera.project(x, y, 0), camera.project(x + BOARD_LENGTH_M, y, 0)].concat([
        camera.project(x + BOARD_LENGTH_M, y, BOARD_HEIGHT_M),
        camera.project(x, y, BOARD_HEIGHT_M),
      ]);
      if (corners.some(({ depthM }) => depthM < NEAR_PLANE_M)) continue;
      ctx.beginPath();
      for (const { xPx, yPx } of corners) ctx.lineTo(xPx, yPx);
      ctx.closePath();
      ctx.fillStyle = '#2c2f35';
      ctx.fill();
      ctx.strokeStyle = '#8d9298';
      ctx.lineWidth = 1;
      ctx.stroke();
    }
  }
}
