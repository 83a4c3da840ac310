import type { Camera, Point } from './camera.js';
import type { Bodies } from './sample.js';

/** Error of a box's lower edge: share of the body's height along the picture's rows and columns, plus a constant in half picture widths. Measured on match-a. */
const ERROR_ACROSS = 0.08;
const ERROR_DOWN = 0.06;
const ERROR_LEAST = 0.0015;

/** Where the bodies of one sample stand on the ground, metres; one entry each, in the order of `Bodies`. */
export interface Places {
  readonly count: number;
  /** NaN where the foot lies above the horizon. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Covariance of (x, y) in m². */
  readonly xx: Float64Array;
  readonly xy: Float64Array;
  readonly yy: Float64Array;
  /** Size of the box in metres at its distance. */
  readonly widthM: Float64Array;
  readonly heightM: Float64Array;
}

/** Puts bodies on the ground through the camera of their sample. */
export function placesOf(bodies: Bodies, camera: Camera): Places {
  const { count } = bodies;
  const column = () => new Float64Array(count);
  const places = {
    count,
    x: column(),
    y: column(),
    xx: column(),
    xy: column(),
    yy: column(),
    widthM: column(),
    heightM: column(),
  };
  const point: Point = { x: 0, y: 0 };
  const m = camera.inverse;
  for (let i = 0; i < count; i++) {
    const u = bodies.footU[i];
    const v = bodies.footV[i];
    if (!camera.toGround(u, v, point)) {
      places.x[i] = Number.NaN;
      places.y[i] = Number.NaN;
      continue;
    }
    const { x, y } = point;
    places.x[i] = x;
    places.y[i] = y;
    const depth = m[6] * u + m[7] * v + m[8];
    const xu = (m[0] - x * m[6]) / depth;
    const xv = (m[1] - x * m[7]) / depth;
    const yu = (m[3] - y * m[6]) / depth;
    const yv = (m[4] - y * m[7]) / depth;
    const across = (ERROR_ACROSS * bodies.height[i] + ERROR_LEAST) ** 2;
    const down = (ERROR_DOWN * bodies.height[i] + ERROR_LEAST) ** 2;
    places.xx[i] = xu * xu * across + xv * xv * down;
    places.xy[i] = xu * yu * across + xv * yv * down;
    places.yy[i] = yu * yu * across + yv * yv * down;
    const scale = camera.scaleAt(x, y);
    places.widthM[i] = bodies.width[i] / scale;
    places.heightM[i] = bodies.height[i] / scale;
  }
  return places;
}
