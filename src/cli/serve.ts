import { Command } from 'commander';
import { reportLine as deviceLine } from '../../models/index.js';
import { loadConfig } from '../config.js';
import { createEngine } from '../engine.js';
import { engineAnswerer } from '../engine-answerer.js';
import { createLogger } from '../log.js';
import { packageVersion } from '../package-root.js';
import { rehearse } from '../rehearsal.js';
import { createApp, serve, shutdownOnSignals } from '../server/index.js';
import { createHistory, statusPage } from '../status-page.js';
import { openAuth, servingNeeds } from './open-auth.js';
import { overridesOf, serverSettings, withSettings } from './settings.js';

/** `tikitaka serve`: answers challenges until it is told to stop. */
export function serveCommand(): Command {
  const command = new Command('serve').description('Answer challenges over HTTP (POST /soccer/challenge).');
  return withSettings(command, serverSettings).action(async (options: object) => {
    const config = loadConfig({ overrides: overridesOf({ ...options }, serverSettings), needs: servingNeeds });
    const log = createLogger(config);
    const { auth, view } = await openAuth(config, log);
    const engine = await createEngine({ config, log }).catch(async (error) => {
      await view?.close();
      throw error;
    });
    if (config.REHEARSE) await rehearse(engine, log);
    const version = packageVersion();
    const history = createHistory();
    const readiness = () => {
      const chain = view?.health ?? { ok: true, detail: `AUTH=${config.AUTH}` };
      const { isAlive: ok, device } = engine.runner;
      const models = { ok, detail: ok ? device : 'no live process' };
      return { ready: chain.ok && ok, checks: { chain, models } };
    };
    const app = createApp({
      auth,
      answerer: engineAnswerer(engine, { earlyFlush: config.EARLY_FLUSH_FIRST_FRAME, onAnswer: history.note }),
      log,
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
          models: engine.runner.reports.map(deviceLine),
          challenges: history.challenges,
        }),
    });
    const server = await serve({
      app,
      host: config.HOST,
      port: config.PORT,
      status: config.STATUS_PORT === 'off' ? undefined : { host: config.STATUS_HOST, port: config.STATUS_PORT },
      maxClients: config.MAX_CLIENTS,
      headTimeoutMs: config.HEAD_TIMEOUT_S * 1000,
      maxHeadBytes: config.MAX_HEAD_KB * 1024,
      onError: (error) => log.warn({ err: error }, 'no further connection could be accepted'),
    }).catch(async (error) => {
      await view?.close();
      await engine.close();
      throw error;
    });
    log.info(`listening on ${server.url}`);
    log.info(
      server.statusUrl
        ? `status page and metrics: ${server.statusUrl}/`
        : 'no status page and no metrics: STATUS_PORT=off',
    );
    const reload = () => {
      engine.runner.reload().then(
        () => log.info('models reloaded'),
        (error: unknown) => log.error({ err: error }, 'models not reloaded: the old ones stay'),
      );
    };
    process.on('SIGHUP', reload);
    await new Promise<void>((resolve) => {
      shutdownOnSignals(
        async () => {
          log.info('shutting down');
          process.off('SIGHUP', reload);
          await server.close();
          await view?.close();
          await engine.close();
          resolve();
        },
        { onError: (error) => log.error({ err: error }, 'shutdown failed') },
      );
    });
  });
}
