import type Router from '@koa/router';
import Koa, { type Context } from 'koa';
import { TikitakaError } from '../../operators/index.js';
import type { ServerLog } from './challenge-route.js';
import { errorResponse } from './error-response.js';
import { discardBody } from './json-body.js';
import type { Metrics } from './metrics.js';
import { printable, type Refusals, type RefusedRequest, shortHotkey } from './refusals.js';

export interface KoaOptions {
  readonly router: Router;
  readonly metrics: Metrics;
  readonly refusals: Refusals;
  readonly log: ServerLog;
  /** Asked at the end of each answer: whether the caller is to close its connection. */
  readonly isClosing: () => boolean;
}

/** More than any caller or proxy sends (chosen); the bytes of all of them are limited by `serve`. */
const maxHeaders = 100;

/** A Koa application around the routes of `router`: whatever comes is answered and counted once, and nothing that is thrown leaves it. */
export function createKoa({ router, metrics, refusals, log, isClosing }: KoaOptions): Koa {
  const koa = new Koa();
  // Connections that break while an answer is written end here: the route has logged them.
  koa.on('error', (error: NodeJS.ErrnoException) =>
    log.debug({ reason: error.code ?? error.message }, 'connection error'),
  );
  koa.use(async (ctx, next) => {
    const startedMs = performance.now();
    const target = originForm(ctx.url);
    // From here on nobody parses what a stranger made up: Koa's own parser throws at `http://[`, whoever asks it for the path.
    ctx.url = target ?? '/';
    const layers = target === undefined ? [] : router.match(ctx.path, ctx.method).path;
    // The pattern, not the path: `/LiveZ/` matches too, and each spelling would be a series of its own.
    const route = String(layers[0]?.path ?? 'other');
    ctx.res.once('close', () => {
      // Nobody read it: nginx's number.
      const status = ctx.res.writableFinished ? ctx.res.statusCode : 499;
      metrics.countRequest(route, status, (performance.now() - startedMs) / 1000);
    });
    try {
      if (target === undefined) throw new TikitakaError('ERR_REQUEST', 'The request target cannot be parsed');
      if (ctx.req.rawHeaders.length > 2 * maxHeaders) {
        throw new TikitakaError('ERR_HEAD_TOO_LARGE', `More than ${maxHeaders} headers`);
      }
      await next();
      if (ctx.status === 404 && ctx.body == null) throw unknownRoute(layers.flatMap(({ methods }) => methods));
    } catch (error) {
      const { status, body, headers } = errorResponse(error);
      if (status === 500 && !ctx.state.told) log.error({ err: error, route }, 'request failed');
      refusals.note(error, refusedRequest(ctx));
      ctx.set({ ...headers });
      sendJson(ctx, body, status);
    } finally {
      discardBody(ctx.req);
    }
    if (isClosing()) ctx.set('Connection', 'close');
  });
  koa.use(router.routes());
  return koa;
}

export function sendJson(ctx: Context, body: object, status = 200): void {
  ctx.status = status;
  // FastAPI's own content type: no charset.
  ctx.set('Content-Type', 'application/json');
  ctx.body = JSON.stringify(body);
}

/** Path and query of a request target (RFC 9112 §3.2); undefined where it has none. */
export function originForm(target: string): string | undefined {
  // A fragment does not belong there; Koa would give such a target to the parser that throws.
  if (target.startsWith('/')) return target.split('#', 1)[0];
  if (target === '*') return target;
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return undefined;
  const { pathname, search } = new URL(target);
  return pathname + search;
}

function unknownRoute(methods: readonly string[]): TikitakaError {
  if (methods.length === 0) return new TikitakaError('ERR_NOT_FOUND', 'Not Found');
  return new TikitakaError('ERR_METHOD', 'Method Not Allowed', { details: { allow: methods.join(', ') } });
}

function refusedRequest({ req, headers, originalUrl }: Context): RefusedRequest {
  const hotkey = headers['validator-hotkey'];
  return {
    target: printable(`${req.method} ${originalUrl.split('?', 1)[0]}`),
    from: req.socket.remoteAddress ?? '-',
    ...(typeof hotkey === 'string' ? { hotkey: shortHotkey(hotkey) } : {}),
  };
}
