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
  /** Time of a frame in s; another function where times are others. */
  readonly timeOf: (frame: number) => number;
}

/** How long somebody is shown on behind the last sample that saw him while the next one does not, s, at most half the way to it. Chosen. */
const HOLD_S = 0.5;

interface Filled {
  readonly inputs: readonly number[];
  readonly timeOf: unknown;
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
    const parts = yield* partsOf(yield* this.curvesOf(stations), stations.length);
    const motions: (Motion | undefined)[] = [];
    for (let k = 0; this.options.tracking && k + 1 < stations.length; k++) {
      const [a, b] = [stations[k], stations[k + 1]];
      motions.push(this.motions.get(a.index, [a.camera, b.camera], () => motionBetween(a, b)));
      yield;
    }
    const frames: AnswerFrame[] = [];
    for (let k = -1; k < stations.length; k++) {
      for (const frame of yield* this.stretch({ shot, stations, motions, k, parts: parts[k + 1] })) frames.push(frame);
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
    if (!tracking) return yield* looseCurves(stations, this.options);
    const { options } = this;
    const links = yield* this.links.of(stations);
    return yield* this.curves.steps(stations[0]?.index ?? -1, [...stations, ...links], function* () {
      return yield* curvesOf(stations, yield* buildTracks(stations, links, options), options);
    });
  }

  /** The frames behind station k, made anew where something about them changed. */
  private *stretch(wanted: Wanted): Generator<undefined, readonly AnswerFrame[]> {
    const { shot, stations, k, parts } = wanted;
    const { timeOf } = shot;
    const [from, to] = [stations[k], stations[k + 1]] as readonly (Station | undefined)[];
    const first = from?.index ?? shot.first;
    const end = to?.index ?? shot.end;
    if (end <= first) return [];
    const speeds = [this.speedAt(wanted, k), this.speedAt(wanted, k + 1)] as const;
    const inputs = [first, end, from?.revision ?? 0, to?.revision ?? 0];
    for (const speed of speeds) for (const value of speed ?? []) inputs.push(value);
    for (const part of parts) describe(part, inputs);
    const kept = this.used.get(first) ?? this.kept.get(first);
    if (
      kept &&
      kept.timeOf === timeOf &&
      kept.inputs.length === inputs.length &&
      kept.inputs.every((v, i) => v === inputs[i])
    ) {
      this.used.set(first, kept);
      return kept.frames;
    }
    const { tracking, space } = this.options;
    const way = tracking ? wayOf(wanted, speeds) : undefined;
    const holdS = tracking ? HOLD_S : Number.POSITIVE_INFINITY;
    const frames = yield* fillStretch({ place: k, from, to, way, parts, first, end, holdS, space, timeOf });
    this.used.set(first, { inputs, timeOf, frames });
    return frames;
  }

  private speedAt({ stations, motions }: Wanted, at: number): Motion | undefined {
    if (!stations[at]) return undefined;
    const near = motions.slice(Math.max(0, at - 3), at + 3);
    return this.speeds.get(stations[at].index, near, () => cameraSpeed({ knots: stations, motions, at }));
  }
}

/** A stretch of a shot that is to be filled: the one behind station k, −1 = before the first. */
interface Wanted {
  readonly shot: Shot;
  readonly stations: readonly Station[];
  /** Entry k leads from station k to the next one. */
  readonly motions: readonly (Motion | undefined)[];
  readonly k: number;
  readonly parts: readonly Part[];
}

/** The camera in a stretch, which it enters and leaves with these speeds. */
function wayOf(
  { stations, motions, k }: Wanted,
  [startSpeed, endSpeed]: readonly [Motion | undefined, Motion | undefined],
): CameraWay | undefined {
  const [from, to] = [stations[k], stations[k + 1]] as readonly (Station | undefined)[];
  if (from && to) {
    const whole = motions[k];
    return whole && startSpeed && endSpeed && new CameraPath({ from, to, whole, startSpeed, endSpeed });
  }
  const knot = from ?? to;
  const speed = startSpeed ?? endSpeed;
  return knot && speed && new CameraDrift(knot, speed);
}

/** All that the way of a part through its stretch depends on. */
function describe({ curve, from, to }: Part, inputs: number[]): void {
  inputs.push(curve.id, curve.classId);
  for (const knot of [from, to]) inputs.push(knot?.key ?? -1, knot?.speedX ?? 0, knot?.speedY ?? 0);
}
