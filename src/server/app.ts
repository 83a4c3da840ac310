import Router from '@koa/router';
import Koa, { type Context, type Next } from 'koa';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import type { Answerer } from './answerer.js';
import type { Auth } from './auth.js';
import { challengeRoute, type ServerLog } from './challenge-route.js';
import { errorResponse } from './error-response.js';
import { createMetrics, type GaugeSource } from './metrics.js';
import { challengePath, openApiDocument } from './openapi.js';
import { createRuns } from './runs.js';
import type { Readiness } from './schema.js';

export interface AppDeps {
  readonly auth: Auth;
  readonly answerer: Answerer;
  /** What `/readyz` says; while it is not ready, `/availability` is false. Called on every request: must only look. Default always ready. */
  readonly readiness?: () => Readiness;
  readonly log?: ServerLog;
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
  /** Most bytes of a challenge's body. Default 65,536 (PROTOCOL §1). */
  readonly maxBodyBytes?: number;
  /** Longest time for a body to arrive, ms. Default 10,000. */
  readonly bodyTimeoutMs?: number;
  /** Sign of life on a streamed answer, ms. Default 5,000. */
  readonly heartbeatMs?: number;
  /** Longest run, ms. Default 240,000: the callers' own time-out (PROTOCOL §1). */
  readonly maxRunMs?: number;
  /** HTML of the page at `/`; default none: 404. */
  readonly statusPage?: (app: Pick<ServerApp, 'available' | 'activeRuns'>) => string;
  /** Further gauges for `/metrics` by full name. */
  readonly gauges?: Readonly<Record<string, GaugeSource>>;
  /** Times cuts and the answer cache. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** The HTTP application; it listens nowhere until `serve` takes it. */
export interface ServerApp {
  /** Middleware may be added with `koa.use` until it is served; unknown paths are answered after all of it. */
  readonly koa: Koa;
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
  let draining = false;

  const router = new Router();
  router.post(
    challengePath,
    challengeRoute({
      auth,
      runs,
      metrics,
      log,
      maxBodyBytes: deps.maxBodyBytes ?? 65_536,
      bodyTimeoutMs: deps.bodyTimeoutMs ?? 10_000,
      heartbeatMs: deps.heartbeatMs ?? 5_000,
      now: () => performance.now(),
    }),
  );
  router.get('/availability', (ctx) => sendJson(ctx, { available: available() }));
  router.get('/livez', (ctx) => {
    ctx.body = 'ok';
  });
  router.get('/readyz', (ctx) => {
    const { ready, checks } = readiness();
    const state = { ready: ready && !draining, checks: { ...checks, ...(draining ? { serving: { ok: false } } : {}) } };
    sendJson(ctx, state, state.ready ? 200 : 503);
  });
  router.get('/metrics', async (ctx) => {
    ctx.set('Content-Type', metrics.contentType);
    ctx.body = await metrics.text();
  });
  router.get('/openapi.json', (ctx) => {
    ctx.set('Content-Type', 'application/json');
    ctx.body = openApi;
  });

  const { statusPage } = deps;
  if (statusPage) {
    router.get('/', (ctx) => {
      ctx.set({
        'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
        'Cache-Control': 'no-store',
      });
      ctx.type = 'html';
      ctx.body = statusPage({ available: available(), activeRuns: runs.active });
    });
  }

  const koa = new Koa();
  // Connections that break while an answer is written end here: the route has logged them.
  koa.on('error', (error: unknown) => log.debug({ err: error }, 'connection error'));
  koa.use(async (ctx, next) => {
    const startedMs = performance.now();
    ctx.res.once('close', () => {
      const route = router.match(ctx.path, ctx.method).path.length > 0 ? ctx.path : 'other';
      metrics.countRequest(route, ctx.status, (performance.now() - startedMs) / 1000);
    });
    await answerErrors(ctx, async () => {
      await next();
      if (ctx.status === 404 && ctx.body == null) throw unknownRoute(router, ctx);
    });
    if (draining) ctx.set('Connection', 'close');
  });
  koa.use(router.routes());
  return {
    koa,
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
    cut: runs.cut,
    idle: runs.idle,
  };

  /** Turns whatever is thrown into the answer that callers expect. */
  async function answerErrors(ctx: Context, next: Next): Promise<void> {
    try {
      await next();
    } catch (error) {
      const { status, body, headers } = errorResponse(error);
      if (status === 500) log.error({ err: error, path: ctx.path }, 'request failed');
      ctx.set({ ...headers });
      sendJson(ctx, body, status);
    }
  }
}

function sendJson(ctx: Context, body: object, status = 200): void {
  ctx.status = status;
  // FastAPI's own content type: no charset.
  ctx.set('Content-Type', 'application/json');
  ctx.body = JSON.stringify(body);
}

function unknownRoute(router: Router, ctx: Context): TikitakaError {
  const methods = router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods);
  if (methods.length === 0) return new TikitakaError('ERR_NOT_FOUND', 'Not Found');
  return new TikitakaError('ERR_METHOD', 'Method Not Allowed', { details: { allow: methods.join(', ') } });
}
