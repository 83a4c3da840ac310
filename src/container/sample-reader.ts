import { OptionError, TikitakaError } from '../../operators/index.js';
import { disposabilityReader } from './nal.js';
import { aborted, type RangeFetcher } from './range-fetcher.js';
import type { CodedSample, SampleIndex, Visit } from './sample-index.js';

/** Gaps up to this size between needed samples are read along: cheaper than a request of their own. Chosen. */
const MERGE_GAP_BYTES = 1 << 16;
/** Largest single range: bounds the dead bytes of a cancelled read. Chosen. */
const PIECE_BYTES = 1 << 20;
/** After so many bytes handed out it is time to look what to ask for next. Chosen: a sixteenth of a piece. */
const PUMP_BYTES = PIECE_BYTES / 16;
/** docs/measurements.md "Ranges". */
const MAX_IN_FLIGHT = 4;
/** What the link is taken to carry in a round trip before anybody measured it (60 ms at 8 MB/s). */
const ROUND_TRIP_BYTES = 1 << 19;
/** Less than this on its way leaves gaps between small samples. Chosen. */
const LEAST_ROUND_TRIP_BYTES = 1 << 16;

export interface SampleReaderOptions {
  readonly index: SampleIndex;
  readonly fetcher: RangeFetcher;
  /** Bytes asked for ahead of what was handed out, default 8 MiB. */
  readonly aheadBytes?: number;
}

/** Hands out coded samples of visits, fetching what they need and no more than a bounded stretch ahead. */
export interface SampleReader {
  /**
   * Samples of one visit in decode order: those that its frames need (`visitSamples`). Pull-driven. Leaving the loop early
   * cancels nothing that other visits may use. Errors: ERR_SOURCE_* of the source, ERR_SOURCE_TRUNCATED where the file ends
   * before a sample, after all that are whole were handed out; ERR_ABORTED by `signal`.
   */
  samples(visit: Visit, signal?: AbortSignal): AsyncIterable<CodedSample>;
  /** Replaces the list of visits that come after the running one; their bytes are fetched in that order, bounded by `aheadBytes`. */
  prefetch(visits: readonly Visit[]): void;
  /**
   * Tells how many bytes the link carries in a round trip: the next range is asked for when no more are still to come. Less
   * leaves the link idle; more makes ranges share it that could have come one after the other. Default 512 KiB.
   */
  pace(roundTripBytes: number): void;
  /** Bytes of the sample that are not here yet; 0 = reading it costs nothing. */
  missingBytes(sample: number): number;
  /** Memory held by bytes here and on their way. */
  readonly cachedBytes: number;
  /** Cancels all reads. Idempotent. */
  close(): void;
}

/** Rows of the index that a visit needs, from one on: not those to which nothing refers and that nobody wants (`wanted`: its `keep`). */
export function* visitSamples(
  index: SampleIndex,
  visit: Visit,
  { from = visit.firstSample, wanted = new Set(visit.keep) }: { from?: number; wanted?: ReadonlySet<number> } = {},
): Generator<number> {
  for (let sample = from; sample <= visit.lastSample; sample++) {
    if (visit.skip === 'nokey' && !index.sync[sample]) continue;
    if (index.disposable[sample] && !wanted.has(index.frameNumber[sample] ?? -1)) continue;
    yield sample;
  }
}

interface Stretch {
  start: number;
  end: number;
}

/** A visit whose samples are, or soon will be, handed out. */
interface Run {
  readonly visit: Visit;
  readonly wanted: ReadonlySet<number>;
  /** The row that is due. */
  next: number;
}

