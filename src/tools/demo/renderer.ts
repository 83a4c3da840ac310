import { createCanvas } from '@napi-rs/canvas';
import { drawLettering } from '../../annotate/block-letters.js';
import { Backdrop } from './backdrop.js';
import { Camera } from './camera.js';
import { drawFigure, drawShadow, paintsOf } from './figure.js';
import { lookOf } from './look.js';
import type { MatchTrack } from './match-track.js';
import { Boards, drawFlags, drawGoal, drawMarkings } from './stadium.js';
import { type BallInPicture, stage } from './truth.js';

/** Grows with every change of the picture or the truth: cached clips of other versions are not used. */
export const RENDERER_VERSION = 3;

export interface RendererOptions {
  readonly seed: number;
  readonly match: MatchTrack;
  /** Pixels of the picture that is drawn. */
  readonly width: number;
  readonly height: number;
}

/** Draws moments of a match. One renderer belongs to one thread; its canvas is reused from frame to frame. */
export function createRenderer({ seed, match, width, height }: RendererOptions) {
  const look = lookOf(seed, match.people);
  const paints = look.outfits.map(paintsOf);
  const backdrop = new Backdrop(seed, look, width, height);
  const boards = new Boards(seed, Math.max(8, width / 40));
  const canvas = createCanvas(width, height);
  const ctx = canvas.getContext('2d');
  // Not `new ImageData(bytes, …)`: some versions of the canvas copy the bytes then, and the turf stays black.
  const picture = ctx.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);

  function drawBall(ball: BallInPicture, before: BallInPicture): void {
    const r = Math.max(0.9, ball.radiusPx);
    // A shutter of 1/100 s at 25 frames a second smears a quarter of the way.
    const [dx, dy] = [(ball.xPx - before.xPx) / 4, (ball.yPx - before.yPx) / 4];
    ctx.lineCap = 'round';
    ctx.strokeStyle = 'rgb(176,180,176)';
    ctx.lineWidth = r * 2;
    ctx.beginPath();
    ctx.moveTo(ball.xPx - dx / 2, ball.yPx - dy / 2);
    ctx.lineTo(ball.xPx + dx / 2 + 0.01, ball.yPx + dy / 2 + 0.01);
    ctx.stroke();
    ctx.fillStyle = 'rgb(248,248,244)';
    ctx.beginPath();
    ctx.arc(ball.xPx - r * 0.15, ball.yPx - r * 0.2, r * 0.75, 0, 2 * Math.PI);
    ctx.fill();
  }

  function drawClock(timeS: number): void {
    const unit = height / 90;
    const minutes = String(Math.floor(timeS / 60) + 23).padStart(2, '0');
    const seconds = String(Math.floor(timeS) % 60).padStart(2, '0');
    ctx.fillStyle = 'rgba(16,20,34,0.86)';
    ctx.fillRect(5 * unit, 4 * unit, 33 * unit, 4 * unit);
    ctx.fillStyle = 'rgb(240,240,240)';
    drawLettering(ctx, `TIK 0-0 RXJ ${minutes}:${seconds}`, { x: 6.4 * unit, y: 5.1 * unit, heightPx: 1.8 * unit });
  }

  return {
    /** Draws the moment `timeS` seconds into the clip: RGBA, 8 bits, rows contiguous, width × height × 4 bytes. The bytes are the caller's. */
    render(timeS: number): Uint8ClampedArray {
      const moment = match.momentAt(timeS);
      const camera = new Camera(moment.camera, width, height);
      backdrop.paint(pixels, camera);
      ctx.putImageData(picture, 0, 0);
      // A frame must not depend on which one was drawn before: styles end with it.
      ctx.save();
      drawMarkings(ctx, camera);
      boards.draw(ctx, camera);
      drawFlags(ctx, camera);
      const { actors, ball } = stage(match.people, moment, camera);
      for (const reach of look.shadows) {
        for (const { limbs } of actors) drawShadow(ctx, limbs, camera, { reach, alpha: look.shadowAlpha });
      }
      const { xM, yM } = moment.ball;
      const spot = camera.project(xM, yM, 0);
      ctx.fillStyle = 'rgba(8,22,8,0.35)';
      ctx.beginPath();
      ctx.ellipse(spot.xPx, spot.yPx, ball.radiusPx * 1.1, ball.radiusPx * 0.5, 0, 0, 2 * Math.PI);
      ctx.fill();
      const earlier = match.momentAt(timeS - 0.04).ball;
      const before = camera.project(earlier.xM, earlier.yM, earlier.zM);
      const scene = actors.map((actor) => ({
        depthM: actor.figure.depthM,
        draw: () => {
          const own = paints[actor.index];
          if (own) drawFigure(ctx, actor.figure, own);
        },
      }));
      scene.push({ depthM: ball.depthM, draw: () => drawBall(ball, { ...ball, ...before }) });
      for (const goalX of [0, 105])
        scene.push({ depthM: camera.project(goalX, 34).depthM, draw: () => drawGoal(ctx, camera, goalX) });
      scene.sort((a, b) => b.depthM - a.depthM);
      for (const { draw } of scene) draw();
      boards.drawNear(ctx, camera);
      drawClock(timeS);
      ctx.restore();
      return ctx.getImageData(0, 0, width, height).data;
    },
  };
}
