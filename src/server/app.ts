import type { Socket } from 'node:net';
import Router from '@koa/router';
import type Koa from 'koa';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { TikitakaError } from '../../operators/index.js';
import type { Answerer, ChallengeRecord } from './answerer.js';
import type { Auth } from './auth.js';
import { challengeRoute, type ServerLog } from './challenge-route.js';
import { createKoa, sendJson } from './create-koa.js';
import { errorResponse } from './error-response.js';
import { createMetrics, type GaugeSource } from './metrics.js';
import { challengePath, openApiDocument } from './openapi.js';
import { createRefusals, type RefusedReason } from './refusals.js';
import { createRuns } from './runs.js';
import type { Readiness } from './schema.js';

export interface AppDeps {
  readonly auth: Auth;
  readonly answerer: Answerer;
  /** What `/readyz` says; while it is not ready, `/availability` is false. Called on every request: must only look. Default always ready. */
  readonly readiness?: () => Readiness;
  readonly log?: ServerLog;
  /** Told of every challenge of a caller who was let in, once, at its end: its line in the log. Default nobody. */
  readonly onChallenge?: (record: ChallengeRecord) => void;
  /** Of the package, for `/openapi.json`. */
  readonly version: string;
  /** Runs at once, 1 or more. Default 1. */
  readonly maxConcurrentChallenges?: number;
  /** How long a finished answer is kept for later callers of the same URL, ms; 0 = not at all. Default 600,000. */
  readonly answerCacheMs?: number;
  /** Bound on kept answers together. Default 64 MiB (chosen: about 30 clips of 750 frames). */
  readonly answerCacheMaxBytes?: number;
  /** How long an origin is asked whether a kept answer still holds, ms; then the answer is sent unasked. 0 = never asked. Default 300. */
  readonly revalidateMs?: number;
  /** Most bytes of a challenge's body. Default 65,536 (docs/protocol.md §1). */
  readonly maxBodyBytes?: number;
  /** Longest time for a body to arrive, ms. Default 10,000. */
  readonly bodyTimeoutMs?: number;
  /** Sign of life on a streamed answer, ms. Default 5,000. */
  readonly heartbeatMs?: number;
  /** Longest run, ms. Default 240,000: the callers' own time-out (docs/protocol.md §1). */
  readonly maxRunMs?: number;
  /** HTML of the page at `/` of the status address; default none: 404. */
  readonly statusPage?: (state: StatusState) => string;
  /** Further gauges for `/metrics` by full name. */
  readonly gauges?: Readonly<Record<string, GaugeSource>>;
  /** Times cuts and the answer cache. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** What the app knows for its status page. */
export interface StatusState {
  readonly available: boolean;
  readonly activeRuns: number;
  /** Requests that were turned away, latest reason first. */
  readonly refusals: readonly RefusedReason[];
}

/** The HTTP application; it listens nowhere until `serve` takes it. */
export interface ServerApp {
  /** Middleware may be added with `koa.use` until it is served; unknown paths are answered after all of it. */
  readonly koa: Koa;
  /** `/metrics`, the status page and the probes, for the operator: to be served on an address that strangers do not reach. */
  readonly statusKoa: Koa;
  /** Challenges being answered. */
  readonly activeRuns: number;
  /** Whether a challenge for a new clip would be accepted now: what `/availability` says. */
  readonly available: boolean;
  /** Refuses new challenges from now on, and asks callers to close their connections; idempotent. */
  drain(): void;
  /** Ends what runs with ERR_SHUTDOWN. */
  cut(): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  /** Whether a challenge of somebody who may put one is being answered on this connection: it is not closed to make room. */
  serves(connection: Socket): boolean;
  /** To be told of what was refused before there was a request (not HTTP, a late head, too many connections); counts it. */
  refused(error: TikitakaError, connection: Socket): void;
}

const silent: ServerLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Builds the application from its ports. Throws ERR_OPTION for limits that cannot be. */
export function createApp(deps: AppDeps): ServerApp {
  const { auth, answerer, readiness = () => ({ ready: true, checks: {} }), log = silent, version } = deps;
  const { scheduler = asyncScheduler } = deps;
  const runs = createRuns({
    answerer,
    maxConcurrent: deps.maxConcurrentChallenges ?? 1,
    cacheTtlMs: deps.answerCacheMs ?? 600_000,
    cacheMaxBytes: deps.answerCacheMaxBytes ?? 64 << 20,
    revalidateMs: deps.revalidateMs ?? 300,
    maxRunMs: deps.maxRunMs ?? 240_000,
    scheduler,
  });
  const available = () => runs.free && readiness().ready;
  const metrics = createMetrics({
    gauges: {
      tikitaka_runs_active: { help: 'Challenges being answered', value: () => runs.active },
      tikitaka_available: { help: 'What /availability says', value: () => Number(available()) },
      ...deps.gauges,
    },
  });
  const openApi = JSON.stringify(openApiDocument(version));
  const refusals = createRefusals({ log, scheduler });
  /** Connections on which a challenge is being answered. */
  const serving = new Set<Socket>();
  let draining = false;

  const probes = (router: Router) => {
    router.get('/livez', (ctx) => {
      ctx.body = 'ok';
    });
    router.get('/readyz', (ctx) => {
      const { ready, checks } = readiness();
      const state = {
        ready: ready && !draining,
        checks: { ...checks, ...(draining ? { serving: { ok: false } } : {}) },
      };
      sendJson(ctx, state, state.ready ? 200 : 503);
    });
    return router;
  };
  const router = probes(new Router());
  router.post(
    challengePath,
    challengeRoute({
      auth,
      runs,
      metrics,
      onChallenge: deps.onChallenge,
      serving,
      maxBodyBytes: deps.maxBodyBytes ?? 65_536,
      bodyTimeoutMs: deps.bodyTimeoutMs ?? 10_000,
      heartbeatMs: deps.heartbeatMs ?? 5_000,
      now: () => performance.now(),
    }),
  );
  router.get('/availability', (ctx) => sendJson(ctx, { available: available() }));
  router.get('/openapi.json', (ctx) => {
    ctx.set('Content-Type', 'application/json');
    ctx.body = openApi;
  });

  const statusRouter = probes(new Router());
  statusRouter.get('/metrics', async (ctx) => {
    ctx.set('Content-Type', metrics.contentType);
    ctx.body = await metrics.text();
  });
  const { statusPage } = deps;
  if (statusPage) {
    statusRouter.get('/', (ctx) => {
      ctx.set({
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
        'Cache-Control': 'no-store',
      });
      ctx.type = 'html';
      ctx.body = statusPage({ available: available(), activeRuns: runs.active, refusals: refusals.reasons });
    });
  }

  const shared = { metrics, refusals, log, isClosing: () => draining };
  return {
    koa: createKoa({ ...shared, router }),
    statusKoa: createKoa({ ...shared, router: statusRouter }),
    get activeRuns() {
      return runs.active;
    },
    get available() {
      return available();
    },
    drain() {
      draining = true;
      runs.drain();
    },
    cut() {
      runs.cut();
      refusals.close();
    },
    idle: runs.idle,
    serves: (connection) => serving.has(connection),
    refused(error, connection) {
      metrics.countRequest('other', errorResponse(error).status, 0);
      refusals.note(error, { target: '-', from: connection.remoteAddress ?? '-' });
    },
  };
}
