import type { Visit } from '../container/index.js';
import { createCostModel, type Speeds } from './cost-model.js';
import { splitIntoGops } from './gops.js';
import { createPlanner, type PlannedVisit, type PlannerOptions } from './planner.js';

export interface SimulateOptions extends Omit<PlannerOptions, 'cost' | 'has'> {
  /** How fast link, decoder and models really are. */
  readonly speeds: Speeds;
  /** What the planner believes before it has measured anything. Default: the truth. */
  readonly believed?: Speeds;
  /** When no frame can be taken in any more, ms from the start; infinity = no budget. */
  readonly softCutMs: number;
  /** Frames that may exist between decoder and models. Default 24. */
  readonly slots?: number;
  /** Visits whose bytes are asked for while one is decoded. Default 4. */
  readonly ahead?: number;
}

/** One visit as it would run, ms from the start. */
export interface SimulatedVisit {
  readonly visit: PlannedVisit;
  readonly plannedMs: number;
  /** Its last sample is decoded. */
  readonly decodedMs: number;
  /** Its last wanted frame is answered. */
  readonly answeredMs: number;
  /** Bytes fetched so far. */
  readonly bytes: number;
  /** `Planner.largestGap` after it. */
  readonly largestGap: number;
}

export interface Simulation {
  readonly visits: readonly SimulatedVisit[];
  /** When each frame is answered, ms from the start, by frame number; infinity = never. */
  readonly answeredMs: Float64Array;
  readonly strategy: string;
}

/**
 * What would be visited when: a planner driven as the pipeline drives it, over a link that delivers one sample after the
 * other, a decoder and a model that do one frame after the other and run beside each other. Pure; no clock but its own.
 */
export function simulate(options: SimulateOptions): Simulation {
  const { index, speeds, believed = speeds, softCutMs, slots = 24, ahead = 4 } = options;
  const cost = createCostModel(believed);
  const { isLate } = splitIntoGops(index);
  const link = createLink(options);
  const answeredMs = new Float64Array(index.frameCount).fill(Number.POSITIVE_INFINITY);
  const answers: number[] = [];
  const visits: SimulatedVisit[] = [];
  let nowMs = 0;
  const missingBytes = (sample: number) => (link.arrivalMs(sample) <= nowMs ? 0 : (index.sizeBytes[sample] ?? 0));
  const planner = createPlanner({ ...options, cost, missingBytes });

  const sampleMs = (sample: number) =>
    index.sync[sample] ? speeds.keyMs : isLate[sample] ? speeds.lateMs : speeds.referenceMs;
  /** Returns how long the decoder waited for bytes and how long it worked. */
  const decode = (visit: PlannedVisit) => {
    const wanted = new Set(visit.keep);
    let waitedMs = 0;
    let busyMs = 0;
    const work = (ms: number) => {
      nowMs += ms;
      busyMs += ms;
    };
    for (let sample = visit.firstSample; sample <= visit.lastSample; sample++) {
      const frame = index.frameNumber[sample] ?? -1;
      if (index.disposable[sample] && !wanted.has(frame)) continue;
      const waitMs = Math.max(0, link.fetch(sample, nowMs) - nowMs);
      waitedMs += waitMs;
      nowMs += waitMs;
      work(sampleMs(sample));
      if (!wanted.has(frame)) continue;
      nowMs = Math.max(nowMs, answers.at(-slots) ?? 0);
      work(speeds.scaleMs);
      const answeredAtMs = Math.max(answers.at(-1) ?? 0, nowMs) + speeds.inferMs;
      answers.push(answeredAtMs);
      answeredMs[frame] = answeredAtMs;
    }
    return { waitedMs, busyMs };
  };

  for (;;) {
    const plannedMs = nowMs;
    const backlogFrames = answers.filter((ms) => ms > plannedMs).length;
    const visit = planner.next({ nowMs, softCutMs, backlogFrames });
    if (!visit) break;
    const work = planner.workOf(visit);
    link.order([visit, ...planner.upcoming(ahead)], nowMs);
    const bytesBefore = link.bytes;
    const { waitedMs, busyMs } = decode(visit);
    link.advance(nowMs);
    cost.observeDecode(work, busyMs);
    // Only where the decoder waited was the link busy all the time.
    if (waitedMs > 0) cost.observeLink(link.bytes - bytesBefore, nowMs - plannedMs);
    const { bytes } = link;
    const { largestGap } = planner;
    visits.push({ visit, plannedMs, decodedMs: nowMs, answeredMs: answers.at(-1) ?? nowMs, bytes, largestGap });
  }
  return { visits, answeredMs, strategy: planner.strategy };
}

/** A link that always fetches the next missing sample of the visits in order; idle, it needs a round trip to start again. */
function createLink({ index, speeds }: SimulateOptions) {
  const arrivedMs = new Float64Array(index.sampleCount).fill(Number.POSITIVE_INFINITY);
  let freeMs = Number.NEGATIVE_INFINITY;
  let bytes = 0;
  let missing: Generator<number> = samplesOf([]);

  function* samplesOf(visits: readonly Visit[]): Generator<number> {
    for (const { firstSample, lastSample } of visits)
      for (let sample = firstSample; sample <= lastSample; sample++)
        if (arrivedMs[sample] === Number.POSITIVE_INFINITY) yield sample;
  }
  function send(sample: number): void {
    freeMs += (index.sizeBytes[sample] ?? 0) / speeds.bytesPerMs;
    bytes += index.sizeBytes[sample] ?? 0;
    arrivedMs[sample] = freeMs;
  }
  function advance(toMs: number): void {
    while (freeMs < toMs) {
      const { value, done } = missing.next();
      if (done) return;
      send(value);
    }
  }
  return {
    get bytes() {
      return bytes;
    },
    arrivalMs: (sample: number) => arrivedMs[sample] ?? 0,
    advance,
    order(visits: readonly Visit[], nowMs: number): void {
      advance(nowMs);
      missing = samplesOf(visits);
      if (freeMs < nowMs) freeMs = nowMs + speeds.rttMs;
    },
    /** When a sample is here; what was ordered before it comes first. */
    fetch(sample: number, nowMs: number): number {
      advance(nowMs);
      while (arrivedMs[sample] === Number.POSITIVE_INFINITY) {
        const { value, done } = missing.next();
        send(done ? sample : value);
      }
      return arrivedMs[sample] ?? 0;
    },
  };
}
