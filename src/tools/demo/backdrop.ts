import type { Camera } from './camera.js';
import type { MatchLook } from './look.js';
import { createRandom } from './random.js';
import { paintStand, STAND_DEPTH_M } from './stands.js';

/** How far the grass and the bowl of stands reach beyond the lines, in metres. */
export const APRON_M = { far: 5, near: 5, ends: 7 } as const;
const STAND_GAP_M = 1.6;
const SLOPE_RAD = 0.47;
const NOISE = 512;
const NOISE_PER_M = 12;
const ROOF = 0xff241f1c;
const CONCRETE = 0xff585654;

/** Smooth noise that tiles: values within ±1, `cells` (a power of two) cells across `NOISE` texels. */
function valueNoise(seed: number, cells: number): Float32Array {
  const random = createRandom(seed, 40 + cells);
  const grid = Float32Array.from({ length: cells * cells }, () => random.between(-1, 1));
  const out = new Float32Array(NOISE * NOISE);
  const step = cells / NOISE;
  for (let y = 0; y < NOISE; y++) {
    const row = Math.floor(y * step);
    const fy = y * step - row;
    const [base, next] = [row * cells, ((row + 1) % cells) * cells];
    for (let column = 0; column < cells; column++) {
      const right = (column + 1) % cells;
      const from = (grid[base + column] ?? 0) * (1 - fy) + (grid[next + column] ?? 0) * fy;
      const to = (grid[base + right] ?? 0) * (1 - fy) + (grid[next + right] ?? 0) * fy;
      for (let i = 0, x = y * NOISE + column / step; i < 1 / step; i++) out[x + i] = from + (to - from) * i * step;
    }
  }
  return out;
}

/**
 * A plane that closes the scene: n·X = d, n pointing away from the pitch. Metres along the stand are `along`·[x, y],
 * metres up its slope `up`·[x, y, z] + `upFrom`.
 */
interface Wall {
  readonly normal: readonly [number, number, number];
  readonly d: number;
  readonly along: readonly [number, number];
  readonly up: readonly [number, number, number];
  readonly upFrom: number;
}

/** A stand whose foot lies where `side`·[x, y] = `footM`; `side` is one of the two axes, outwards. */
function standWall(side: readonly [number, number], footM: number): Wall {
  const [sin, cos] = [Math.sin(SLOPE_RAD), Math.cos(SLOPE_RAD)];
  return {
    normal: [side[0] * sin, side[1] * sin, -cos],
    d: footM * sin,
    along: [-side[1], side[0]],
    up: [side[0] * cos, side[1] * cos, sin],
    upFrom: -footM * cos,
  };
}

const WALLS: readonly Wall[] = [
  standWall([0, -1], APRON_M.far + STAND_GAP_M),
  standWall([-1, 0], APRON_M.ends + STAND_GAP_M),
  standWall([1, 0], 105 + APRON_M.ends + STAND_GAP_M),
];

/** Everything behind the match: mown grass and stands full of people, pixel by pixel. */
export class Backdrop {
  private readonly stand;
  private readonly fine: Float32Array;
  private readonly broad: Float32Array;
  private readonly palette = new Uint32Array(256);
  private readonly stripes = new Float32Array(256);
  private readonly stripesPerM: number;

  constructor(
    seed: number,
    private readonly look: MatchLook,
    private readonly width: number,
    private readonly height: number,
  ) {
    const random = createRandom(seed, 4);
    this.stand = paintStand(random, look, Math.max(4, 24 * Math.min(1, width / 1600)));
    const [blades, tufts] = [valueNoise(seed, 256), valueNoise(seed, 64)];
    this.fine = blades.map((v, i) => v * 9 + (tufts[i] ?? 0) * 5);
    const [patches, wear] = [valueNoise(seed, 16), valueNoise(seed, 8)];
    this.broad = patches.map((v, i) => v * 4 + (wear[i] ?? 0) * 5);
    this.stripesPerM = 128 / look.stripeWidthM;
    for (let i = 0; i < 256; i++) {
      const light = i / 128;
      const [r, g, b] = look.grass;
      const channel = (value: number): number => Math.min(255, Math.round(value * light));
      this.palette[i] = (0xff000000 | (channel(b) << 16) | (channel(g) << 8) | channel(r * (0.9 + 0.1 * light))) >>> 0;
      const wave = Math.sin((i / 256) * 2 * Math.PI) * 9;
      this.stripes[i] = Math.max(-1, Math.min(1, wave)) * look.stripeContrast * 64;
    }
  }

