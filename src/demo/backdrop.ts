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

/** Smooth noise that tiles: values about ±1, `cells` cells across `NOISE` texels. */
function valueNoise(seed: number, cells: number): Float32Array {
  const random = createRandom(seed, 40 + cells);
  const grid = Float32Array.from({ length: cells * cells }, () => random.between(-1, 1));
  const out = new Float32Array(NOISE * NOISE);
  const step = cells / NOISE;
  for (let y = 0; y < NOISE; y++) {
    const [row, fy] = [Math.floor(y * step), (y * step) % 1];
    const next = ((row + 1) % cells) * cells;
    for (let x = 0; x < NOISE; x++) {
      const [column, fx] = [Math.floor(x * step), (x * step) % 1];
      const right = (column + 1) % cells;
      const at = (base: number): number => (grid[base + column] ?? 0) * (1 - fx) + (grid[base + right] ?? 0) * fx;
      out[y * NOISE + x] = at(row * cells) * (1 - fy) + at(next) * fy;
    }
  }
  return out;
}

/** A plane that closes the scene: n·X = d, n away from the pitch. `along` and `up` turn a hit into texture metres. */
interface Wall {
  readonly normal: readonly [number, number, number];
  readonly d: number;
  along(x: number, y: number): number;
  up(x: number, y: number, z: number): number;
}

const [slopeSin, slopeCos] = [Math.sin(SLOPE_RAD), Math.cos(SLOPE_RAD)];
const farFoot = -APRON_M.far - STAND_GAP_M;
const leftFoot = -APRON_M.ends - STAND_GAP_M;
const rightFoot = 105 + APRON_M.ends + STAND_GAP_M;
const WALLS: readonly Wall[] = [
  {
    normal: [0, -slopeSin, -slopeCos],
    d: -slopeSin * farFoot,
    along: (x) => x,
    up: (_x, y, z) => (farFoot - y) * slopeCos + z * slopeSin,
  },
  {
    normal: [-slopeSin, 0, -slopeCos],
    d: -slopeSin * leftFoot,
    along: (_x, y) => -y,
    up: (x, _y, z) => (leftFoot - x) * slopeCos + z * slopeSin,
  },
  {
    normal: [slopeSin, 0, -slopeCos],
    d: slopeSin * rightFoot,
    along: (_x, y) => y,
    up: (x, _y, z) => (x - rightFoot) * slopeCos + z * slopeSin,
  },
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
    const [patches, wear] = [valueNoise(seed, 16), valueNoise(seed, 6)];
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

  /** Where a stand is nearer than the ground, or the ground is not seen: 1/distance along the ray is linear in the column. */
  private paintStands(line: Uint32Array, camera: Camera, row: number): void {
    const { xM, yM, zM } = camera.pose;
    const [first, last] = [camera.ray(0.5, row), camera.ray(line.length - 0.5, row)];
    const step = first.map((v, i) => ((last[i] ?? 0) - v) / (line.length - 1));
    const [sx = 0, sy = 0] = step;
    const ground = Math.max(0, -first[2] / zM);
    const walls = WALLS.map((wall) => {
      const reach = wall.d - wall.normal[0] * xM - wall.normal[1] * yM - wall.normal[2] * zM;
      const near = (wall.normal[0] * first[0] + wall.normal[1] * first[1] + wall.normal[2] * first[2]) / reach;
      return { wall, near, slope: (wall.normal[0] * sx + wall.normal[1] * sy) / reach };
    });
    for (const candidate of walls) {
      const { wall, near, slope } = candidate;
      if (Math.max(near, near + slope * (line.length - 1)) <= ground) continue;
      const others = walls.filter((other) => other !== candidate);
      for (let column = 0; column < line.length; column++) {
        const inverse = near + slope * column;
        if (inverse <= ground || others.some((other) => other.near + other.slope * column > inverse)) continue;
        const t = 1 / inverse;
        const x = xM + (first[0] + sx * column) * t;
        const y = yM + (first[1] + sy * column) * t;
        line[column] = this.standAt(wall.along(x, y), wall.up(x, y, zM + first[2] * t));
      }
    }
  }

  private standAt(alongM: number, upM: number): number {
    if (upM < 0 || upM >= STAND_DEPTH_M) return upM < 0 ? CONCRETE : ROOF;
    const { pixels, width, texelsPerM } = this.stand;
    const column = ((alongM + 1000) * texelsPerM) & (width - 1);
    return pixels[Math.floor(upM * texelsPerM) * width + column] ?? ROOF;
  }
}
