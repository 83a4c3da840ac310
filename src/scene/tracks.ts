import { assign } from './assignment.js';
import type { Links } from './associate.js';
import type { PictureSpace, Point } from './camera.js';
import { GroupFlow } from './group-flow.js';
import { type Looks, likeness } from './likeness.js';
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

/** Absences up to this long, s, are settled all together, before longer ones. */
const SHORT_ABSENCE_S = 1.2;
/** Longest absence in s after which a person may still be recognised by place, role and shirt. Chosen. */
const LONGEST_ABSENCE_S = 12;
/** How long a runner keeps the direction, s. */
const PERSISTENCE_S = 1;
const ACCELERATION_SPREAD = 2.2;
/** Spread of the speed of somebody out of sight for long, m/s: below the momentary spread, since people turn round. */
const WANDERING = 1.5;
const SPEED_SPREAD = 2.6;
/** Spread of the speed against the movement of the teams as a whole, m/s. Measured on rendered clips. */
const WITH_TEAM = 0.8;
/** Strangers per m² who might appear. */
const LOG_DENSITY = Math.log(2 * Math.PI * 0.001);
const PRIOR = 1;
/** Log odds lost for each sample that should have shown the person and did not, and at most. */
const UNSEEN = 0.5;
const UNSEEN_MOST = 2.5;
/** Log odds lost where a long absence begins or ends in full view. */
const VANISHED = 1;
/** Sights at an end of a tracklet from which its looks are taken. */
const LOOKS = 12;

export interface TrackOptions {
  readonly space: PictureSpace;
  /** See `SceneOptions.confThreshold`. */
  readonly confThreshold: number;
}

/** Joins tracklets across gaps where place, speed, role, shirt and size justify it; see `Track`. */
export function buildTracks(
  shot: readonly Station[],
  links: readonly (Links | undefined)[],
  { space, confThreshold }: TrackOptions,
): readonly Track[] {
  const tracklets = chainTracklets(shot, links, confThreshold);
  const join = new Joiner(shot, space);
  const merged = tracklets.filter((t) => t.startsMerged && t.endsMerged);
  const plain = tracklets.filter((t) => !(t.startsMerged && t.endsMerged));
  join.together(plain);
  for (const tracklet of merged) join.insert(tracklet, plain);
  join.together(tracklets);
  join.acrossAbsences(tracklets);
  const tracks: Track[] = [];
  for (const tracklet of tracklets) {
    if (tracklet.previous) continue;
    const samples: number[] = [];
    const bodies: number[] = [];
    for (let part: Tracklet | undefined = tracklet; part; part = part.next) {
      samples.push(...part.samples);
      bodies.push(...part.bodies);
    }
    tracks.push({ id: shot[samples[0]].index * ID_STRIDE + bodies[0], samples, bodies });
  }
  return tracks;
}

/** State of a tracklet at one of its ends. */
interface End extends Looks {
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
}

interface Edge {
  readonly odds: number;
  readonly end: End;
  readonly start: End;
}

const point: Point = { x: 0, y: 0 };

class Joiner {
  private readonly ends = new Map<Tracklet, End>();
  private readonly starts = new Map<Tracklet, End>();

  constructor(
    private readonly shot: readonly Station[],
    private readonly space: PictureSpace,
  ) {}

  /** Joins loose ends with later loose starts after short absences: what lies between was hidden or missed. */
  together(tracklets: readonly Tracklet[]): void {
    this.join(tracklets, SHORT_ABSENCE_S, (end, start) => this.shortOdds(end, start));
  }

  /** Joins what is left after longer absences, out of the picture: by then whole persons are known, and how the teams moved. */
  acrossAbsences(tracklets: readonly Tracklet[]): void {
    this.ends.clear();
    this.starts.clear();
    const flow = new GroupFlow(this.shot, tracklets);
    this.join(tracklets, LONGEST_ABSENCE_S, (end, start) =>
      this.longOdds(end, start, flow.between(end.sample, start.sample)),
    );
  }

  /** Pairs so that the sum of the odds is largest, in each group that hangs together. */
  private join(tracklets: readonly Tracklet[], longestS: number, odds: (end: End, start: End) => number): void {
    const ends = tracklets.filter((t) => !t.next).map((t) => this.endOf(t));
    const starts = tracklets.filter((t) => !t.previous).map((t) => this.startOf(t));
    for (const group of groups(edges(ends, starts, longestS, odds))) {
      const rows = [...new Set(group.map((edge) => edge.end))];
      const columns = [...new Set(group.map((edge) => edge.start))];
      const gain = new Float64Array(rows.length * columns.length);
      for (const { odds, end, start } of group)
        gain[rows.indexOf(end) * columns.length + columns.indexOf(start)] = odds;
      assign(gain, rows.length, columns.length).forEach((c, r) => {
        if (c >= 0) connect(rows[r].tracklet, columns[c].tracklet);
      });
    }
  }

