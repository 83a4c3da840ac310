import type { Socket } from 'node:net';
import type { Context } from 'koa';
import { filter, firstValueFrom, map, tap } from 'rxjs';
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
  readonly log: ServerLog;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Holds the connections on which a challenge is being answered whose caller was let in. */
  readonly serving: Set<Socket>;
  /** `performance.now()`'s clock, ms. */
  readonly now: () => number;
}

type AnswerEvent = Extract<RunEvent, { type: 'answer' }>;

/** What is known of a challenge when it ends; becomes its log line. */
interface Facts {
  caller?: string;
  challengeId?: string;
  videoUrl?: string;
  outcome?: string;
  bytes?: number;
  error?: unknown;
}

/** Koa middleware for `POST` of a challenge: judge the caller, parse, share a run, answer as JSON or as a stream (PROTOCOL §1). */
export function challengeRoute(options: ChallengeRouteOptions): (ctx: Context) => Promise<void> {
  const { auth, runs, metrics, log, maxBodyBytes, bodyTimeoutMs, heartbeatMs, serving, now } = options;

  const answer = async (ctx: Context, startedMs: number, facts: Facts) => {
    const session = auth.open(ctx.headers);
    facts.caller = session.caller;
    const body = await readBody(ctx.req, { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs });
    session.verify(body);
    serving.add(ctx.req.socket);
    const challenge = parseChallenge(body);
    Object.assign(facts, challenge);

    const events$ = runs.join({ ...challenge, receivedAtMs: startedMs }).pipe(untilHangUp(ctx.res));
    const head = ({ shared }: AnswerEvent) => {
      facts.outcome = shared ?? 'answered';
      const processingS = (now() - startedMs) / 1000;
      return { challengeId: challenge.challengeId, processingS, cached: shared === 'cached' };
    };
    const format = streamFormat(ctx);
    if (format) {
      const wire$ = events$.pipe(
        map((event) => wireEvent(event, head)),
        tap({ error: (error) => fail(error, facts) }),
      );
      ctx.body = await eventStream(wire$, { format, heartbeatMs });
      ctx.set({ 'Content-Type': streamTypes[format], 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' });
      return;
    }
    const event = await firstValueFrom(events$.pipe(filter((each) => each.type === 'answer')));
    const zipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
    const bytes = zipped ? await event.answer.gzip(head(event)) : event.answer.plain(head(event));
    facts.bytes = bytes.length;
    if (zipped) ctx.set('Content-Encoding', 'gzip');
    ctx.set({ 'Content-Type': 'application/json', Vary: 'Accept-Encoding' });
    ctx.body = bytes;
  };

  return async (ctx) => {
    const startedMs = now();
    const facts: Facts = {};
    const { socket } = ctx.req;
    ctx.res.once('close', () => {
      serving.delete(socket);
      const { error, ...known } = facts;
      const outcome = ctx.res.writableFinished && facts.outcome ? facts.outcome : 'ERR_ABORTED';
      const ms = now() - startedMs;
      metrics.countChallenge(outcome, ms / 1000);
      const level = facts.challengeId === undefined ? 'debug' : error === undefined ? 'info' : 'warn';
      // Strangers must not be able to fill the log: who was not let in is only counted.
      log[level](
        { ...known, outcome, ms: Math.round(ms), ...(error === undefined ? {} : { err: error }) },
        'challenge',
      );
    });
    try {
      await answer(ctx, startedMs, facts);
    } catch (error) {
      fail(error, facts);
      throw error;
    }
  };
}

function fail(error: unknown, facts: Facts): void {
  facts.outcome = errorResponse(error).code;
  facts.error = error;
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
