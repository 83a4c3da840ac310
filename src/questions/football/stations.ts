import { Camera, type PictureSpace } from './camera.js';
import { steadyCamera, steadyingSamples } from './camera-track.js';
import { groundPoints } from './key-points.js';
import { invert, type Mat3, multiply } from './mat3.js';
import { Memo } from './memo.js';
import { isOutvoted } from './outvoted.js';
import { placesOf } from './places.js';
import type { Sample } from './sample.js';
import { pictureMotion, standInCamera } from './stand-in.js';
import type { Station } from './tracklets.js';

/** Gives the samples of a shot their cameras and puts their persons on the ground; keeps what did not change. */
export class Stations {
  private readonly believed = new Memo<Sample>();
  private readonly steady = new Memo<Camera | undefined>();
  private readonly motions = new Memo<Mat3>();
  private readonly followed = new Memo<Camera | undefined>();
  private readonly stations = new Memo<Station>();
  private revision = 0;

  constructor(private readonly space: PictureSpace) {}

  /** One entry per sample; a generator, so that the caller may pause between samples. */
  *of(samples: readonly Sample[]): Generator<undefined, readonly Station[]> {
    const shot: Sample[] = [];
    for (let k = 0; k < samples.length; k++) {
      const inputs = steadyingSamples(samples, k);
      const believe = () => (isOutvoted(inputs, this.space) ? { ...samples[k], fit: undefined } : samples[k]);
      shot.push(this.believed.get(samples[k].index, inputs, believe));
      yield;
    }
    const cameras: (Camera | undefined)[] = [];
    for (let k = 0; k < shot.length; k++) {
      const inputs = steadyingSamples(shot, k);
      cameras.push(this.steady.get(shot[k].index, inputs, () => steadyCamera(inputs, this.space)));
      yield;
    }
    const recognised = cameras.map((camera) => camera !== undefined);
    yield* this.standIn(shot, cameras);
    const stations: Station[] = [];
    for (let k = 0; k < shot.length; k++) {
      const camera = cameras[k];
      if (camera) stations.push(this.station(shot[k], camera, recognised[k]));
      yield;
    }
    return stations;
  }

  sweep(): void {
    this.believed.sweep();
    this.steady.sweep();
    this.motions.sweep();
    this.followed.sweep();
    this.stations.sweep();
  }

  private station(sample: Sample, camera: Camera, recognised: boolean): Station {
    const { index, timeS, persons, balls } = sample;
    return this.stations.get(index, [sample, camera], () => ({
      index,
      timeS,
      revision: ++this.revision,
      sample,
      camera,
      keyPoints: groundPoints({ sample, camera, recognised, space: this.space }),
      bodies: persons,
      places: placesOf(persons, camera),
      balls: { timeS, bodies: balls, places: placesOf(balls, camera) },
    }));
  }

  /** Samples without a pitch get a camera that follows the picture's own motion, from the nearest sample with one. */
  private *standIn(shot: readonly Sample[], cameras: (Camera | undefined)[]): Generator<undefined, void> {
    if (cameras.every((camera) => camera !== undefined)) return;
    if (!cameras.some((camera) => camera !== undefined)) {
      cameras[0] = this.followed.get(shot[0].index, [shot[0]], () => standInCamera(shot[0]));
    }
    const nearest = nearestKnown(cameras);
    // Away from the samples with a camera, first to later ones and then to earlier ones: each follows its neighbour.
    for (let k = 1; k < shot.length; k++) {
      if (nearest[k] < k) cameras[k] = this.follow({ shot, cameras, k, next: k - 1 });
      yield;
    }
    for (let k = shot.length - 2; k >= 0; k--) {
      if (nearest[k] > k) cameras[k] = this.follow({ shot, cameras, k, next: k + 1 });
      yield;
    }
  }

  private follow({ shot, cameras, k, next }: Following): Camera | undefined {
    const [a, b] = next < k ? [shot[next], shot[k]] : [shot[k], shot[next]];
    const motion = this.motions.get(a.index * 2 ** 21 + b.index, [a, b], () => pictureMotion(a, b));
    const step = next < k ? motion : (invert(motion) ?? motion);
    const base = cameras[next];
    const make = () => base && (Camera.of(multiply(step, base.map), base.onPitch) ?? base);
    return this.followed.get(shot[k].index, [base, motion], make);
  }
}

interface Following {
  readonly shot: readonly Sample[];
  readonly cameras: readonly (Camera | undefined)[];
  /** Place of the sample that wants a camera, and of its neighbour that has one. */
  readonly k: number;
  readonly next: number;
}

function nearestKnown(cameras: readonly (Camera | undefined)[]): Int32Array {
  const nearest = new Int32Array(cameras.length);
  let last = Number.NEGATIVE_INFINITY;
  cameras.forEach((camera, k) => {
    if (camera) last = k;
    nearest[k] = Number.isFinite(last) ? last : -1;
  });
  let next = Number.POSITIVE_INFINITY;
  for (let k = cameras.length - 1; k >= 0; k--) {
    if (cameras[k]) next = k;
    if (nearest[k] < 0 || next - k < k - nearest[k]) nearest[k] = next;
  }
  return nearest;
}
