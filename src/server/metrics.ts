import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** A value read whenever metrics are asked for. */
export interface GaugeSource {
  readonly help: string;
  /** Undefined: unknown at the moment, so not shown. */
  readonly value: () => number | undefined;
}

export interface MetricsOptions {
  /** Further gauges by full metric name, e.g. `tikitaka_chain_view_age_seconds`. */
  readonly gauges?: Readonly<Record<string, GaugeSource>>;
}

/** What `/metrics` shows. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  /** Any HTTP answer; `route` is the path of a known route or `other`, so that strangers cannot add series. */
  countRequest(route: string, status: number, durationS: number): void;
  /** A challenge that ended: `answered`, `joined`, `cached`, or the code of its error. */
  countChallenge(outcome: string, durationS: number): void;
}

/** From a cached answer (ms) to the callers' time-out of 240 s. */
const durationBucketsS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 240];

export function createMetrics({ gauges = {} }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'tikitaka_http_requests_total',
    help: 'HTTP answers',
    labelNames: ['route', 'status'],
    registers,
  });
  const requestTimes = new Histogram({
    name: 'tikitaka_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer',
    labelNames: ['route'],
    buckets: durationBucketsS,
    registers,
  });
  const challenges = new Counter({
    name: 'tikitaka_challenges_total',
    help: 'Challenges by outcome: answered, joined, cached or an error code',
    labelNames: ['outcome'],
    registers,
  });
  const challengeTimes = new Histogram({
    name: 'tikitaka_challenge_duration_seconds',
    help: 'From the head of a challenge to its answer or error',
    labelNames: ['outcome'],
    buckets: durationBucketsS,
    registers,
  });
  for (const [name, { help, value }] of Object.entries(gauges)) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const now = value();
        if (now === undefined) this.remove();
        else this.set(now);
      },
    });
  }
  collectDefaultMetrics({ register: registry });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    countRequest(route, status, durationS) {
      requests.inc({ route, status });
      requestTimes.observe({ route }, durationS);
    },
    countChallenge(outcome, durationS) {
      challenges.inc({ outcome });
      challengeTimes.observe({ outcome }, durationS);
    },
  };
}
