import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import { drawLettering, letteringWidth } from '../annotate/block-letters.js';
import type { Picture, Shape } from '../tools/bench/index.js';

/** Pixels of the file by px of the picture: sharp on a dense screen. */
const SCALE = 2;

/** The canvas takes `sans-serif` for any font it finds. */
const FONTS = '"DejaVu Sans", "Liberation Sans", Arial, Helvetica, sans-serif';

/** Draws a chart; a PNG file. */
export function toPng({ width, height, shapes }: Picture): Promise<Buffer> {
  const canvas = createCanvas(width * SCALE, height * SCALE);
  const ctx = canvas.getContext('2d');
  ctx.scale(SCALE, SCALE);
  ctx.fillStyle = '#ffffff';
  ctx.fillRect(0, 0, width, height);
  for (const shape of shapes) draw(ctx, shape);
  return canvas.encode('png');
}

function draw(ctx: SKRSContext2D, shape: Shape): void {
  ctx.beginPath();
  if (shape.kind === 'text') write(ctx, shape);
  else if (shape.kind === 'line') {
    for (const [x, y] of shape.points) ctx.lineTo(x, y);
    ctx.strokeStyle = shape.colour;
    ctx.lineWidth = shape.widthPx;
    ctx.stroke();
  } else {
    ctx.arc(shape.x, shape.y, shape.radiusPx, 0, 2 * Math.PI);
    ctx.fillStyle = shape.fill;
    ctx.fill();
    ctx.strokeStyle = shape.stroke;
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
}

/** In a font of the system, or where there is none in block letters. */
function write(ctx: SKRSContext2D, shape: Extract<Shape, { readonly kind: 'text' }>): void {
  const { x, y, text, sizePx, anchor, colour, isUpright } = shape;
  ctx.save();
  ctx.translate(x, y);
  if (isUpright) ctx.rotate(-Math.PI / 2);
  ctx.fillStyle = colour;
  if (GlobalFonts.families.length > 0) {
    ctx.font = `${sizePx}px ${FONTS}`;
    ctx.textAlign = anchor === 'middle' ? 'center' : anchor;
    ctx.fillText(text, 0, 0);
  } else {
    const heightPx = sizePx * 0.6;
    const before = { start: 0, middle: 0.5, end: 1 }[anchor] * letteringWidth(text, heightPx);
    drawLettering(ctx, text, { x: -before, y: -heightPx, heightPx });
  }
  ctx.restore();
}
