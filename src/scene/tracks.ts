import type { Links, Scattering } from './associate.js';
import type { BallCandidates } from './ball.js';
import type { Camera, PictureSpace, Point } from './camera.js';
import type { Sample } from './sample.js';

/** One person over the samples of a shot. */
export interface Track {
  /** Stable as long as the earliest sample of the track stays: 64 · frame number + place. */
  readonly id: number;
  /** int32 each: place of the sample in the shot, ascending, and of the body in the sample. */
  readonly samples: readonly number[];
  readonly bodies: readonly number[];
}

/** A sample of a shot with all that tracking needs. */
export interface Station extends Scattering {
  /** Frame number. */
  readonly index: number;
  /** Unlike any other station's: a station that was rebuilt has another one. */
  readonly revision: number;
  readonly sample: Sample;
  readonly camera: Camera;
  /** uint8 [32], see `certainKeyPoints`. */
  readonly certain: Uint8Array;
  readonly balls: BallCandidates;
}

/** Longest absence in s after which a person may still be recognised by place and role. Chosen. */
const LONGEST_ABSENCE_S = 10;
/** How long a runner keeps the direction, s. */
const PERSISTENCE_S = 1;
const ACCELERATION_SPREAD = 2.2;
/** Spread of the speed of somebody out of sight for long, m/s: below the momentary spread, since people turn round. */
const WANDERING = 1.5;
const DENSITY = 0.006;
const PRIOR = 1.5;
/** Log odds lost for each sample that should have shown the person and did not, and at most. */
const UNSEEN = 0.5;
const UNSEEN_MOST = 2.5;
const ROLE_SHARE = [0.04, 0.86, 0.1] as const;

interface Tracklet {
  readonly samples: number[];
  readonly bodies: number[];
  next: Tracklet | undefined;
  previous: Tracklet | undefined;
}

/** Chains links into tracklets, then joins tracklets across gaps where place, speed, role and size justify it. */
export function buildTracks(
  shot: readonly Station[],
  links: readonly (Links | undefined)[],
  space: PictureSpace,
): readonly Track[] {
  const tracklets = chain(shot, links);
  join(shot, tracklets, space);
  const tracks: Track[] = [];
  for (const tracklet of tracklets) {
    if (tracklet.previous) continue;
    const samples: number[] = [];
    const bodies: number[] = [];
    for (let part: Tracklet | undefined = tracklet; part; part = part.next) {
      samples.push(...part.samples);
      bodies.push(...part.bodies);
    }
    tracks.push({ id: shot[samples[0]].index * 64 + bodies[0], samples, bodies });
  }
  return tracks;
}

function chain(shot: readonly Station[], links: readonly (Links | undefined)[]): Tracklet[] {
  const tracklets: Tracklet[] = [];
  let open: (Tracklet | undefined)[] = [];
  for (let k = 0; k < shot.length; k++) {
    const { count, x } = shot[k].places;
    const now: (Tracklet | undefined)[] = new Array(count);
    for (let i = 0; i < count; i++) {
      if (Number.isNaN(x[i])) continue;
      const before = k > 0 ? (links[k - 1]?.previous[i] ?? -1) : -1;
      let tracklet = before >= 0 ? open[before] : undefined;
      if (!tracklet) {
        tracklet = { samples: [], bodies: [], next: undefined, previous: undefined };
        tracklets.push(tracklet);
      }
      tracklet.samples.push(k);
      tracklet.bodies.push(i);
      now[i] = tracklet;
    }
    open = now;
  }
  return tracklets;
}

/** State of a tracklet at one of its ends. */
interface End {
  readonly tracklet: Tracklet;
  readonly sample: number;
  readonly timeS: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly xy: number;
  readonly yy: number;
  /** m/s, forward in time; 0 where unknown. */
  readonly speedX: number;
  readonly speedY: number;
  readonly speedVariance: number;
  readonly heightM: number;
  readonly roles: readonly [number, number, number];
}

function join(shot: readonly Station[], tracklets: readonly Tracklet[], space: PictureSpace): void {
  const ends = tracklets.map((tracklet) => endOf(shot, tracklet, true)).sort((a, b) => a.sample - b.sample);
  const starts = tracklets.map((tracklet) => endOf(shot, tracklet, false)).sort((a, b) => a.sample - b.sample);
  const pairs: { readonly odds: number; readonly end: End; readonly start: End }[] = [];
  let first = 0;
  for (const end of ends) {
    while (first < starts.length && starts[first].sample <= end.sample) first++;
    for (let s = first; s < starts.length; s++) {
      const start = starts[s];
      if (start.timeS - end.timeS > LONGEST_ABSENCE_S) break;
      const odds = joinOdds(shot, end, start, space);
      if (odds > 0) pairs.push({ odds, end, start });
    }
  }
  pairs.sort((a, b) => b.odds - a.odds || a.end.sample - b.end.sample || a.start.sample - b.start.sample);
  for (const { end, start } of pairs) {
    if (end.tracklet.next || start.tracklet.previous) continue;
    end.tracklet.next = start.tracklet;
    start.tracklet.previous = end.tracklet;
  }
}

