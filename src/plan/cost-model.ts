/** What the planner believes of this machine and this link; all times in ms of wall clock. */
export interface Speeds {
  /** Of the link, while it is the bottleneck. */
  readonly bytesPerMs: number;
  /** From asking for a range to its first byte. */
  readonly rttMs: number;
  /** Decoding of one coded frame by kind. */
  readonly keyMs: number;
  readonly referenceMs: number;
  readonly lateMs: number;
  /** Scaling of one kept frame. */
  readonly scaleMs: number;
  /** Inference of one more frame in a batch. */
  readonly inferMs: number;
}

/** How much there is to do. */
export interface Work {
  readonly bytes: number;
  readonly keys: number;
  readonly references: number;
  readonly late: number;
  readonly kept: number;
}

/** Learns from what was measured; see `Speeds`. */
export interface CostModel {
  readonly speeds: Speeds;
  /** Decoding of `work` took `ms` inside the decoder, waits for bytes and for slots not counted. */
  observeDecode(work: Work, ms: number): void;
  /** `bytes` arrived within `ms` of waiting for them. */
  observeLink(bytes: number, ms: number): void;
  observeRtt(ms: number): void;
  /** One frame's share of a batch, as the runner now predicts it. */
  observeInfer(msPerFrame: number): void;
}

/** A first byte that takes longer tells of the server (a cache miss), not of the link, ms. Chosen. */
const LONGEST_RTT_MS = 300;
/** Weight of what is newest. Chosen: follows a change of load within about four visits. */
const NEWEST = 0.35;

/**
 * Before anything was measured: docs/measurements.md "Decoding" (1080p, two threads; 250 frames cost 1538 ms of CPU, of which reference
 * frames 900; a keyframe alone keeps one thread busy), and the link of docs/measurements.md "The situation".
 */
export function priorSpeeds(width: number, height: number, inferMs: number): Speeds {
  const size = (width * height) / (1920 * 1080);
  return {
    bytesPerMs: 5000,
    rttMs: 60,
    keyMs: 20 * size,
    referenceMs: 6 * size,
    lateMs: 3 * size,
    scaleMs: 2.2 * size,
    inferMs,
  };
}

/** Work in ms of the decoder. */
export function decodeMs(speeds: Speeds, { keys, references, late, kept }: Work): number {
  return keys * speeds.keyMs + references * speeds.referenceMs + late * speeds.lateMs + kept * speeds.scaleMs;
}

/**
 * The slowest stage decides: fetching, decoding and inference overlap, each measured while the others run. The models begin
 * with the `backlogFrames` that are decoded already.
 */
export function wallMs(speeds: Speeds, work: Work, backlogFrames = 0): number {
  const inferMs = (work.kept + backlogFrames) * speeds.inferMs;
  return Math.max(work.bytes / speeds.bytesPerMs, decodeMs(speeds, work), inferMs);
}

export function createCostModel(prior: Speeds): CostModel {
  let speeds = prior;
  let knowsDeep = false;
  const towards = (old: number, seen: number, weight = NEWEST) =>
    old + (Math.min(Math.max(seen, old / 4), old * 4) - old) * weight;
  return {
    get speeds() {
      return speeds;
    },
    observeDecode(work, ms) {
      const { keyMs, scaleMs, referenceMs, lateMs } = speeds;
      const shallowMs = work.keys * keyMs + work.kept * scaleMs;
      const deepMs = work.references * referenceMs + work.late * lateMs;
      if (!(shallowMs + deepMs > 0 && ms > 0)) return;
      const shallow = deepMs > 0 ? 1 : towards(1, ms / shallowMs);
      // Until one was measured on its own, what is said of keyframes is said of the machine.
      const deep = deepMs > 0 ? towards(1, (ms - shallowMs) / deepMs) : knowsDeep ? 1 : shallow;
      knowsDeep ||= deepMs > 0;
      speeds = {
        ...speeds,
        keyMs: keyMs * shallow,
        scaleMs: scaleMs * shallow,
        referenceMs: referenceMs * deep,
        lateMs: lateMs * deep,
      };
    },
    observeLink(bytes, ms) {
      if (!(bytes > 0 && ms > 0)) return;
      const { bytesPerMs, rttMs } = speeds;
      // What arrives within a few round trips tells more of them than of the link.
      const weight = (NEWEST * bytes) / (bytes + 4 * rttMs * bytesPerMs);
      speeds = { ...speeds, bytesPerMs: towards(bytesPerMs, bytes / ms, weight) };
    },
    observeRtt(ms) {
      if (ms > 0) speeds = { ...speeds, rttMs: Math.min(ms, LONGEST_RTT_MS) };
    },
    observeInfer(msPerFrame) {
      if (msPerFrame > 0) speeds = { ...speeds, inferMs: msPerFrame };
    },
  };
}
