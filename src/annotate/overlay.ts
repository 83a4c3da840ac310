import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import type { PlanarPicture } from '../decode/index.js';

/** A transparent sheet for drawing on pictures of one size that are never converted to RGB: only drawn pixels are touched. */
export interface Overlay {
  /** Draws on the empty sheet. */
  draw(paint: (ctx: SKRSContext2D) => void): void;
  /** Copies `source` into `target`, which has the sheet's size, with what was drawn last over it. */
  lay(source: PlanarPicture, target: PlanarPicture): void;
}

export function createOverlay(width: number, height: number): Overlay {
  const ctx = createCanvas(width, height).getContext('2d');
  let sheet: Uint32Array = new Uint32Array(width * height);
  return {
    draw(paint) {
      ctx.clearRect(0, 0, width, height);
      paint(ctx);
      const { data } = ctx.getImageData(0, 0, width, height);
      sheet = new Uint32Array(data.buffer, data.byteOffset, width * height);
    },
    lay(source, target) {
      copy(source, target);
      blend(sheet, target);
    },
  };
}

function copy(source: PlanarPicture, target: PlanarPicture): void {
  target.planes.forEach((plane, i) => {
    const from = source.planes[i];
    const [fromStride = 0, toStride = 0] = [source.strides[i], target.strides[i]];
    const [width, height] =
      i === 0 ? [target.width, target.height] : [(target.width + 1) >> 1, (target.height + 1) >> 1];
    for (let row = 0; row < height; row++) {
      if (from) plane.set(from.subarray(row * fromStride, row * fromStride + width), row * toStride);
    }
  });
}

/** Lays `sheet` (0xAABBGGRR, not premultiplied) over a 4:2:0 picture of the same even size; BT.601, limited range. */
function blend(sheet: Uint32Array, { planes, strides, width, height }: PlanarPicture): void {
  const [yPlane, uPlane, vPlane] = planes;
  for (let row = 0; row < height; row += 2) {
    for (let column = 0; column < width; column += 2) {
      const at = row * width + column;
      if (!(sheet[at] || sheet[at + 1] || sheet[at + width] || sheet[at + width + 1])) continue;
      let [alphas, blues, reds] = [0, 0, 0];
      for (let corner = 0; corner < 4; corner++) {
        const pixel = sheet[at + (corner & 1) + (corner >> 1) * width] ?? 0;
        const alpha = pixel >>> 24;
        const [r, g, b] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
        const place = (row + (corner >> 1)) * strides[0] + column + (corner & 1);
        const luma = 16 + (66 * r + 129 * g + 25 * b) / 256;
        const old = yPlane[place] ?? 0;
        yPlane[place] = old + ((luma - old) * alpha) / 255;
        alphas += alpha;
        blues += alpha * (128 + (-38 * r - 74 * g + 112 * b) / 256);
        reds += alpha * (128 + (112 * r - 94 * g - 18 * b) / 256);
      }
      const [u, v] = [(row >> 1) * strides[1] + (column >> 1), (row >> 1) * strides[2] + (column >> 1)];
      const kept = 1 - alphas / 1020;
      uPlane[u] = (uPlane[u] ?? 0) * kept + blues / 1020;
      vPlane[v] = (vPlane[v] ?? 0) * kept + reds / 1020;
    }
  }
}
