import type { Observable } from 'rxjs';

/** One challenge as the answerer sees it: authenticated, parsed, its URL not yet judged. */
export interface Challenge {
  /** The first caller's id; for logs and the timeline only, since later callers with other ids may join the run. */
  readonly challengeId: string;
  readonly videoUrl: string;
  /** When its head had arrived, on `performance.now()`'s clock, ms: from then on the caller waits, and the budget is counted. */
  readonly receivedAtMs: number;
}

/** A whole-clip answer in wire form without the members that differ from caller to caller. */
export interface EncodedAnswer {
  /**
   * UTF-8 JSON text that follows `{"challenge_id":…,"processing_time":…,"cached":…,` in the body, closing brace included and
   * without any line break: `"frames":[…]}`. The bytes must not change any more: they are sent to every caller and kept.
   */
  readonly tail: Uint8Array;
  /** What the answer depends on besides the URL (ETag or length); handed back to `isCurrent`. */
  readonly version?: string;
  /** Passing circumstances (a fault of origin, decoder or models; a cold start) made it poorer than it could be: it is sent, but not kept. Default false. */
  readonly disturbed?: boolean;
  /** Told once how long the body's compression took, ms: whoever has a deadline keeps that free the next time. */
  readonly onCompressed?: (ms: number) => void;
  /** What was done for it; comes back in `ChallengeRecord`. */
  readonly report?: RunReport;
}

/** What a run did: in a word, for people and for machines. */
export interface RunReport {
  /** `partial`: a fault cut it short, or it shows little of its clip; `late`: its budget ended before anything was found. */
  readonly outcome: 'answered' | 'partial' | 'late';
  readonly text: string;
  readonly figures: object;
}

/** A challenge of somebody who was let in, when its answer has left or will not any more. */
export interface ChallengeRecord {
  readonly challengeId: string;
  readonly caller: string;
  /** As the caller wrote it: it may carry secrets in its query. */
  readonly videoUrl: string;
  /** `answered`, or the code of what came instead. */
  readonly outcome: string;
  /** Whether the answer was kept from, or the run begun by, an earlier caller. */
  readonly shared: 'cached' | 'joined' | undefined;
  /** From the head of the request to the end of the answer, ms. */
  readonly tookMs: number;
  /** On the wire, head included. */
  readonly sentBytes: number;
  /** Of the run that made the answer. */
  readonly report: RunReport | undefined;
  readonly error: unknown;
  /** Whether the error is a fault of ours, nothing that callers or origins did. */
  readonly isOurFault: boolean;
}

/** How far a run is. */
export interface Progress {
  readonly framesMeasured: number;
  readonly framesTotal: number;
  /** Wire objects (`{"frame_number":…}`) of the frames measured since the event before, as JSON texts without line breaks. */
  readonly frames: readonly string[];
}

/** What comes before the answer is made only when a caller wants a stream: `read` may be called by many, or never. */
export type AnswererEvent =
  /** First touch: the wire object of one frame; at most once, before the others. */
  | { readonly type: 'first'; readonly read: () => string }
  | { readonly type: 'progress'; readonly read: () => Progress }
  /** The answer, once and last. */
  | { readonly type: 'answer'; readonly answer: EncodedAnswer };

/** What turns a challenge into an answer: the pipeline as joined by the composition root, or a fake in a test. */
export interface Answerer {
  /**
   * Cold: subscribing starts the run, unsubscribing ends it at once (no new byte read, packet decoded or batch started).
   * Emits at most one `first`, any `progress`, exactly one `answer`, then completes. Errors: TikitakaError with any code
   * of `statusOf`; others are shown to callers as 500 without their text.
   */
  answer(challenge: Challenge): Observable<AnswererEvent>;
  /**
   * Asked before a kept answer is sent again: is `version` still what the URL holds? Cold; unsubscribing ends the question at once.
   * `false` starts a new run; an error means that nobody knows, and the kept answer is sent.
   */
  isCurrent?(videoUrl: string, version: string): Observable<boolean>;
}
