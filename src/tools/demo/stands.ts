import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { drawLettering, letteringWidth } from '../../annotate/block-letters.js';
import type { Colour, MatchLook } from './look.js';
import type { Random } from './random.js';

/** A seamless picture of a stand, seen square on: x along the pitch, y up the slope. */
export interface StandTexture {
  /** 0xAABBGGRR, row 0 at the foot of the stand. */
  readonly pixels: Uint32Array;
  /** Texels; a power of two, and the picture repeats after it. */
  readonly width: number;
  readonly height: number;
  readonly texelsPerM: number;
}

const SEAT_M = 0.5;
const ROW_M = 0.85;
const LOWER_TIER_M: readonly [number, number] = [2.4, 25];
const BALCONY_M: readonly [number, number] = [25, 27];
/** Slope length of the whole stand. */
export const STAND_DEPTH_M = 42;
export const SPONSORS: readonly string[] = [
  'TIKITAKA',
  'RXJS',
  'ONE TOUCH',
  'MARBLE',
  'BACK-PRESSURE',
  'SOFT CUT',
  'HOT PATH',
];
export const BOARD_COLOURS: readonly (readonly [ground: string, ink: string])[] = [
  ['#f2f2f0', '#1c3f94'],
  ['#14202e', '#f4f4f4'],
  ['#b3151f', '#ffffff'],
  ['#0b5fb0', '#ffffff'],
  ['#e8e8e4', '#b3151f'],
];
const FACES: readonly Colour[] = [
  [205, 160, 130],
  [180, 132, 104],
  [70, 52, 42],
];
const CLOTHES: readonly Colour[] = [
  [30, 32, 40],
  [52, 54, 62],
  [22, 26, 50],
  [92, 92, 96],
  [150, 150, 150],
  [72, 48, 40],
  [60, 80, 120],
];

const rgb = ([r, g, b]: Colour, light: number): string =>
  `rgb(${Math.round(r * light)},${Math.round(g * light)},${Math.round(b * light)})`;

function spectators(
  ctx: SKRSContext2D,
  random: Random,
  look: MatchLook,
  area: { readonly widthM: number; readonly fromM: number; readonly toM: number; readonly light: number },
): void {
  const columns = Math.floor(area.widthM / SEAT_M);
  // From the top down: every row covers the feet of the one behind it.
  for (let row = Math.floor((area.toM - area.fromM) / ROW_M) - 1; row >= 0; row--) {
    const y = area.fromM + row * ROW_M;
    for (let column = 0; column < columns; column++) {
      if (column % 34 < 2) continue; // stairs
      const light = area.light * random.between(0.75, 1.1);
      if (random.next() > look.attendance) continue;
      const colour = random.next() < 0.4 ? random.pick(look.teamColours) : random.pick(CLOTHES);
      const x = column * SEAT_M + random.between(0, 0.08);
      const up = y + random.between(0, 0.15);
      ctx.fillStyle = rgb(colour, light * 0.85);
      ctx.fillRect(x, up, 0.45, 0.6);
      ctx.fillStyle = rgb(random.pick(FACES), light * 0.9);
      ctx.fillRect(x + 0.11, up + 0.55, 0.23, 0.29);
    }
  }
}

/** Paints a stand full of people: parapet, lower tier, balcony with advertising, upper tier in the roof's shade. */
export function paintStand(random: Random, look: MatchLook, texelsPerM: number): StandTexture {
  const width = 2 ** Math.round(Math.log2(64 * texelsPerM));
  const height = Math.ceil(STAND_DEPTH_M * texelsPerM);
  const canvas = createCanvas(width, height);
  const ctx = canvas.getContext('2d');
  const widthM = width / texelsPerM;
  ctx.scale(texelsPerM, texelsPerM);
  ctx.fillStyle = '#3a3c42';
  ctx.fillRect(0, 0, widthM, STAND_DEPTH_M);
  ctx.fillStyle = '#202226';
  ctx.fillRect(0, 0, widthM, 1.1);
  for (const [from, to] of [[1.1, 2.1], BALCONY_M] as const) {
    for (let x = 0; x < widthM; x += 8) {
      const [ground, ink] = random.pick(BOARD_COLOURS);
      const text = random.pick(SPONSORS);
      ctx.fillStyle = ground;
      ctx.fillRect(x, from, 8, to - from);
      ctx.save();
      ctx.translate(0, from + to);
      ctx.scale(1, -1);
      ctx.fillStyle = ink;
      const size = (to - from) * 0.5;
      drawLettering(ctx, text, {
        x: x + 4 - letteringWidth(text, size) / 2,
        y: from + (to - from) * 0.25,
        heightPx: size,
      });
      ctx.restore();
    }
  }
  spectators(ctx, random, look, { widthM, fromM: LOWER_TIER_M[0], toM: LOWER_TIER_M[1], light: 1.1 });
  spectators(ctx, random, look, { widthM, fromM: BALCONY_M[1] + 0.6, toM: STAND_DEPTH_M, light: 0.7 });
  const { data } = ctx.getImageData(0, 0, width, height);
  return { pixels: new Uint32Array(data.buffer, data.byteOffset, width * height), width, height, texelsPerM };
}