function endOf(shot: readonly Station[], tracklet: Tracklet, last: boolean): End {
  const { samples, bodies } = tracklet;
  const at = last ? samples.length - 1 : 0;
  const station = shot[samples[at]];
  const i = bodies[at];
  const { places } = station;
  // Speed over at least 0.3 s: over one frame it is mostly the noise of the boxes.
  let other = at;
  while (other >= 0 && other < samples.length && Math.abs(shot[samples[other]].timeS - station.timeS) < 0.3)
    other += last ? -1 : 1;
  other = Math.min(samples.length - 1, Math.max(0, other));
  const far = shot[samples[other]];
  const spanS = station.timeS - far.timeS;
  const known = other !== at;
  const roles: [number, number, number] = [0, 0, 0];
  let weight = 0;
  for (let n = 0; n < samples.length; n++) {
    const { bodies: seen } = shot[samples[n]];
    const score = seen.score[bodies[n]];
    weight += score;
    for (let r = 0; r < 3; r++) roles[r] += score * seen.roles[bodies[n] * 3 + r];
  }
  return {
    tracklet,
    sample: samples[at],
    timeS: station.timeS,
    x: places.x[i],
    y: places.y[i],
    xx: places.xx[i],
    xy: places.xy[i],
    yy: places.yy[i],
    speedX: known ? (places.x[i] - far.places.x[bodies[other]]) / spanS : 0,
    speedY: known ? (places.y[i] - far.places.y[bodies[other]]) / spanS : 0,
    speedVariance: known
      ? (places.xx[i] + places.yy[i]) / (spanS * spanS) + (0.5 * ACCELERATION_SPREAD * spanS) ** 2
      : 2.6 ** 2,
    heightM: places.heightM[i],
    roles: [roles[0] / weight, roles[1] / weight, roles[2] / weight],
  };
}

function joinOdds(shot: readonly Station[], end: End, start: End, space: PictureSpace): number {
  const spanS = start.timeS - end.timeS;
  const reach = PERSISTENCE_S * (1 - Math.exp(-spanS / PERSISTENCE_S));
  const drift = Math.min((0.5 * ACCELERATION_SPREAD * spanS * spanS) ** 2, (WANDERING * spanS) ** 2);
  const forward = stepOdds(
    end,
    start,
    end.speedX * reach,
    end.speedY * reach,
    drift + end.speedVariance * reach * reach,
  );
  const backward = stepOdds(
    end,
    start,
    start.speedX * reach,
    start.speedY * reach,
    drift + start.speedVariance * reach * reach,
  );
  const odds = PRIOR + (forward + backward) / 2 + likeness(end, start);
  if (odds <= 0) return odds;
  return odds - Math.min(UNSEEN_MOST, UNSEEN * missedSamples(shot, end, start, space));
}

function stepOdds(end: End, start: End, stepX: number, stepY: number, spread: number): number {
  const dx = start.x - end.x - stepX;
  const dy = start.y - end.y - stepY;
  const xx = end.xx + start.xx + spread;
  const xy = end.xy + start.xy;
  const yy = end.yy + start.yy + spread;
  const det = xx * yy - xy * xy;
  return (
    -0.5 * ((yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det + Math.log(det)) - Math.log(2 * Math.PI * DENSITY)
  );
}

function likeness(end: End, start: End): number {
  let same = 0;
  for (let r = 0; r < 3; r++) same += (end.roles[r] * start.roles[r]) / ROLE_SHARE[r];
  const size = Math.log(end.heightM / start.heightM);
  return Math.min(1.5, Math.max(-3, Math.log(same + 1e-6))) - Math.min(2, (size / 0.2) ** 2 / 2);
}

/** Samples between the two in whose picture the straight way from one to the other lies. */
function missedSamples(shot: readonly Station[], end: End, start: End, space: PictureSpace): number {
  const point: Point = { x: 0, y: 0 };
  let missed = 0;
  for (let k = end.sample + 1; k < start.sample; k++) {
    const share = (shot[k].timeS - end.timeS) / (start.timeS - end.timeS);
    const x = end.x + share * (start.x - end.x);
    const y = end.y + share * (start.y - end.y);
    if (shot[k].camera.toPicture(x, y, point) && space.contains(point.x, point.y, -0.03)) missed++;
  }
  return missed;
}
