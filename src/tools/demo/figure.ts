import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Camera } from './camera.js';
import type { Colour, Outfit } from './look.js';
import type { Limb, Material } from './skeleton.js';

/** A limb in the picture. */
interface Stick {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly radius: number;
  readonly depth: number;
  readonly material: Material;
}

/** A body in the picture: its limbs from far to near, and the box around all of them. */
export interface Figure {
  readonly sticks: readonly Stick[];
  /** Not clipped to the picture. */
  readonly boxXyxyPx: readonly [number, number, number, number];
  readonly depthM: number;
}

/** Projects a body; undefined when it is behind or beside the lens. */
export function figureOf(limbs: readonly Limb[], camera: Camera): Figure | undefined {
  const sticks: Stick[] = [];
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, -Infinity, -Infinity];
  for (const { from, to, radiusM, material } of limbs) {
    const a = camera.project(...from);
    const b = camera.project(...to);
    const depth = (a.depthM + b.depthM) / 2;
    if (depth < 3) return undefined;
    const radius = (radiusM * camera.focalPx) / depth;
    left = Math.min(left, a.xPx - radius, b.xPx - radius);
    right = Math.max(right, a.xPx + radius, b.xPx + radius);
    top = Math.min(top, a.yPx - radius, b.yPx - radius);
    bottom = Math.max(bottom, a.yPx + radius, b.yPx + radius);
    sticks.push({ x1: a.xPx, y1: a.yPx, x2: b.xPx, y2: b.yPx, radius, depth, material });
  }
  sticks.sort((p, q) => q.depth - p.depth);
  const depthM = sticks.reduce((sum, s) => sum + s.depth, 0) / sticks.length;
  return { sticks, boxXyxyPx: [left, top, right, bottom], depthM };
}

/** Stroke styles of one person: every material at the edge of a limb and where light falls on it. */
export type Paints = Readonly<Record<Material, { readonly edge: string; readonly lit: string }>>;

const css = (colour: Colour, light: number): string =>
  `rgb(${colour.map((channel) => Math.min(255, Math.round(channel * light))).join(',')})`;

export function paintsOf(outfit: Outfit): Paints {
  const both = (colour: Colour) => ({ edge: css(colour, 0.7), lit: css(colour, 1.04) });
  return {
    skin: both(outfit.skin),
    hair: both(outfit.hair),
    shirt: both(outfit.shirt),
    shorts: both(outfit.shorts),
    socks: both(outfit.socks),
    boots: both(outfit.boots),
    hands: both(outfit.hands),
  };
}

function stroke(ctx: SKRSContext2D, { x1, y1, x2, y2 }: Stick, width: number, shift: number): void {
  ctx.lineWidth = width;
  ctx.beginPath();
  ctx.moveTo(x1 - shift, y1 - shift);
  // Skia draws nothing for a line of no length, round caps or not.
  ctx.lineTo(x2 - shift + 0.01, y2 - shift + 0.01);
  ctx.stroke();
}

/** Paints a body: each limb dark at its edge and lit from the upper left. */
export function drawFigure(ctx: SKRSContext2D, figure: Figure, paints: Paints): void {
  ctx.lineCap = 'round';
  for (const stick of figure.sticks) {
    const { edge, lit } = paints[stick.material];
    const width = stick.radius * 2;
    ctx.strokeStyle = width > 1.5 ? edge : lit;
    stroke(ctx, stick, width, 0);
    if (width <= 1.5) continue; // too thin to have a lit side
    ctx.strokeStyle = lit;
    stroke(ctx, stick, width * 0.62, stick.radius * 0.24);
  }
}

/** Paints the shadow that a light throws: `reach` ground metres per metre of height. */
export function drawShadow(
  ctx: SKRSContext2D,
  limbs: readonly Limb[],
  camera: Camera,
  { reach, alpha }: { readonly reach: readonly [number, number]; readonly alpha: number },
): void {
  let scale = 0;
  ctx.beginPath();
  for (const { from, to } of limbs) {
    const a = camera.project(from[0] + from[2] * reach[0], from[1] + from[2] * reach[1]);
    const b = camera.project(to[0] + to[2] * reach[0], to[1] + to[2] * reach[1]);
    if (a.depthM < 3 || b.depthM < 3) return;
    scale = camera.focalPx / a.depthM;
    ctx.moveTo(a.xPx, a.yPx);
    ctx.lineTo(b.xPx + 0.01, b.yPx + 0.01);
  }
  ctx.lineCap = 'round';
  ctx.lineWidth = Math.max(1, 0.16 * scale);
  ctx.strokeStyle = `rgba(8,22,8,${alpha})`;
  ctx.stroke();
}
