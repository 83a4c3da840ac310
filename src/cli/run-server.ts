import { defer, of } from 'rxjs';
import { reportLine as deviceLine } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import { challengeLog } from '../app/challenge-log.js';
import { createEngine, type Engine } from '../app/engine.js';
import { engineAnswerer } from '../app/engine-answerer.js';
import type { Logger } from '../app/log.js';
import { packageVersion } from '../app/package-root.js';
import { rehearse } from '../app/rehearsal.js';
import { createHistory, statusPage } from '../app/status-page.js';
import { type Answerer, createApp, type RunningServer, serve, shutdownOnSignals } from '../server/index.js';
import { openAuth } from './open-auth.js';
import type { Start } from './start-checks.js';

/**
 * Binds the port at once and answers challenges as soon as the models are warm and, with AUTH=chain, a metagraph is there; until then
 * `/availability` is false and challenges are refused with 503. Resolves when it was told to stop. Errors: ERR_START where starting
 * again would not help (main exits 2), else whatever went wrong.
 */
export async function runServer(start: Start, log: Logger): Promise<void> {
  const { config } = start;
  const { auth, view } = await openAuth(start, log);
  let engine: Engine | undefined;
  let answerer: Answerer | undefined;
  const version = packageVersion();
  const history = createHistory();
  const readiness = () => {
    const chain = view?.health ?? { ok: true, detail: `AUTH=${config.AUTH}` };
    const models = answerer && engine ? modelState(engine) : { ok: false, detail: 'loading' };
    return { ready: chain.ok && models.ok, checks: { chain, models } };
  };
  const app = createApp({
    auth,
    answerer: lateAnswerer(() => answerer),
    log,
    onChallenge: challengeLog(log),
    version,
    maxConcurrentChallenges: config.MAX_CONCURRENT_CHALLENGES,
    maxBodyBytes: config.MAX_BODY_KB * 1024,
    bodyTimeoutMs: config.BODY_TIMEOUT_S * 1000,
    answerCacheMs: config.ANSWER_CACHE_S * 1000,
    answerCacheMaxBytes: config.ANSWER_CACHE_MB * 1e6,
    revalidateMs: config.REVALIDATE_MS,
    gauges: {
      tikitaka_chain_view_age_seconds: {
        help: 'Since the metagraph was fetched',
        value: () => view?.ageMs && view.ageMs / 1000,
      },
    },
    readiness,
    statusPage: (state) =>
      statusPage({
        ...state,
        version,
        readiness: readiness(),
        models: engine?.runner.reports.map(deviceLine) ?? [],
        challenges: history.challenges,
      }),
  });
  let server: RunningServer | undefined;
  const close = async () => {
    await server?.close();
    await view?.close();
    // One that is still loading goes with this process.
    await engine?.close();
  };
  const stopped = new Promise<void>((resolve) => {
    shutdownOnSignals(
      async () => {
        log.info('shutting down');
        process.off('SIGHUP', reload);
        await close();
        resolve();
      },
      { onError: (error) => log.error({ err: error }, 'shutdown failed') },
    );
  });
  const reload = () => {
    engine?.runner.reload().then(
      () => log.info('models reloaded'),
      (error: unknown) => log.error({ err: error }, 'models not reloaded: the old ones stay'),
    );
  };
  process.on('SIGHUP', reload);
  try {
    server = await serve({
      app,
      host: config.HOST,
      port: config.PORT,
      status: config.STATUS_PORT === 'off' ? undefined : { host: config.STATUS_HOST, port: config.STATUS_PORT },
      maxClients: config.MAX_CLIENTS,
      headTimeoutMs: config.HEAD_TIMEOUT_S * 1000,
      maxHeadBytes: config.MAX_HEAD_KB * 1024,
      onError: (error) => log.warn({ err: error }, 'no further connection could be accepted'),
    });
    log.info(`${server.boundUrl} is bound; challenges are refused until the models are warm`);
    log.info(
      server.statusBoundUrl
        ? `status page and metrics: ${server.statusBoundUrl}/`
        : 'no status page and no metrics: STATUS_PORT=off',
    );
    engine = await createEngine({ config, log });
    if (config.REHEARSE) await rehearse(engine, log);
    answerer = engineAnswerer(engine, { earlyFlush: config.EARLY_FLUSH_FIRST_FRAME, onAnswer: history.note });
    log.info(`listening on ${server.boundUrl}`);
    if (view && !view.health.ok) log.warn('callers are refused until the chain was read: /availability is false');
  } catch (error) {
    await close();
    throw asStartFault(error);
  }
  await stopped;
}

function modelState({ runner: { isAlive, device } }: Engine): { readonly ok: boolean; readonly detail: string } {
  return { ok: isAlive, detail: isAlive ? device : 'no live process' };
}

/** Refuses as while busy until there is one that answers. */
function lateAnswerer(current: () => Answerer | undefined): Answerer {
  const present = () => {
    const answerer = current();
    if (!answerer) throw new TikitakaError('ERR_BUSY', 'The models are being loaded', { retryable: true });
    return answerer;
  };
  return {
    answer: (challenge) => defer(() => present().answer(challenge)),
    isCurrent: (videoUrl, version) => defer(() => present().isCurrent?.(videoUrl, version) ?? of(false)),
  };
}

/** A port in use or a model that does not load will be so again at the next start; what may pass keeps its code. */
function asStartFault(cause: unknown): unknown {
  if (!(cause instanceof TikitakaError) || cause.retryable) return cause;
  return new TikitakaError('ERR_START', cause.message, { cause });
}