export function createSampleReader({ index, fetcher, aheadBytes = 1 << 23 }: SampleReaderOptions): SampleReader {
  if (!(aheadBytes >= PIECE_BYTES)) throw new OptionError('aheadBytes must be at least 1 MiB', { aheadBytes });
  const isDisposable = disposabilityReader(index);
  const active = new Set<Run>();
  let upcoming: readonly Run[] = [];
  let roundTripBytes = ROUND_TRIP_BYTES;

  const startOf = (sample: number) => index.offset[sample] ?? 0;
  const endOf = (sample: number) => startOf(sample) + (index.sizeBytes[sample] ?? 0);
  const fileEnd = () => fetcher.source.sizeBytes ?? Number.POSITIVE_INFINITY;

  const runOf = (visit: Visit): Run => ({ visit, wanted: new Set(visit.keep), next: visit.firstSample });

  /** Byte stretches of a run from the row that is due on, neighbours merged, at least the first `aheadBytes` of them. */
  function* stretches({ visit, wanted, next }: Run): Generator<Stretch> {
    let open: Stretch | undefined;
    for (const sample of visitSamples(index, visit, { from: next, wanted })) {
      const start = startOf(sample);
      const end = Math.min(endOf(sample), fileEnd());
      if (end <= start) continue;
      if (open && start >= open.start && start - open.end <= MERGE_GAP_BYTES) {
        open.end = Math.max(open.end, end);
        if (open.end - open.start >= aheadBytes) break;
      } else {
        if (open) yield open;
        open = { start, end };
      }
    }
    if (open) yield open;
  }

  /** Asks for the next ranges of a run, whatever their number those before `dueEnd`; returns the bytes ahead, asked for or here. */
  function pumpRun(run: Run, aheadBefore: number, dueEnd = 0): number {
    let ahead = aheadBefore;
    for (const stretch of stretches(run)) {
      for (let at = stretch.start; at < stretch.end; ) {
        if (ahead >= aheadBytes && at >= dueEnd) return ahead;
        const covered = Math.min(fetcher.coveredTo(at), stretch.end);
        if (covered > at) {
          ahead += covered - at;
          at = covered;
          continue;
        }
        const busy =
          fetcher.inFlight >= MAX_IN_FLIGHT || (fetcher.inFlight > 0 && fetcher.outstandingBytes >= roundTripBytes);
        if (busy) return Number.POSITIVE_INFINITY;
        const end = Math.min(stretch.end, at + PIECE_BYTES, fetcher.nextCovered(at));
        fetcher.request(at, end);
      }
    }
    return ahead;
  }

  /** Every running visit has its own allowance, or one that nobody pulls would starve the others; the upcoming ones share one. */
  function pump(): void {
    if (fetcher.closed) return;
    let ahead = 0;
    // A sample may be larger than all that is read ahead: it is needed as a whole.
    for (const run of active) ahead = Math.max(ahead, pumpRun(run, 0, endOf(run.next)));
    for (const run of upcoming) {
      if (ahead >= aheadBytes) return;
      ahead = pumpRun(run, ahead);
    }
  }

  fetcher.onProgress = pump;

  async function* samples(visit: Visit, signal?: AbortSignal): AsyncGenerator<CodedSample> {
    const run = runOf(visit);
    active.add(run);
    upcoming = upcoming.filter((other) => other.visit !== visit);
    let handedBytes = Number.POSITIVE_INFINITY;
    try {
      for (const sample of visitSamples(index, visit, { wanted: run.wanted })) {
        run.next = sample;
        if (signal?.aborted) throw aborted(signal.reason);
        const here = fetcher.peek(startOf(sample), endOf(sample));
        // Looking ahead costs a step for each small sample there: not for each of them.
        if (!here || handedBytes >= PUMP_BYTES) {
          handedBytes = 0;
          pump();
        }
        handedBytes += endOf(sample) - startOf(sample);
        if (endOf(sample) > fileEnd()) throw truncated(sample);
        const bytes = here ?? (await fetcher.bytes(startOf(sample), endOf(sample), signal));
        if (isDisposable(bytes)) index.disposable[sample] = 1;
        run.next = sample + 1;
        yield { sample, bytes };
      }
    } finally {
      active.delete(run);
    }
  }

  const truncated = (sample: number) =>
    new TikitakaError('ERR_SOURCE_TRUNCATED', 'the file ends before its index says', {
      details: { sample, of: index.sampleCount, offset: startOf(sample), sizeBytes: fileEnd() },
    });

  return {
    samples,
    prefetch(visits) {
      upcoming = visits.map(runOf);
      pump();
    },
    pace(bytes) {
      roundTripBytes = Math.max(LEAST_ROUND_TRIP_BYTES, bytes);
    },
    missingBytes: (sample) => Math.max(0, endOf(sample) - fetcher.heldTo(startOf(sample))),
    get cachedBytes() {
      return fetcher.cachedBytes;
    },
    close: () => fetcher.close(),
  };
}
