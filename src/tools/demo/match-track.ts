import { OptionError } from '../../../operators/index.js';
import type { BallPlace } from './ball.js';
import { Camera, type CameraPose } from './camera.js';
import { STEP_S, type Stance } from './locomotion.js';
import type { Person } from './match-cast.js';
import { MatchSimulation } from './match-simulation.js';
import { createRandom, type Random } from './random.js';

/** Everything that moves, at one instant. `stances` stand in the order of `people`. */
export interface Moment {
  readonly stances: readonly Stance[];
  readonly ball: BallPlace;
  readonly camera: CameraPose;
}

/** A whole match, recorded: ask for any instant. */
export interface MatchTrack {
  readonly people: readonly Person[];
  /** `timeS` from the start of the clip, clamped to its length. */
  momentAt(timeS: number): Moment;
}

/** A value that follows a target like a calm hand: critically damped, no overshoot. */
class Follower {
  private speed = 0;
  constructor(
    public value: number,
    private readonly eagernessHz: number,
  ) {}

  follow(target: number): void {
    const omega = this.eagernessHz * 2 * Math.PI;
    this.speed += (omega * omega * (target - this.value) - 2 * omega * this.speed) * STEP_S;
    this.value += this.speed * STEP_S;
  }
}

/** The camera operator: keeps the ball in the picture with some room ahead of play, zooms slowly, never quite still. */
class CameraOperator {
  // Ranges fitted to 46 labelled broadcast frames: lens 24–45 m behind the touchline, 13–21 m up, 45–85 m of pitch in view.
  private readonly lens: readonly [number, number, number];
  private readonly widthM: number;
  private readonly aimX: Follower;
  private readonly aimY: Follower;
  private readonly zoom: Follower;
  private readonly sway: readonly number[];
  private timeS = 0;

  constructor(random: Random, ball: BallPlace) {
    this.lens = [random.between(50, 55), 68 + random.between(28, 40), random.between(14, 19)];
    this.widthM = random.between(50, 58);
    this.aimX = new Follower(this.aimOf(ball.xM, 20, 85), 0.3);
    this.aimY = new Follower(34 + (ball.yM - 34) * 0.4, 0.25);
    this.zoom = new Follower(this.widthM, 0.1);
    this.sway = Array.from({ length: 3 }, () => random.between(0, 6));
  }

  private aimOf(x: number, low: number, high: number): number {
    return Math.min(high, Math.max(low, x));
  }

  follow(ball: BallPlace, speedX: number): void {
    this.timeS += STEP_S;
    this.aimX.follow(this.aimOf(ball.xM + speedX * 0.5, 17, 88));
    this.aimY.follow(32 + (ball.yM - 34) * 0.42);
    const inBox = Math.abs(ball.xM - 52.5) > 34 ? 0.86 : 1;
    this.zoom.follow(this.widthM * inBox * (1 + Math.min(0.12, Math.abs(speedX) * 0.006)));
  }

  pose(): CameraPose {
    const [xM, yM, zM] = this.lens;
    const [a = 0, b = 0, c = 0] = this.sway;
    const ahead = yM - this.aimY.value;
    const aside = this.aimX.value - xM;
    const onGround = Math.hypot(ahead, aside);
    return {
      xM,
      yM,
      zM,
      panRad:
        Math.atan2(aside, ahead) + 0.0012 * Math.sin(this.timeS * 0.9 + a) + 0.0004 * Math.sin(this.timeS * 3.1 + b),
      tiltRad: Math.atan2(zM, onGround) + 0.0008 * Math.sin(this.timeS * 1.3 + c),
      focal: Math.hypot(onGround, zM) / this.zoom.value,
    };
  }
}

const mix = (a: number, b: number, share: number): number => a + (b - a) * share;
const mixAngle = (a: number, b: number, share: number): number =>
  a + Math.atan2(Math.sin(b - a), Math.cos(b - a)) * share;

const mixMoments = (a: Moment, b: Moment, share: number): Moment => ({
  stances: a.stances.map((from, i) => {
    const to = b.stances[i] ?? from;
    return {
      xM: mix(from.xM, to.xM, share),
      yM: mix(from.yM, to.yM, share),
      headingRad: mixAngle(from.headingRad, to.headingRad, share),
      speedMs: mix(from.speedMs, to.speedMs, share),
      strideRad: mix(from.strideRad, to.strideRad, share),
    };
  }),
  ball: {
    xM: mix(a.ball.xM, b.ball.xM, share),
    yM: mix(a.ball.yM, b.ball.yM, share),
    zM: mix(a.ball.zM, b.ball.zM, share),
  },
  camera: {
    ...a.camera,
    panRad: mix(a.camera.panRad, b.camera.panRad, share),
    tiltRad: mix(a.camera.tiltRad, b.camera.tiltRad, share),
    focal: mix(a.camera.focal, b.camera.focal, share),
  },
});

/** Plays a match of `seconds` once and keeps it. The same seed gives the same match, and a longer one begins like a shorter one. */
export function recordMatch({ seed, seconds }: { readonly seed: number; readonly seconds: number }): MatchTrack {
  const simulation = new MatchSimulation(seed);
  const operator = new CameraOperator(createRandom(seed, 2), simulation.ballPlace());
  const moments: Moment[] = [];
  let before = simulation.ballPlace();
  const steps = Math.ceil(seconds / STEP_S) + 1;
  for (let i = 0; i <= steps; i++) {
    const ball = simulation.ballPlace();
    operator.follow(ball, (ball.xM - before.xM) / STEP_S);
    moments.push({ stances: simulation.stances(), ball, camera: operator.pose() });
    before = ball;
    simulation.step();
  }
  return {
    people: simulation.people,
    momentAt(timeS) {
      const place = Math.min(moments.length - 1, Math.max(0, timeS / STEP_S));
      const low = Math.min(moments.length - 2, Math.floor(place));
      const [from, to] = [moments[low], moments[low + 1]];
      if (!from || !to) throw new OptionError('a match needs a positive length');
      return mixMoments(from, to, place - low);
    },
  };
}

/** The camera of a moment for a picture of a given size. */
export const cameraOf = (moment: Moment, width: number, height: number): Camera =>
  new Camera(moment.camera, width, height);
