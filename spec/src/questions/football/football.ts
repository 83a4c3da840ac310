import type { Detection } from '../../../../models/index.js';
import type { Finding } from '../../../../src/questions/football/index.js';
import { PITCH_POINTS } from '../../../../src/questions/football/pitch.js';
import type { ClipTruth, WireFrame, WireObject } from '../../../../src/questions/football/wire.js';

export interface FootballOptions {
  readonly frameCount: number;
  /** Whole persons; the first is a goalkeeper, the last a referee. Default 22. */
  readonly persons?: number;
  /** Frames at which another camera of another match takes over. Default none. */
  readonly cuts?: readonly number[];
  /** Amplitude of the box and key-point noise, px. Default 0. */
  readonly noisePx?: number;
  /** Share of persons that a finding misses. Default 0. */
  readonly missed?: number;
  /** Default 25. */
  readonly fps?: number;
}

/** A made-up match under a panning camera: what models would say of each frame, and what is really there. */
export interface Football {
  readonly width: number;
  readonly height: number;
  readonly findings: readonly Finding[];
  readonly truth: Omit<ClipTruth, 'frames'> & { frames: WireFrame[] };
}

const WIDTH = 1920;
const HEIGHT = 1080;

/** Uniform in −1..1, the same for the same arguments. */
function noise(...seeds: readonly number[]): number {
  let state = 2166136261;
  for (const seed of seeds) state = Math.imul(state ^ (seed + 0x9e3779b9), 16777619) >>> 0;
  for (let i = 0; i < 3; i++) state = Math.imul(state ^ (state >>> 15), 2246822519) >>> 0;
  return state / 2 ** 31 - 1;
}

/** Camera on the main stand, 60 m from the middle of the pitch, panning slowly; each scene from another place. */
function camera(scene: number, timeS: number): (x: number, y: number) => readonly [number, number, number] {
  const pan = 0.25 * Math.sin(timeS * 0.5 + scene * 2) + 0.3 * (scene % 3) - (scene > 0 ? 0.3 : 0);
  const tilt = 0.26 + 0.01 * scene;
  const focal = WIDTH * (0.95 + 0.1 * (scene % 2));
  return (x, y) => {
    const dx = x - 52.5;
    const ahead = (100 + 4 * scene - y) * Math.cos(pan) + dx * Math.sin(pan);
    const right = dx * Math.cos(pan) - (100 + 4 * scene - y) * Math.sin(pan);
    const depth = ahead * Math.cos(tilt) + 18 * Math.sin(tilt);
    const down = 18 * Math.cos(tilt) - ahead * Math.sin(tilt);
    return [WIDTH / 2 + (focal * right) / depth, HEIGHT / 2 + (focal * down) / depth, focal / depth];
  };
}

function personAt(person: number, scene: number, timeS: number): readonly [number, number] {
  const phase = person * 1.7 + scene * 3.1;
  const home = [22 + ((person * 37) % 60), 8 + ((person * 23) % 52)] as const;
  return [home[0] + 4 * Math.sin(timeS * 0.6 + phase), home[1] + 3 * Math.cos(timeS * 0.5 + phase * 1.3)];
}

export function playFootball(options: FootballOptions): Football {
  const { frameCount, persons = 22, cuts = [], noisePx = 0, missed = 0, fps = 25 } = options;
  const findings: Finding[] = [];
  const frames: WireFrame[] = [];
  for (let n = 0; n < frameCount; n++) {
    const timeS = n / fps;
    const scene = cuts.filter((cut) => cut <= n).length;
    const see = camera(scene, timeS);
    const objects: WireObject[] = [];
    const detections: Detection[] = [];
    const add = (id: number, classId: 0 | 1 | 2 | 3, x: number, y: number, wide: number, high: number) => {
      const [u, v, scale] = see(x, y);
      const box = [u - (wide * scale) / 2, v - high * scale, u + (wide * scale) / 2, v] as const;
      if (box[0] < 0 || box[1] < 0 || box[2] > WIDTH || box[3] > HEIGHT) return;
      objects.push({ id, class_id: classId, bbox: [...box] });
      if (classId !== 0 && (noise(n, id, 7) + 1) / 2 < missed) return;
      const shaken = box.map((value, k) => value + noisePx * noise(n, id, k));
      const boxXyxyPx = [shaken[0], shaken[1], shaken[2], shaken[3]] as const;
      const score = 0.8 + 0.1 * noise(n, id, 9);
      if (classId === 0) detections.push({ classId, score, boxXyxyPx });
      else {
        const share = (role: number) => (role === classId ? 0.9 : 0.05);
        detections.push({ classId, score, boxXyxyPx, roleScores: [share(1), share(2), share(3)] });
      }
    };
    for (let p = 0; p < persons; p++) {
      const [x, y] = p === 0 ? [3 + Math.sin(timeS), 34] : personAt(p, scene, timeS);
      add(100 * scene + p, p === 0 ? 1 : p === persons - 1 ? 3 : 2, x, y, 0.7, 1.8);
    }
    add(100 * scene + 99, 0, 52 + 12 * Math.sin(timeS), 34 + 9 * Math.cos(timeS * 0.8), 0.3, 0.3);
    const keypoints = PITCH_POINTS.map(([x, y]): [number, number] => {
      const [u, v] = see(x, y);
      return u > 0 && v > 0 && u < WIDTH && v < HEIGHT ? [u, v] : [0, 0];
    });
    frames.push({ frame_number: n, keypoints, objects });
    findings.push({
      index: n,
      ptsUs: Math.round(timeS * 1e6),
      detections,
      keyPoints: keypoints.map(([x, y], k) => ({
        xPx: x + noisePx * noise(n, k, 31),
        yPx: y + noisePx * noise(n, k, 37),
        score: x === 0 && y === 0 ? 0 : 0.9,
      })),
      signature: signatureOf(scene, see),
    });
  }
  return { width: WIDTH, height: HEIGHT, findings, truth: { width: WIDTH, height: HEIGHT, fps, frames } };
}

/** 24 × 14 cells: colours that belong to places on the ground, so that they move with the camera, and to the match. */
function signatureOf(scene: number, see: ReturnType<typeof camera>): Uint8Array {
  const signature = new Uint8Array(24 * 14 * 3);
  const [originX] = see(52.5, 34);
  for (let cell = 0; cell < 24 * 14; cell++) {
    const stripe = Math.sin((((cell % 24) + 0.5) * 80 - originX) / 90 + scene * 2);
    const row = Math.floor(cell / 24);
    signature[cell * 3] = 60 + 40 * stripe + 60 * (scene % 2);
    signature[cell * 3 + 1] = 120 - row * 4 + 20 * stripe * (scene % 2 === 0 ? 1 : -1);
    signature[cell * 3 + 2] = 40 + row * 6 * (1 + (scene % 2));
  }
  return signature;
}

/** Frame numbers 0..count − 1 coarse to fine: both ends, then gaps halved. */
export function coarseToFine(count: number): number[] {
  const order = [0, count - 1];
  const seen = new Set(order);
  for (let step = count; step >= 1; step /= 2) {
    for (let at = 0; at < count; at += step) {
      const n = Math.min(count - 1, Math.round(at));
      if (seen.has(n)) continue;
      seen.add(n);
      order.push(n);
    }
  }
  for (let n = 0; n < count; n++) if (!seen.has(n)) order.push(n);
  return order;
}
