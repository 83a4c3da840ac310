import { assign } from './assignment.js';
import type { PictureSpace, Point } from './camera.js';
import { GroupFlow } from './group-flow.js';
import { likeness, MOST_LIKENESS } from './likeness.js';
import { describeEnd, type End, runOdds, stepOdds } from './tracklet-end.js';
import type { Station, Tracklet } from './tracklets.js';

/** Absences up to this long, s, are settled all together, before longer ones. */
const SHORT_ABSENCE_S = 1.2;
/** Longest absence in s after which a person may still be recognised by place, role and shirt. Chosen. */
const LONGEST_ABSENCE_S = 12;
/** Spread of the speed against the movement of the teams as a whole, m/s. Measured on rendered clips. */
const WITH_TEAM = 0.8;
/** Log odds of a join before anything is looked at. Chosen. */
const PRIOR = 1;
/** Log odds lost for each sample that should have shown the person and did not, and at most. */
const UNSEEN = 0.5;
const UNSEEN_MOST = 2.5;
/** Log odds lost where a long absence begins or ends in full view. */
const VANISHED = 1;

interface Edge {
  readonly odds: number;
  readonly end: End;
  readonly start: End;
}

const point: Point = { x: 0, y: 0 };

/** Joins tracklets of a shot end to start, by setting their `next` and `previous`. */
export class Joiner {
  private readonly ends = new Map<Tracklet, End>();
  private readonly starts = new Map<Tracklet, End>();

  constructor(
    private readonly shot: readonly Station[],
    private readonly space: PictureSpace,
  ) {}

  /** Joins loose ends with later loose starts after short absences: what lies between was hidden or missed. */
  *together(tracklets: readonly Tracklet[]): Generator<undefined, void> {
    yield* this.join(tracklets, SHORT_ABSENCE_S, (end, start) => this.shortOdds(end, start));
  }

  /** Joins what is left after longer absences, out of the picture: by then whole persons are known, and how the teams moved. */
  *acrossAbsences(tracklets: readonly Tracklet[]): Generator<undefined, void> {
    this.ends.clear();
    this.starts.clear();
    const flow = new GroupFlow(this.shot, tracklets);
    yield* this.join(tracklets, LONGEST_ABSENCE_S, (end, start) =>
      this.longOdds(end, start, flow.between(end.sample, start.sample)),
    );
  }

  /** Pairs so that the sum of the odds is largest, in each group that hangs together. */
  private *join(
    tracklets: readonly Tracklet[],
    longestS: number,
    odds: (end: End, start: End) => number,
  ): Generator<undefined, void> {
    const ends = tracklets.filter((t) => !t.next).map((t) => this.endOf(t));
    const starts = tracklets.filter((t) => !t.previous).map((t) => this.startOf(t));
    yield;
    for (const group of groups(yield* edges(ends, starts, longestS, odds))) {
      const rows = [...new Set(group.map((edge) => edge.end))];
      const columns = [...new Set(group.map((edge) => edge.start))];
      const gain = new Float64Array(rows.length * columns.length);
      for (const { odds, end, start } of group)
        gain[rows.indexOf(end) * columns.length + columns.indexOf(start)] = odds;
      assign(gain, rows.length, columns.length).forEach((c, r) => {
        if (c >= 0) connect(rows[r].tracklet, columns[c].tracklet);
      });
      yield;
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
    const step = PRIOR + runOdds(end, start, spanS);
    if (!(step + MOST_LIKENESS > 0)) return Number.NEGATIVE_INFINITY;
    const odds = step + likeness(end, start);
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
    if (!(PRIOR + step + MOST_LIKENESS > 0)) return Number.NEGATIVE_INFINITY;
    const odds = PRIOR + step + likeness(end, start);
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
    return memoised(this.ends, tracklet, () => describeEnd(this.shot, tracklet, -1));
  }

  private startOf(tracklet: Tracklet): End {
    return memoised(this.starts, tracklet, () => describeEnd(this.shot, tracklet, 1));
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

/** Later starts that may continue an end, with their odds where they are above 0. */
function* edges(
  ends: End[],
  starts: End[],
  longestS: number,
  odds: (end: End, start: End) => number,
): Generator<undefined, Edge[]> {
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
    yield;
  }
  return found;
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
