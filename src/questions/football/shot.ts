import type { ClassThresholds } from '../../../models/index.js';
import type { AnswerFrame } from './answer.js';
import type { PictureSpace } from './camera.js';
import { CameraDrift, CameraPath, cameraSpeed, motionBetween } from './camera-track.js';
import { curvesOf, looseCurves } from './curves.js';
import { type CameraWay, fillStretch, type Part, partsOf } from './fill.js';
import { LinkRounds } from './links.js';
import type { Motion } from './mat3.js';
import { Memo } from './memo.js';
import type { Sample } from './sample.js';
import { Stations } from './stations.js';
import type { Curve } from './track-curve.js';
import type { Station } from './tracklets.js';
import { buildTracks } from './tracks.js';

export interface ShotFillerOptions {
  readonly space: PictureSpace;
  /** False: every sample stands alone. */
  readonly tracking: boolean;
  readonly thresholds: ClassThresholds;
}

/** What lies between two cuts. */
export interface Shot {
  /** At least one, ascending. */
  readonly samples: readonly Sample[];
  /** Frame numbers: first, and the one behind the last. */
  readonly first: number;
  readonly end: number;
  /** Time of a frame in s. */
  readonly timeOf: (frame: number) => number;
  /** Identity of what `timeOf` reads. */
  readonly clip: unknown;
}

/** How long somebody is shown on behind the last sample that saw him while the next one does not, s, at most half the way to it. Chosen. */
const HOLD_S = 0.5;

interface Filled {
  readonly inputs: readonly number[];
  readonly clip: unknown;
  readonly frames: readonly AnswerFrame[];
}

/** Answers the frames of shots; keeps from call to call what did not change. */
export class ShotFiller {
  private readonly stations: Stations;
  private readonly links = new LinkRounds();
  private readonly motions = new Memo<Motion | undefined>();
  private readonly speeds = new Memo<Motion>();
  private readonly curves = new Memo<readonly Curve[]>();
  private kept = new Map<number, Filled>();
  private used = new Map<number, Filled>();

  constructor(private readonly options: ShotFillerOptions) {
    this.stations = new Stations(options.space);
  }

  /** One entry per frame of the shot; a generator, so that the caller may pause between pieces of less than a millisecond. */
  *fill(shot: Shot): Generator<undefined, readonly AnswerFrame[]> {
    const stations = yield* this.stations.of(shot.samples);
    const parts = partsOf(yield* this.curvesOf(stations), stations.length);
    const motions: (Motion | undefined)[] = [];
    for (let k = 0; this.options.tracking && k + 1 < stations.length; k++) {
      const [a, b] = [stations[k], stations[k + 1]];
      motions.push(this.motions.get(a.index, [a.camera, b.camera], () => motionBetween(a, b)));
      yield;
    }
    const frames: AnswerFrame[] = [];
    for (let k = -1; k < stations.length; k++) {
      for (const frame of this.stretch(shot, stations, motions, k, parts[k + 1])) frames.push(frame);
      yield;
    }
    return frames;
  }

  sweep(): void {
    for (const memo of [this.stations, this.links, this.motions, this.speeds, this.curves]) memo.sweep();
    this.kept = this.used;
    this.used = new Map();
  }

  private *curvesOf(stations: readonly Station[]): Generator<undefined, readonly Curve[]> {
    const { tracking } = this.options;
    if (!tracking) return looseCurves(stations, this.options);
    const { options } = this;
    const links = yield* this.links.of(stations);
    return yield* this.curves.steps(stations[0]?.index ?? -1, [...stations, ...links], function* () {
      return yield* curvesOf(stations, yield* buildTracks(stations, links, options), options);
    });
  }

  /** The frames behind station k (−1 = before the first one), made anew where something about them changed. */
  private stretch(
    shot: Shot,
    stations: readonly Station[],
    motions: readonly (Motion | undefined)[],
    k: number,
    parts: readonly Part[],
  ): readonly AnswerFrame[] {
    const [from, to] = [stations[k], stations[k + 1]] as readonly (Station | undefined)[];
    const first = from?.index ?? shot.first;
    const end = to?.index ?? shot.end;
    if (end <= first) return [];
    const speeds = [k, k + 1].map((at) => (stations[at] ? this.speedAt(stations, motions, at) : undefined));
    const inputs = [first, end, from?.revision ?? 0, to?.revision ?? 0];
    for (const speed of speeds) if (speed) inputs.push(...speed);
    for (const part of parts) describe(part, inputs);
    const kept = this.used.get(first) ?? this.kept.get(first);
    if (
      kept &&
      kept.clip === shot.clip &&
      kept.inputs.length === inputs.length &&
      kept.inputs.every((v, i) => v === inputs[i])
    ) {
      this.used.set(first, kept);
      return kept.frames;
    }
    const way = this.way(from, to, motions[k], speeds[0], speeds[1]);
    const holdS = this.options.tracking ? HOLD_S : Number.POSITIVE_INFINITY;
    const frames = fillStretch({ place: k, from, to, way, parts, first, end, holdS }, this.options.space, shot.timeOf);
    this.used.set(first, { inputs, clip: shot.clip, frames });
    return frames;
  }

  private speedAt(stations: readonly Station[], motions: readonly (Motion | undefined)[], at: number): Motion {
    const near = motions.slice(Math.max(0, at - 3), at + 3);
    return this.speeds.get(stations[at].index, near, () => cameraSpeed(stations, motions, at));
  }

  private way(
    from: Station | undefined,
    to: Station | undefined,
    motion: Motion | undefined,
    startSpeed: Motion | undefined,
    endSpeed: Motion | undefined,
  ): CameraWay | undefined {
    if (!this.options.tracking) return undefined;
    if (from && to) {
      return motion && startSpeed && endSpeed && new CameraPath(from, to, motion, startSpeed, endSpeed);
    }
    const knot = from ?? to;
    const speed = startSpeed ?? endSpeed;
    return knot && speed && new CameraDrift(knot, speed);
  }
}

/** All that the way of a part through its stretch depends on. */
function describe({ curve, from, to }: Part, inputs: number[]): void {
  inputs.push(curve.id, curve.classId);
  for (const knot of [from, to]) inputs.push(knot?.key ?? -1, knot?.speedX ?? 0, knot?.speedY ?? 0);
}
