import { invert, type Mat3 } from './mat3.js';

/**
 * Pixels ↔ picture units: origin in the middle of the picture, half its width = 1, y downwards. In these units a zoom, a pan
 * and a turn of the camera have numbers of the same size, whatever the resolution.
 */
export class PictureSpace {
  readonly unitPx: number;
  /** v of the lower edge; the upper one is its negative, the sides are −1 and 1. */
  readonly bottom: number;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.unitPx = width / 2;
    this.bottom = height / width;
  }

  u(xPx: number): number {
    return xPx / this.unitPx - 1;
  }

  v(yPx: number): number {
    return yPx / this.unitPx - this.bottom;
  }

  xPx(u: number): number {
    return (u + 1) * this.unitPx;
  }

  yPx(v: number): number {
    return (v + this.bottom) * this.unitPx;
  }

  /** Whether a point lies in the picture or at most `margin` units outside. */
  contains(u: number, v: number, margin = 0): boolean {
    return Math.abs(u) <= 1 + margin && Math.abs(v) <= this.bottom + margin;
  }
}

/** Results of `Camera` methods that give two numbers; overwritten by the next call of the one who passes it. */
export interface Point {
  x: number;
  y: number;
}

/**
 * How the ground appears in one picture. Ground: metres on the pitch (x along the touch line, y towards the camera), or,
 * where no pitch was recognised anywhere in the shot, a flat stand-in of about that scale (`onPitch` false).
 */
export class Camera {
  private inverted: Mat3 | undefined;

  constructor(
    /** Plane map ground metres → picture units, not singular. */
    readonly map: Mat3,
    readonly onPitch: boolean,
    /** Covariance [8, 8] of the picture-side motion coordinates; undefined = not known. */
    readonly covariance?: Float64Array,
  ) {}

  /** Undefined where the map is singular. */
  static of(map: Mat3, onPitch: boolean, covariance?: Float64Array): Camera | undefined {
    const inverse = invert(map);
    if (!inverse) return undefined;
    const camera = new Camera(map, onPitch, covariance);
    camera.inverted = inverse;
    return camera;
  }

  /** Plane map picture units → ground metres; worked out when first asked for: frames between samples never need it. */
  get inverse(): Mat3 {
    this.inverted ??= invert(this.map) ?? this.map;
    return this.inverted;
  }

  /** Ground → picture units; false behind the camera. */
  toPicture(x: number, y: number, out: Point): boolean {
    const m = this.map;
    const depth = m[6] * x + m[7] * y + m[8];
    if (!(depth > 1e-6)) return false;
    out.x = (m[0] * x + m[1] * y + m[2]) / depth;
    out.y = (m[3] * x + m[4] * y + m[5]) / depth;
    return true;
  }

  /** Picture units → ground; false above the horizon. */
  toGround(u: number, v: number, out: Point): boolean {
    const m = this.inverse;
    const depth = m[6] * u + m[7] * v + m[8];
    if (!(depth > 1e-9)) return false;
    out.x = (m[0] * u + m[1] * v + m[2]) / depth;
    out.y = (m[3] * u + m[4] * v + m[5]) / depth;
    return true;
  }

  /** Picture units per metre at a ground point, for things that stand upright or lie across the view: focal length / depth. */
  scaleAt(x: number, y: number): number {
    const m = this.map;
    const depth = m[6] * x + m[7] * y + m[8];
    // Along this ground direction the depth stays the same, so that the map is a plain scaling there.
    const size = Math.hypot(m[6], m[7]);
    const dx = size > 1e-12 ? m[7] / size : 1;
    const dy = size > 1e-12 ? -m[6] / size : 0;
    return Math.hypot(m[0] * dx + m[1] * dy, m[3] * dx + m[4] * dy) / depth;
  }
}
