import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { Context } from 'koa';
import { filter, firstValueFrom, map, tap } from 'rxjs';
import type { Challenge, ChallengeRecord } from './answerer.js';
import type { Auth } from './auth.js';
import { errorResponse } from './error-response.js';
import { eventStream, type StreamFormat, streamTypes, type WireEvent } from './event-stream.js';
import { untilHangUp } from './hang-up.js';
import { readBody } from './json-body.js';
import type { Metrics } from './metrics.js';
import type { RunEvent, Runs } from './runs.js';
import { parseChallenge } from './schema.js';

/** The part of a pino logger that the server uses. */
export interface ServerLog {
  debug(facts: object, text: string): void;
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
}

export interface ChallengeRouteOptions {
  readonly auth: Auth;
  readonly runs: Runs;
  readonly metrics: Metrics;
  readonly onChallenge: ((record: ChallengeRecord) => void) | undefined;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Holds the connections on which a challenge is being answered whose caller was let in. */
  readonly serving: Set<Socket>;
  /** `performance.now()`'s clock, ms. */
  readonly now: () => number;
}

/** What nobody foresaw, and what this machine lacks. */
const ourFaults = new Set([500, 507]);

type AnswerEvent = Extract<RunEvent, { type: 'answer' }>;

/** What is known of a request when it ends. */
interface Facts {
  caller?: string;
  challenge?: Pick<Challenge, 'challengeId' | 'videoUrl'>;
  answer?: AnswerEvent;
  error?: unknown;
}

/** A longer body is sent piece by piece: putting it together would hold the event loop. Chosen: a millisecond. */
const COPIED_BYTES = 1 << 20;

/** Koa middleware for `POST` of a challenge: judge the caller, parse, share a run, answer as JSON or as a stream (docs/protocol.md §1). */
export function challengeRoute(options: ChallengeRouteOptions): (ctx: Context) => Promise<void> {
  const { auth, runs, metrics, onChallenge, maxBodyBytes, bodyTimeoutMs, heartbeatMs, serving, now } = options;

  const answer = async (ctx: Context, startedMs: number, facts: Facts) => {
    const session = auth.open(ctx.headers);
    facts.caller = session.caller;
    const body = await readBody(ctx.req, { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs });
    session.verify(body);
    serving.add(ctx.req.socket);
    const challenge = parseChallenge(body);
    facts.challenge = challenge;

    const events$ = runs.join({ ...challenge, receivedAtMs: startedMs }).pipe(untilHangUp(ctx.res));
    const head = (event: AnswerEvent) => {
      facts.answer = event;
      const processingS = (now() - startedMs) / 1000;
      return { challengeId: challenge.challengeId, processingS, cached: event.shared === 'cached' };
    };
    const format = streamFormat(ctx);
    if (format) {
      const wire$ = events$.pipe(
        map((event) => wireEvent(event, head)),
        tap({ error: (error) => Object.assign(facts, { error }) }),
      );
      ctx.body = await eventStream(wire$, { format, heartbeatMs });
      ctx.set({ 'Content-Type': streamTypes[format], 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' });
      return;
    }
    const event = await firstValueFrom(events$.pipe(filter((each) => each.type === 'answer')));
    const zipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    const parts = zipped ? [await event.answer.gzip(head(event))] : event.answer.plain(head(event));
    if (zipped) ctx.set('Content-Encoding', 'gzip');
    ctx.set({ 'Content-Type': 'application/json', Vary: 'Accept-Encoding' });
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    ctx.body = length <= COPIED_BYTES ? Buffer.concat(parts) : Readable.from(parts);
    ctx.length = length;
  };

  return async (ctx) => {
    const startedMs = now();
    const facts: Facts = {};
    const { socket } = ctx.req;
    const sentBefore = socket.bytesWritten;
    ctx.res.once('close', () => {
      serving.delete(socket);
      const { caller = '', challenge, answer, error } = facts;
      const failure = error === undefined ? undefined : errorResponse(error);
      const outcome = failure?.code ?? (ctx.res.writableFinished && answer ? 'answered' : 'ERR_ABORTED');
      const shared = answer?.shared;
      const tookMs = now() - startedMs;
      metrics.countChallenge(outcome === 'answered' ? (shared ?? outcome) : outcome, tookMs / 1000);
      // Strangers must not be able to fill the log: who was not let in is only counted.
      if (!challenge || !onChallenge) return;
      const { report } = answer?.answer ?? {};
      const sentBytes = socket.bytesWritten - sentBefore;
      const isOurFault = ourFaults.has(failure?.status ?? 0);
      try {
        onChallenge({ ...challenge, caller, outcome, shared, tookMs, sentBytes, report, error, isOurFault });
      } catch (thrown) {
        ctx.app.emit('error', thrown, ctx);
      }
    });
    try {
      await answer(ctx, startedMs, facts);
    } catch (error) {
      facts.error = error;
      // What became a challenge has a line of its own.
      if (facts.challenge && onChallenge) ctx.state.told = true;
      throw error;
    }
  };
}

function streamFormat(ctx: Context): StreamFormat | undefined {
  const type = ctx.accepts('application/json', streamTypes.ndjson, streamTypes.sse);
  if (type === streamTypes.ndjson) return 'ndjson';
  return type === streamTypes.sse ? 'sse' : undefined;
}

function wireEvent(
  event: RunEvent,
  head: (event: AnswerEvent) => Parameters<AnswerEvent['answer']['plain']>[0],
): WireEvent {
  if (event.type === 'first') return { event: 'first', members: { frame: event.read() } };
  if (event.type === 'answer') return { event: 'answer', members: { answer: event.answer.plain(head(event)) } };
  const { framesMeasured, framesTotal, frames } = event.read();
  return {
    event: 'progress',
    members: {
      frames_measured: String(framesMeasured),
      frames_total: String(framesTotal),
      frames: `[${frames.join(',')}]`,
    },
  };
}
