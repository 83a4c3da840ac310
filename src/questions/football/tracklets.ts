import type { Links, Scattering } from './associate.js';
import type { BallCandidates } from './ball.js';
import type { Camera } from './camera.js';
import type { GroundPoints } from './key-points.js';
import type { Sample } from './sample.js';

/** A sample of a shot with all that tracking needs. */
export interface Station extends Scattering {
  /** Frame number. */
  readonly index: number;
  /** Unlike any other station's: a station that was rebuilt has another one. */
  readonly revision: number;
  readonly sample: Sample;
  readonly camera: Camera;
  readonly keyPoints: GroundPoints;
  readonly balls: BallCandidates;
}

/** One person over successive samples, without doubt about who it is. */
export interface Tracklet {
  /** Place of the sample in the shot and of the body in the sample, one entry per sight. */
  readonly samples: number[];
  readonly bodies: number[];
  /** A neighbour was lost at its beginning, or came up at its end: two persons may hide in it. */
  startsMerged: boolean;
  endsMerged: boolean;
  next: Tracklet | undefined;
  previous: Tracklet | undefined;
}

/** Two bodies this near in the picture, in heights of a body, may hide one another. Chosen. */
const NEAR_ACROSS = 0.9;
const NEAR_DOWN = 0.5;

/** Sights that weak boxes need to be kept without a single sure one among them: they may join a track that has one. Chosen. */
const LEAST_SIGHTS = 4;
/** A tracklet must last this long, s, or be the only one there, to count as somebody who was met. Chosen: flickering boxes are shorter. */
const LEAST_MET_S = 0.2;

/**
 * Chains links into tracklets. A chain is cut where a neighbour vanishes or appears beside it: there the detector may have
 * gone on with the other one, and only what lies before and behind the meeting can tell (see `buildTracks`). A generator, so
 * that the caller may pause between samples and tracklets.
 */
export function* chainTracklets(
  shot: readonly Station[],
  links: readonly (Links | undefined)[],
): Generator<undefined, Tracklet[]> {
  const chains: Chain[] = [];
  /** For each sample which chain each of its bodies belongs to. */
  const owners: (Chain | undefined)[][] = shot.map(() => []);
  for (const tracklet of yield* chain(shot, links)) {
    yield;
    if (!isSomebody(shot, tracklet)) continue;
    const own: Chain = { tracklet, cuts: new Map() };
    chains.push(own);
    for (const [n, sample] of tracklet.samples.entries()) owners[sample][tracklet.bodies[n]] = own;
  }
  const meet = (sample: number, body: number, before: boolean) => {
    for (const other of neighboursOf(shot[sample], body)) {
      const met = owners[sample][other];
      if (!met) continue;
      const { samples } = met.tracklet;
      // A chain has a sight in every sample from its first to its last.
      const at = sample - samples[0] + (before ? 1 : 0);
      if (at <= 0 || at >= samples.length) continue;
      const cut = met.cuts.get(at) ?? { merges: false, splits: false };
      if (before) cut.merges = true;
      else cut.splits = true;
      met.cuts.set(at, cut);
    }
  };
  for (const { tracklet } of chains) {
    const { samples, bodies } = tracklet;
    const last = samples.length - 1;
    const seenS = shot[samples[last]].timeS - shot[samples[0]].timeS;
    const sparse = shot.length < 2 || seenS / Math.max(1, last) >= LEAST_MET_S / 2;
    if (seenS < LEAST_MET_S && !sparse) continue;
    if (samples[0] > 0) meet(samples[0], bodies[0], false);
    if (samples[last] < shot.length - 1) meet(samples[last], bodies[last], true);
    yield;
  }
  const parts: Tracklet[] = [];
  for (const own of chains) {
    for (const part of split(own)) parts.push(part);
    yield;
  }
  return parts;
}

/** A tracklet and the places in it before which it is to be cut. */
interface Chain {
  readonly tracklet: Tracklet;
  readonly cuts: Map<number, { merges: boolean; splits: boolean }>;
}

/** Weak boxes that belong to nobody and soon vanish are noise: most tracklets are, and all of the work would go into them. */
function isSomebody(shot: readonly Station[], { samples, bodies }: Tracklet): boolean {
  return samples.length >= LEAST_SIGHTS || samples.some((k, n) => shot[k].bodies.sure[bodies[n]] === 1);
}

function* chain(
  shot: readonly Station[],
  links: readonly (Links | undefined)[],
): Generator<undefined, readonly Tracklet[]> {
  const tracklets: Tracklet[] = [];
  let open: (Tracklet | undefined)[] = [];
  for (let k = 0; k < shot.length; k++) {
    const { count, x } = shot[k].places;
    const now: (Tracklet | undefined)[] = new Array(count);
    for (let i = 0; i < count; i++) {
      if (Number.isNaN(x[i])) continue;
      const before = k > 0 ? (links[k - 1]?.previous[i] ?? -1) : -1;
      const tracklet = (before >= 0 ? open[before] : undefined) ?? empty();
      if (tracklet.samples.length === 0) tracklets.push(tracklet);
      tracklet.samples.push(k);
      tracklet.bodies.push(i);
      now[i] = tracklet;
    }
    open = now;
    yield;
  }
  return tracklets;
}

function empty(): Tracklet {
  return { samples: [], bodies: [], startsMerged: false, endsMerged: false, next: undefined, previous: undefined };
}

function split({ tracklet, cuts }: Chain): Tracklet[] {
  if (cuts.size === 0) return [tracklet];
  const parts: Tracklet[] = [];
  const places = [...cuts.keys()].sort((a, b) => a - b);
  [0, ...places].forEach((from, n) => {
    const to = places[n] ?? tracklet.samples.length;
    parts.push({
      ...empty(),
      samples: tracklet.samples.slice(from, to),
      bodies: tracklet.bodies.slice(from, to),
      startsMerged: cuts.get(from)?.merges ?? false,
      endsMerged: cuts.get(to)?.splits ?? false,
    });
  });
  return parts;
}

/** Bodies of a sample that stand so near to one that they may hide one another. */
function neighboursOf({ bodies }: Station, i: number): number[] {
  const near: number[] = [];
  for (let j = 0; j < bodies.count; j++) {
    const height = (bodies.height[i] + bodies.height[j]) / 2;
    const across = Math.abs(bodies.footU[i] - bodies.footU[j]);
    const down = Math.abs(bodies.footV[i] - bodies.footV[j]);
    if (j !== i && across < NEAR_ACROSS * height && down < NEAR_DOWN * height) near.push(j);
  }
  return near;
}