  /** Fills `pixels` (0xAABBGGRR, row by row) with what `camera` sees. */
  paint(pixels: Uint32Array, camera: Camera): void {
    for (let row = 0; row < this.height; row++) {
      const line = pixels.subarray(row * this.width, (row + 1) * this.width);
      if (camera.rowOnGround(row + 0.5)) this.paintGrass(line, camera, row + 0.5);
      else line.fill(ROOF);
      this.paintStands(line, camera, row + 0.5);
    }
  }

  private paintGrass(line: Uint32Array, camera: Camera, row: number): void {
    const ground = camera.rowOnGround(row);
    if (!ground) return;
    const { fine, broad, palette, stripes, stripesPerM } = this;
    const { dxM, dyM } = ground;
    const cross = this.look.chequered ? 0.5 : 0;
    const main = 1 - cross * 0.4;
    // Blades that are smaller than a pixel average out.
    const sharp = Math.min(1, 1 / (Math.hypot(dxM, dyM) * NOISE_PER_M * 1.6));
    const [nearEdge, farEdge] = [68 + APRON_M.near, -APRON_M.far - STAND_GAP_M];
    let x = ground.xM + dxM / 2;
    let y = ground.yM + dyM / 2;
    for (let column = 0; column < line.length; column++, x += dxM, y += dyM) {
      if (y > nearEdge || y < farEdge || x < -APRON_M.ends || x > 105 + APRON_M.ends) {
        line[column] = CONCRETE;
        continue;
      }
      // Offsets keep every index positive.
      const noise = ((((y + 64) * NOISE_PER_M) & (NOISE - 1)) * NOISE) | (((x + 64) * NOISE_PER_M) & (NOISE - 1));
      const patch = ((((y + 64) * 4) & (NOISE - 1)) * NOISE) | (((x + 64) * 4) & (NOISE - 1));
      let shade = 128 + (fine[noise] ?? 0) * sharp + (broad[patch] ?? 0);
      shade += (stripes[((x + 1024) * stripesPerM) & 255] ?? 0) * main;
      if (cross > 0) shade += (stripes[((y + 1024) * stripesPerM) & 255] ?? 0) * cross;
      line[column] = palette[shade & 255] ?? CONCRETE;
    }
  }

  /** Where a stand is nearer than the ground, or the ground is not seen. */
  private paintStands(line: Uint32Array, camera: Camera, row: number): void {
    const { xM, yM, zM } = camera.pose;
    const last = line.length - 1;
    const [ray, end] = [camera.ray(0.5, row), camera.ray(last + 0.5, row)];
    const [stepX, stepY] = [(end[0] - ray[0]) / last, (end[1] - ray[1]) / last];
    // The inverse of the distance along the ray is linear in the column, and the largest wins.
    const surfaces = WALLS.map(({ normal, d }) => {
      const reach = d - normal[0] * xM - normal[1] * yM - normal[2] * zM;
      return {
        first: (normal[0] * ray[0] + normal[1] * ray[1] + normal[2] * ray[2]) / reach,
        slope: (normal[0] * stepX + normal[1] * stepY) / reach,
      };
    });
    const ground = { first: Math.max(1e-9, -ray[2] / zM), slope: 0 };
    WALLS.forEach((wall, place) => {
      const own = surfaces[place] ?? ground;
      let [from, to] = [0, last];
      for (const other of [ground, ...surfaces]) {
        const [lead, gain] = [own.first - other.first, own.slope - other.slope];
        if (other === own) continue;
        if (gain > 0) from = Math.max(from, Math.ceil(-lead / gain));
        else if (gain < 0) to = Math.min(to, Math.floor(-lead / gain));
        else if (lead < 0) return;
      }
      const { pixels, width, texelsPerM } = this.stand;
      const rows = Math.floor(STAND_DEPTH_M * texelsPerM);
      const alongAtLens = (wall.along[0] * xM + wall.along[1] * yM + 1000) * texelsPerM;
      const upAtLens = (wall.up[0] * xM + wall.up[1] * yM + wall.up[2] * zM + wall.upFrom) * texelsPerM;
      const [alongX, alongY] = [wall.along[0] * texelsPerM, wall.along[1] * texelsPerM];
      const [upX, upY, upZ] = [wall.up[0] * texelsPerM, wall.up[1] * texelsPerM, wall.up[2] * texelsPerM * ray[2]];
      for (let column = from; column <= to; column++) {
        const t = 1 / (own.first + own.slope * column);
        const rayX = ray[0] + stepX * column;
        const rayY = ray[1] + stepY * column;
        const up = Math.floor(upAtLens + (upX * rayX + upY * rayY + upZ) * t);
        const along = (alongAtLens + (alongX * rayX + alongY * rayY) * t) & (width - 1);
        line[column] = up < 0 ? CONCRETE : up < rows ? (pixels[up * width + along] ?? ROOF) : ROOF;
      }
    });
  }
}
