/** Where the broadcast camera stands and looks: level (no roll), on the main stand, beyond the near touchline. */
export interface CameraPose {
  /** Lens position in metres; x and y as on the pitch (y 68 is the near touchline), z up. */
  readonly xM: number;
  readonly yM: number;
  readonly zM: number;
  /** Radians; 0 looks straight at the far touchline, positive to the right. */
  readonly panRad: number;
  /** Radians below the horizon. */
  readonly tiltRad: number;
  /** Focal length as a fraction of the picture's width. */
  readonly focal: number;
}

/** A point in the picture: pixels, and the distance along the optical axis in metres (≤ 0: behind the lens). */
export interface Projected {
  readonly xPx: number;
  readonly yPx: number;
  readonly depthM: number;
}

/** What one picture row sees of a horizontal plane: ground x = xM + column · dxM, likewise y (a level camera's rows have constant depth). */
export interface RowOnGround {
  readonly xM: number;
  readonly yM: number;
  readonly dxM: number;
  readonly dyM: number;
}

/** The camera of one frame for pictures of `width` × `height` pixels (pinhole, square pixels, principal point in the middle). */
export class Camera {
  private readonly sinPan: number;
  private readonly cosPan: number;
  private readonly sinTilt: number;
  private readonly cosTilt: number;
  /** Pixels. */
  readonly focalPx: number;

  constructor(
    readonly pose: CameraPose,
    readonly width: number,
    readonly height: number,
  ) {
    this.sinPan = Math.sin(pose.panRad);
    this.cosPan = Math.cos(pose.panRad);
    this.sinTilt = Math.sin(pose.tiltRad);
    this.cosTilt = Math.cos(pose.tiltRad);
    this.focalPx = pose.focal * width;
  }

  /** The picture of a point in metres. */
  project(xM: number, yM: number, zM = 0): Projected {
    const dx = xM - this.pose.xM;
    const dy = yM - this.pose.yM;
    const dz = zM - this.pose.zM;
    const ahead = dx * this.sinPan - dy * this.cosPan;
    const depthM = ahead * this.cosTilt - dz * this.sinTilt;
    const right = dx * this.cosPan + dy * this.sinPan;
    const down = -ahead * this.sinTilt - dz * this.cosTilt;
    const scale = this.focalPx / Math.max(depthM, 1e-6);
    return { xPx: this.width / 2 + right * scale, yPx: this.height / 2 + down * scale, depthM };
  }

  /** The ground under picture row `yPx`, or undefined at and above the horizon. */
  rowOnGround(yPx: number): RowOnGround | undefined {
    const slope = (yPx - this.height / 2) / this.focalPx;
    const fall = this.sinTilt + slope * this.cosTilt;
    if (fall <= 1e-4) return undefined;
    const depthM = this.pose.zM / fall;
    const ahead = depthM * (this.cosTilt - slope * this.sinTilt);
    const perPixel = depthM / this.focalPx;
    const left = (-this.width / 2) * perPixel;
    return {
      xM: this.pose.xM + ahead * this.sinPan + left * this.cosPan,
      yM: this.pose.yM - ahead * this.cosPan + left * this.sinPan,
      dxM: this.cosPan * perPixel,
      dyM: this.sinPan * perPixel,
    };
  }

  /** The direction seen at a pixel, in metres per metre of depth: [x, y, z]. */
  ray(xPx: number, yPx: number): readonly [number, number, number] {
    const right = (xPx - this.width / 2) / this.focalPx;
    const down = (yPx - this.height / 2) / this.focalPx;
    const ahead = this.cosTilt - down * this.sinTilt;
    return [
      ahead * this.sinPan + right * this.cosPan,
      -ahead * this.cosPan + right * this.sinPan,
      -this.sinTilt - down * this.cosTilt,
    ];
  }
}
