import type { PictureSpace, Point } from './camera.js';
import { GroupFlow } from './group-flow.js';
import { likeness, MOST_LIKENESS } from './likeness.js';
import { type Offer, pairUp } from './pair-up.js';
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
/** Samples that are asked about a short absence: nearly three times those that it has at 30 a second. */
const MOST_ASKED = 100;
/**
 * Pairs of an end and a start that are looked at in a shot, the nearest in time first, and those that each end may look at
 * whatever the others do. Chosen: a match has a tenth of it, boxes that are noise a thousand times as many.
 */
const MOST_PAIRS = 2e5;
const LEAST_PAIRS = 32;
/** Pairs that are looked at before the caller may pause. Chosen: some 10 µs. */
const PAIRS_A_STEP = 32;
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
    const flow = new GroupFlow(this.shot);
    for (const tracklet of tracklets) {
      if (!tracklet.previous) flow.add(tracklet);
      yield;
    }
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
    const ends = yield* this.inOrder(
      tracklets.filter((t) => !t.next),
      (t) => this.endOf(t),
    );
    const starts = yield* this.inOrder(
      tracklets.filter((t) => !t.previous),
      (t) => this.startOf(t),
    );
    const most = Math.max(LEAST_PAIRS, MOST_PAIRS / ends.length);
    const offers: Offer[] = [];
    let first = 0;
    for (const [row, end] of ends.entries()) {
      while (first < starts.length && starts[first].sample <= end.sample) first++;
      for (let s = first; s < first + most && s < starts.length; s++) {
        if (starts[s].timeS - end.timeS > longestS) break;
        const gain = odds(end, starts[s]);
        if (gain > 0) offers.push({ row, column: s, gain });
        if ((s - first) % PAIRS_A_STEP === 0) yield;
      }
    }
    const startOf = yield* pairUp({ rows: ends.length, columns: starts.length, offers });
    for (const [row, column] of startOf.entries()) {
      if (column >= 0) connect(ends[row].tracklet, starts[column].tracklet);
    }
  }

  private *inOrder(
    tracklets: readonly Tracklet[],
    describe: (tracklet: Tracklet) => End,
  ): Generator<undefined, readonly End[]> {
    const bySample: End[][] = this.shot.map(() => []);
    for (const tracklet of tracklets) {
      const end = describe(tracklet);
      bySample[end.sample].push(end);
      yield;
    }
    return bySample.flat();
  }

  /** Gives stretches in which two persons were one body to the one of them whose way leads through it. */
  *insert(merged: readonly Tracklet[], hosts: readonly Tracklet[]): Generator<undefined, void> {
    const lastSeen: Tracklet[][] = this.shot.map(() => []);
    for (const host of hosts) {
      if (host.next) lastSeen[this.endOf(host).sample].push(host);
      yield;
    }
    for (const tracklet of merged) {
      this.insertOne(tracklet, lastSeen);
      yield;
    }
  }

  private insertOne(tracklet: Tracklet, hosts: readonly (readonly Tracklet[])[]): void {
    const first = this.startOf(tracklet);
    const last = this.endOf(tracklet);
    let best: Tracklet | undefined;
    let most = 0;
    // Joined so far were short absences alone.
    const earliest = Math.max(0, first.sample - MOST_ASKED);
    for (let k = first.sample - 1; k >= earliest && last.timeS - this.shot[k].timeS <= SHORT_ABSENCE_S; k--) {
      for (const host of hosts[k]) {
        const start = host.next && this.startOf(host.next);
        if (!start || start.sample <= last.sample) continue;
        const odds = this.shortOdds(this.endOf(host), first) + this.shortOdds(last, start);
        if (odds > most) {
          most = odds;
          best = host;
        }
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
    const behind = Math.min(start.sample, end.sample + MOST_ASKED);
    for (let k = end.sample + 1; k < behind && missed * UNSEEN < UNSEEN_MOST; k++) {
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
