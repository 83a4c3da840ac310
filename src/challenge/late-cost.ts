import { TikitakaError } from '../../operators/index.js';
import type { ByteSource } from '../net/index.js';
import type { Timeline } from './timeline.js';

/** What took most of the time before the first finding. */
export interface LateCost {
  readonly what: string;
  readonly ms: number;
  /** The settings that take it away, where there are some. */
  readonly mend?: string;
}

export interface LateCostOptions {
  readonly target: string;
  readonly timeline: Pick<Timeline, 'elapsedMs' | 'marks' | 'spans'>;
  /** Undefined while nobody has answered. */
  readonly source: Pick<ByteSource, 'connection'> | undefined;
}

/** No origin in it: the status page shows it to anybody. */
const CONNECTED_BEFORE = 'PREWARM_ORIGINS connects at the start, KEEP_WARM_S keeps connected';

/** Names the largest cost between the request and the first finding; a step that is not over counts up to now. */
export function lateCost({ target, timeline, source }: LateCostOptions): LateCost {
  const span = (stage: string) => timeline.spans.find((one) => one.stage === stage);
  const connect = span('connect');
  const { dnsMs, tcpMs, tlsMs } = source?.connection.setUp ?? { dnsMs: 0, tcpMs: 0, tlsMs: 0 };
  const mend = /^https?:/i.test(target) ? { mend: CONNECTED_BEFORE } : {};
  const steps: readonly (Omit<LateCost, 'ms'> & { readonly endMs: number | undefined })[] = [
    ...(connect
      ? [{ what: 'connection set-up', endMs: connect.startMs + dnsMs + tcpMs + tlsMs, ...mend }]
      : [{ what: 'connecting', endMs: undefined, ...mend }]),
    { what: "the origin's first byte", endMs: connect?.endMs },
    { what: 'reading the index', endMs: span('open')?.endMs },
    { what: 'decoding the first frame', endMs: timeline.marks.get('first-frame') },
    { what: 'the first inference', endMs: timeline.marks.get('first-finding') },
  ];
  let begunMs = 0;
  let largest: LateCost = { what: '', ms: Number.NEGATIVE_INFINITY };
  for (const { endMs, ...step } of steps) {
    const ms = (endMs ?? timeline.elapsedMs()) - begunMs;
    if (ms > largest.ms) largest = { ...step, ms };
    if (endMs === undefined) break;
    begunMs = endMs;
  }
  return largest;
}

/** A budget that ended with nothing (ERR_BUDGET_EMPTY) says where its time went; other errors stay what they are. */
export function explainEmpty(error: unknown, options: LateCostOptions): unknown {
  if (!(error instanceof TikitakaError) || error.code !== 'ERR_BUDGET_EMPTY') return error;
  const cost = lateCost(options);
  const message = `${error.message}: ${showCost(cost)}`;
  return new TikitakaError(error.code, message, { cause: error, details: { ...error.details, cost } });
}

/** The cost and its cure in a few words. */
export function showCost({ what, ms, mend }: LateCost): string {
  return [`${what} ${(ms / 1000).toFixed(2)} s`, ...(mend ? [mend] : [])].join('; ');
}
