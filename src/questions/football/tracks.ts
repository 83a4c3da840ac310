import type { ClassThresholds } from '../../../models/index.js';
import type { Links } from './associate.js';
import type { PictureSpace } from './camera.js';
import { Joiner } from './join-tracklets.js';
import { chainTracklets, type Station, type Tracklet } from './tracklets.js';

/** Ids are this · frame number of the first sight + place in its sample; also the most bodies of a sample. */
export const ID_STRIDE = 128;

/** One person over the samples of a shot. */
export interface Track {
  /** Stable as long as the earliest sample of the track stays: see `ID_STRIDE`. */
  readonly id: number;
  /** Place of the sample in the shot, ascending, and of the body in the sample; one entry per sight. */
  readonly samples: readonly number[];
  readonly bodies: readonly number[];
}

export interface TrackOptions {
  readonly space: PictureSpace;
  /** See `SceneOptions.thresholds`. */
  readonly thresholds: ClassThresholds;
}

/** Joins tracklets across gaps where place, speed, role, shirt and size justify it; a generator, so that the caller may pause. */
export function* buildTracks(
  shot: readonly Station[],
  links: readonly (Links | undefined)[],
  { space }: Pick<TrackOptions, 'space'>,
): Generator<undefined, readonly Track[]> {
  const tracklets = yield* chainTracklets(shot, links);
  const join = new Joiner(shot, space);
  const merged = tracklets.filter((t) => t.startsMerged && t.endsMerged);
  const plain = tracklets.filter((t) => !(t.startsMerged && t.endsMerged));
  yield;
  yield* join.together(plain);
  yield* join.insert(merged, plain);
  yield* join.together(tracklets);
  yield* join.acrossAbsences(tracklets);
  const tracks: Track[] = [];
  for (const tracklet of tracklets) {
    if (tracklet.previous) continue;
    const parts: Tracklet[] = [];
    for (let part: Tracklet | undefined = tracklet; part; part = part.next) parts.push(part);
    const samples = parts.flatMap((part) => part.samples);
    const bodies = parts.flatMap((part) => part.bodies);
    tracks.push({ id: shot[samples[0]].index * ID_STRIDE + bodies[0], samples, bodies });
    yield;
  }
  return tracks;
}
