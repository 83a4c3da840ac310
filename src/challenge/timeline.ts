/** The stages of a challenge, in the order of the flow (docs/architecture.md "The flow"). */
export type Stage =
  | 'connect'
  | 'fetch'
  | 'open'
  | 'plan'
  | 'decode'
  | 'batch'
  | 'infer'
  | 'scene'
  | 'encode'
  | 'answer';

/** One piece of work of one stage; times in ms on the timeline's clock, counted from the request. */
export interface Span {
  readonly stage: Stage;
  readonly startMs: number;
  readonly endMs: number;
  /** Small plain facts: bytes, frames, batch size. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export interface StageSummary {
  readonly stage: Stage;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Sum of span durations: more than `lastMs − firstMs` where spans overlap. */
  readonly busyMs: number;
  readonly count: number;
}

/** The spans of one challenge on one monotonic clock; logs, the waterfall and the trace file are views of it (docs/architecture.md "One clock"). */
export interface Timeline {
  /** ms since the request on the timeline's clock. */
  elapsedMs(): number;
  /** Opens a span; calling the returned function closes it (once; later calls do nothing). */
  begin(stage: Stage, facts?: Span['facts']): (more?: Span['facts']) => void;
  /** Names a moment, e.g. `first-finding`; the first time counts. */
  mark(name: string): void;
  readonly marks: ReadonlyMap<string, number>;
  readonly spans: readonly Span[];
  /** Spans not kept because the bound was reached. */
  readonly droppedSpans: number;
  summary(): readonly StageSummary[];
}

export interface TimelineOptions {
  /** Monotonic clock in ms; a test passes its scheduler's. Default `performance.now`. */
  readonly now?: () => number;
  /** The request's time on that clock; default now. */
  readonly startedAtMs?: number;
  /** Bound on kept spans (chosen: a 300 s clip batched by 8 needs about 3,000). Default 4096. */
  readonly maxSpans?: number;
}

export function createTimeline({
  now = () => performance.now(),
  startedAtMs,
  maxSpans = 4096,
}: TimelineOptions = {}): Timeline {
  const origin = startedAtMs ?? now();
  const spans: Span[] = [];
  const marks = new Map<string, number>();
  let droppedSpans = 0;
  const elapsedMs = () => now() - origin;
  return {
    elapsedMs,
    begin(stage, facts = {}) {
      const startMs = elapsedMs();
      let open = true;
      return (more = {}) => {
        if (!open) return;
        open = false;
        if (spans.length < maxSpans) spans.push({ stage, startMs, endMs: elapsedMs(), facts: { ...facts, ...more } });
        else droppedSpans++;
      };
    },
    mark(name) {
      if (!marks.has(name)) marks.set(name, elapsedMs());
    },
    marks,
    spans,
    get droppedSpans() {
      return droppedSpans;
    },
    summary: () => summarise(spans),
  };
}

function summarise(spans: readonly Span[]): StageSummary[] {
  const byStage = new Map<Stage, StageSummary>();
  for (const { stage, startMs, endMs } of spans) {
    const known = byStage.get(stage) ?? { stage, firstMs: startMs, lastMs: endMs, busyMs: 0, count: 0 };
    byStage.set(stage, {
      stage,
      firstMs: Math.min(known.firstMs, startMs),
      lastMs: Math.max(known.lastMs, endMs),
      busyMs: known.busyMs + endMs - startMs,
      count: known.count + 1,
    });
  }
  return [...byStage.values()].sort((a, b) => a.firstMs - b.firstMs);
}

/** The timeline as a Chrome-trace object (open in Perfetto or chrome://tracing); one row per stage, times in µs. */
export function toChromeTrace(timeline: Timeline): { readonly traceEvents: readonly object[] } {
  const rows = new Map<Stage, number>();
  const row = (stage: Stage) => {
    const known = rows.get(stage) ?? rows.size + 1;
    rows.set(stage, known);
    return known;
  };
  const us = (ms: number) => Math.round(ms * 1000);
  const events = timeline.spans.map(({ stage, startMs, endMs, facts }) => ({
    name: stage,
    cat: 'stage',
    ph: 'X',
    pid: 1,
    tid: row(stage),
    ts: us(startMs),
    dur: us(endMs - startMs),
    args: facts,
  }));
  const marks = [...timeline.marks].map(([name, ms]) => ({ name, ph: 'i', s: 'p', pid: 1, tid: 0, ts: us(ms) }));
  const names = [...rows].map(([stage, tid]) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name: stage } }));
  return { traceEvents: [...names, ...events, ...marks] };
}

/** The timeline as text, at most `width` columns: one bar per stage from its first start to its last end. */
export function waterfall(timeline: Timeline, width = 96): string {
  const rows = timeline.summary();
  const moments = [...rows.map((row) => row.lastMs), ...timeline.marks.values()];
  const endMs = moments.reduce((latest, ms) => Math.max(latest, ms), 1);
  const barWidth = Math.max(10, width - 44);
  const at = (ms: number) => Math.round((Math.max(0, ms) / endMs) * barWidth);
  const lines = rows.map(({ stage, firstMs, lastMs, busyMs, count }) => {
    const from = Math.min(at(firstMs), barWidth - 1);
    const bar = ' '.repeat(from) + '█'.repeat(Math.max(1, at(lastMs) - from));
    const figures = `${firstMs.toFixed(0).padStart(6)} – ${lastMs.toFixed(0).padStart(6)} ms`;
    return `${stage.padEnd(8)}${bar.padEnd(barWidth)}${figures}  busy ${busyMs.toFixed(0)} ms/${count}`;
  });
  const marks = [...timeline.marks].map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`).join(' · ');
  return marks ? [...lines, marks].join('\n') : lines.join('\n');
}