  /** Gives a stretch in which two persons were one body to the one of them whose way leads through it. */
  insert(tracklet: Tracklet, hosts: readonly Tracklet[]): void {
    const first = this.startOf(tracklet);
    const last = this.endOf(tracklet);
    let best: Tracklet | undefined;
    let most = 0;
    for (const host of hosts) {
      if (!host.next) continue;
      const end = this.endOf(host);
      const start = this.startOf(host.next);
      if (end.sample >= first.sample || start.sample <= last.sample) continue;
      const odds = this.shortOdds(end, first) + this.shortOdds(last, start);
      if (odds > most) {
        most = odds;
        best = host;
      }
    }
    const next = best?.next;
    if (!best || !next) return;
    connect(best, tracklet);
    connect(tracklet, next);
  }

  private shortOdds(end: End, start: End): number {
    const spanS = start.timeS - end.timeS;
    const odds = PRIOR + likeness(end, start) + runOdds(end, start, spanS);
    if (!(odds > 0)) return Number.NEGATIVE_INFINITY;
    return odds - Math.min(UNSEEN_MOST, UNSEEN * this.missedSamples(end, start));
  }

  /** `shift`: how the teams moved meanwhile, m; undefined = not known. */
  private longOdds(end: End, start: End, shift: readonly [number, number] | undefined): number {
    const spanS = start.timeS - end.timeS;
    const alone = runOdds(end, start, spanS);
    const step = shift
      ? Math.max(alone, stepOdds(end, start, shift[0], shift[1], (WITH_TEAM * spanS) ** 2)) - Math.LN2
      : alone;
    const odds = PRIOR + likeness(end, start) + step;
    if (!(odds > 0)) return Number.NEGATIVE_INFINITY;
    return (
      odds - (this.inView(end, end.sample + 1) ? VANISHED : 0) - (this.inView(start, start.sample - 1) ? VANISHED : 0)
    );
  }

  private inView({ x, y }: End, sample: number): boolean {
    return this.shot[sample].camera.toPicture(x, y, point) && this.space.contains(point.x, point.y, -0.08);
  }

  /** Samples between the two in whose picture the straight way from one to the other lies. */
  private missedSamples(end: End, start: End): number {
    let missed = 0;
    for (let k = end.sample + 1; k < start.sample && missed * UNSEEN < UNSEEN_MOST; k++) {
      const station = this.shot[k];
      const share = (station.timeS - end.timeS) / (start.timeS - end.timeS);
      const x = end.x + share * (start.x - end.x);
      const y = end.y + share * (start.y - end.y);
      if (station.camera.toPicture(x, y, point) && this.space.contains(point.x, point.y, -0.03)) missed++;
    }
    return missed;
  }

  private endOf(tracklet: Tracklet): End {
    return memoised(this.ends, tracklet, () => this.describe(tracklet, tracklet.samples.length - 1, -1));
  }

  private startOf(tracklet: Tracklet): End {
    return memoised(this.starts, tracklet, () => this.describe(tracklet, 0, 1));
  }

  private describe(tracklet: Tracklet, at: number, inward: 1 | -1): End {
    const { samples, bodies } = tracklet;
    const { timeS, places } = this.shot[samples[at]];
    const i = bodies[at];
    // Speed over at least 0.3 s: over one frame it is mostly the noise of the boxes.
    let other = at;
    while (samples[other + inward] !== undefined && Math.abs(this.shot[samples[other]].timeS - timeS) < 0.3)
      other += inward;
    const far = this.shot[samples[other]];
    const j = bodies[other];
    const spanS = timeS - far.timeS;
    const known = other !== at;
    const placesVariance = (places.xx[i] + places.yy[i] + far.places.xx[j] + far.places.yy[j]) / 2;
    return {
      ...this.looksOf(tracklet, inward),
      tracklet,
      sample: samples[at],
      timeS,
      x: places.x[i],
      y: places.y[i],
      xx: places.xx[i],
      xy: places.xy[i],
      yy: places.yy[i],
      speedX: known ? (places.x[i] - far.places.x[j]) / spanS : 0,
      speedY: known ? (places.y[i] - far.places.y[j]) / spanS : 0,
      speedVariance: known
        ? Math.min(SPEED_SPREAD ** 2, placesVariance / (spanS * spanS) + (0.5 * ACCELERATION_SPREAD * spanS) ** 2)
        : SPEED_SPREAD ** 2,
    };
  }

