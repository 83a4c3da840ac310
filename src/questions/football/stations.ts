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
    this.standIn(shot, cameras);
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
      keyPoints: groundPoints(sample, camera, recognised, this.space),
      bodies: persons,
      places: placesOf(persons, camera),
      balls: { timeS, bodies: balls, places: placesOf(balls, camera) },
    }));
  }

  /** Samples without a pitch get a camera that follows the picture's own motion, from the nearest sample with one. */
  private standIn(shot: readonly Sample[], cameras: (Camera | undefined)[]): void {
    if (cameras.every((camera) => camera !== undefined)) return;
    if (!cameras.some((camera) => camera !== undefined)) {
      cameras[0] = this.followed.get(shot[0].index, [shot[0]], () => standInCamera(shot[0]));
    }
    const nearest = nearestKnown(cameras);
    const reach = (k: number): Camera | undefined => {
      const known = cameras[k];
      if (known) return known;
      const towards = k + Math.sign(nearest[k] - k);
      const base = reach(towards);
      const [a, b] = towards < k ? [shot[towards], shot[k]] : [shot[k], shot[towards]];
      const motion = this.motions.get(a.index * 2 ** 21 + b.index, [a, b], () => pictureMotion(a, b));
      const step = towards < k ? motion : (invert(motion) ?? motion);
      cameras[k] = this.followed.get(
        shot[k].index,
        [base, motion],
        () => base && Camera.of(multiply(step, base.map), base.onPitch),
      );
      return cameras[k];
    };
    for (let k = 0; k < shot.length; k++) reach(k);
  }
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
