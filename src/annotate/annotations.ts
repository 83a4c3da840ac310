import type { SKRSContext2D } from '@napi-rs/canvas';
import type { ClassId } from '../../models/index.js';
import type { Provenance } from '../challenge/index.js';
import {
  type AnswerFrame,
  type AnswerObject,
  PITCH_LENGTH_M,
  PITCH_MARKINGS,
  PITCH_WIDTH_M,
  type PitchProjection,
  projectPitch,
} from '../questions/football/index.js';
import { drawLettering, letteringWidth } from './block-letters.js';

export interface AnnotationOptions {
  /** Size of the picture in whose pixels the answer speaks; the context must be scaled so that it is filled by it. */
  readonly width: number;
  readonly height: number;
  /** Thickness of a line in pixels of the picture; letters and dots follow. Default: 1/540 of the height. */
  readonly linePx?: number;
}

const COLOURS: Readonly<Record<ClassId, string>> = { 0: '#ffffff', 1: '#ff5ad9', 2: '#ffe14a', 3: '#46dcff' };
const PITCH_COLOUR = 'rgba(255,70,70,0.85)';
const PANEL = 'rgba(12,32,18,0.78)';
/** Solid where a model saw it, dashed where it was drawn between samples, dotted where the nearest sample was repeated. In line widths. */
const DASHES: Readonly<Record<Provenance, readonly number[]>> = {
  measured: [],
  tracked: [],
  interpolated: [4, 3],
  held: [1, 2],
};

/**
 * Draws one frame of an answer over its picture: boxes with ids in the colour of their class, numbered key points, the
 * pitch's lines as the key points place them, and a radar of the pitch from above. Text needs no installed font.
 */
export function drawAnnotations(ctx: SKRSContext2D, frame: AnswerFrame, options: AnnotationOptions): void {
  const { width, height, linePx = Math.max(1, height / 540) } = options;
  const pitch = projectPitch(frame, Math.hypot(width, height));
  ctx.save();
  ctx.lineJoin = 'round';
  if (pitch) drawLines(ctx, pitch, linePx);
  for (const object of frame.objects) drawObject(ctx, object, linePx);
  drawKeyPoints(ctx, frame, linePx);
  if (pitch) drawRadar(ctx, frame, pitch, { width, height, linePx });
  drawTag(ctx, `FRAME ${frame.index} ${frame.source}`, {
    x: 6 * linePx,
    y: height - 20 * linePx,
    linePx: linePx * 1.4,
    colour: '#ffffff',
  });
  ctx.restore();
}

function strokePath(ctx: SKRSContext2D, points: readonly (readonly [number, number])[]): void {
  ctx.beginPath();
  points.forEach(([x, y], i) => {
    if (i === 0) ctx.moveTo(x, y);
    else ctx.lineTo(x, y);
  });
  ctx.stroke();
}

function drawLines(ctx: SKRSContext2D, { lines }: PitchProjection, linePx: number): void {
  ctx.setLineDash([]);
  ctx.strokeStyle = PITCH_COLOUR;
  ctx.lineWidth = linePx;
  for (const line of lines) strokePath(ctx, line);
}

interface Tag {
  readonly x: number;
  readonly y: number;
  readonly linePx: number;
  readonly colour: string;
}

/** Text on a dark ground with its upper left corner at [x, y]; 11 lines high. */
function drawTag(ctx: SKRSContext2D, text: string, { x, y, linePx, colour }: Tag): void {
  const heightPx = 7 * linePx;
  ctx.fillStyle = 'rgba(0,0,0,0.6)';
  ctx.fillRect(x, y, letteringWidth(text, heightPx) + 4 * linePx, heightPx + 4 * linePx);
  ctx.fillStyle = colour;
  drawLettering(ctx, text, { x: x + 2 * linePx, y: y + 2 * linePx, heightPx });
}

function drawObject(ctx: SKRSContext2D, { boxXyxyPx, classId, id, source }: AnswerObject, linePx: number): void {
  const [x1, y1, x2, y2] = boxXyxyPx;
  const colour = COLOURS[classId];
  ctx.strokeStyle = colour;
  ctx.lineWidth = linePx;
  ctx.setLineDash(DASHES[source].map((length) => length * linePx));
  ctx.strokeRect(x1, y1, x2 - x1, y2 - y1);
  ctx.setLineDash([]);
  if (classId === 0) {
    ctx.strokeStyle = '#ff8a1e';
    ctx.beginPath();
    ctx.arc((x1 + x2) / 2, (y1 + y2) / 2, 8 * linePx, 0, 2 * Math.PI);
    ctx.stroke();
    return;
  }
  drawTag(ctx, String(id), { x: x1 - linePx / 2, y: y1 - 9 * linePx, linePx: linePx * 0.8, colour });
}

function drawKeyPoints(ctx: SKRSContext2D, { keyPoints, source }: AnswerFrame, linePx: number): void {
  ctx.setLineDash([]);
  ctx.lineWidth = linePx;
  keyPoints.forEach(([x, y], i) => {
    if (x === 0 && y === 0) return;
    ctx.fillStyle = '#ff3c3c';
    ctx.strokeStyle = '#ff3c3c';
    ctx.beginPath();
    ctx.arc(x, y, 2.5 * linePx, 0, 2 * Math.PI);
    if (source === 'measured') ctx.fill();
    else ctx.stroke();
    ctx.fillStyle = '#ffffff';
    drawLettering(ctx, String(i + 1), { x: x + 4 * linePx, y: y - 8 * linePx, heightPx: 6 * linePx });
  });
}

/** The pitch from above in the middle of the lower edge, a fifth of the picture wide. */
function drawRadar(
  ctx: SKRSContext2D,
  frame: AnswerFrame,
  pitch: PitchProjection,
  { width, height, linePx }: Required<AnnotationOptions>,
): void {
  const scale = width / 5 / PITCH_LENGTH_M;
  const margin = 4 * scale;
  const [left, top] = [(width - PITCH_LENGTH_M * scale) / 2, height - PITCH_WIDTH_M * scale - margin - 3 * linePx];
  ctx.fillStyle = PANEL;
  ctx.fillRect(left - margin, top - margin, PITCH_LENGTH_M * scale + 2 * margin, PITCH_WIDTH_M * scale + 2 * margin);
  ctx.strokeStyle = 'rgba(255,255,255,0.7)';
  ctx.lineWidth = linePx * 0.7;
  for (const line of PITCH_MARKINGS) {
    strokePath(
      ctx,
      line.map(([x, y]) => [left + x * scale, top + y * scale] as const),
    );
  }
  for (const { boxXyxyPx, classId, source } of frame.objects) {
    const [x1, y1, x2, y2] = boxXyxyPx;
    const place = pitch.toPitch((x1 + x2) / 2, classId === 0 ? (y1 + y2) / 2 : y2);
    if (!place || place[0] < -4 || place[0] > PITCH_LENGTH_M + 4 || place[1] < -4 || place[1] > PITCH_WIDTH_M + 4)
      continue;
    ctx.fillStyle = COLOURS[classId];
    ctx.strokeStyle = classId === 0 ? '#ff8a1e' : COLOURS[classId];
    ctx.lineWidth = linePx;
    ctx.beginPath();
    ctx.arc(left + place[0] * scale, top + place[1] * scale, (classId === 0 ? 1.6 : 2.4) * linePx, 0, 2 * Math.PI);
    if (source === 'measured' || source === 'tracked') ctx.fill();
    if (source !== 'measured' || classId === 0) ctx.stroke();
  }
}