  /** Mean looks of the sights nearest to an end, of this tracklet and those joined with it. */
  private looksOf(tracklet: Tracklet, inward: 1 | -1): Looks {
    const roles: [number, number, number] = [0, 0, 0];
    const kit: [number, number, number] = [0, 0, 0];
    let heightM = 0;
    let weight = 0;
    let known = false;
    let count = 0;
    for (
      let part: Tracklet | undefined = tracklet;
      part && count < LOOKS;
      part = inward > 0 ? part.next : part.previous
    ) {
      const { samples, bodies } = part;
      for (
        let n = inward > 0 ? 0 : samples.length - 1;
        samples[n] !== undefined && count < LOOKS;
        n += inward, count++
      ) {
        const { bodies: seen, places } = this.shot[samples[n]];
        const i = bodies[n];
        const score = seen.score[i];
        weight += score;
        heightM += score * places.heightM[i];
        for (let c = 0; c < 3; c++) roles[c] += score * seen.roles[i * 3 + c];
        known = seen.kits.length > 0;
        for (let c = 0; known && c < 3; c++) kit[c] += score * seen.kits[i * 3 + c];
      }
    }
    const mean = (v: readonly [number, number, number]) => [v[0] / weight, v[1] / weight, v[2] / weight] as const;
    return { roles: mean(roles), kit: known ? mean(kit) : undefined, heightM: heightM / weight };
  }
}

function memoised<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const kept = map.get(key);
  if (kept !== undefined) return kept;
  const made = make();
  map.set(key, made);
  return made;
}

function connect(before: Tracklet, after: Tracklet): void {
  before.next = after;
  after.previous = before;
}

/** Log odds of the way from an end to a start for somebody who keeps running for a moment and then wanders. */
function runOdds(end: End, start: End, spanS: number): number {
  const reach = PERSISTENCE_S * (1 - Math.exp(-spanS / PERSISTENCE_S));
  const drift = Math.min((0.5 * ACCELERATION_SPREAD * spanS * spanS) ** 2, (WANDERING * spanS) ** 2);
  const square = reach * reach;
  const forward = stepOdds(end, start, end.speedX * reach, end.speedY * reach, drift + end.speedVariance * square);
  const backward = stepOdds(
    end,
    start,
    start.speedX * reach,
    start.speedY * reach,
    drift + start.speedVariance * square,
  );
  return (forward + backward) / 2;
}

/** Later starts that may continue an end, with their odds where they are above 0. */
function edges(ends: End[], starts: End[], longestS: number, odds: (end: End, start: End) => number): Edge[] {
  ends.sort((a, b) => a.sample - b.sample);
  starts.sort((a, b) => a.sample - b.sample);
  const found: Edge[] = [];
  let first = 0;
  for (const end of ends) {
    while (first < starts.length && starts[first].sample <= end.sample) first++;
    for (let s = first; s < starts.length && starts[s].timeS - end.timeS <= longestS; s++) {
      const value = odds(end, starts[s]);
      if (value > 0) found.push({ odds: value, end, start: starts[s] });
    }
  }
  return found;
}

/** Log density of the step from an end to a start around an expected step, over the density of strangers. */
function stepOdds(end: End, start: End, stepX: number, stepY: number, spread: number): number {
  const dx = start.x - end.x - stepX;
  const dy = start.y - end.y - stepY;
  const xx = end.xx + start.xx + spread;
  const xy = end.xy + start.xy;
  const yy = end.yy + start.yy + spread;
  const det = xx * yy - xy * xy;
  return -0.5 * ((yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det + Math.log(det)) - LOG_DENSITY;
}

/** Edges that share an end or a start belong to one group. */
function groups(edges: readonly Edge[]): Edge[][] {
  const groupOf = new Map<End, Edge[]>();
  for (const edge of edges) {
    const one = groupOf.get(edge.end);
    const other = groupOf.get(edge.start);
    const group = one ?? other ?? [];
    group.push(edge);
    if (one && other && one !== other) {
      for (const moved of other) {
        one.push(moved);
        groupOf.set(moved.end, one);
        groupOf.set(moved.start, one);
      }
    }
    groupOf.set(edge.end, group);
    groupOf.set(edge.start, group);
  }
  return [...new Set(groupOf.values())];
}
