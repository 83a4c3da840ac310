import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { TikitakaError } from '../../operators/index.js';
import { cacheFolder } from '../cache-folder.js';
import {
  listedMembers,
  loadHotkey,
  type MetagraphView,
  membersOf,
  networkUrls,
  openMetagraphView,
  verifySignature,
} from '../chain/index.js';
import { type Config, loadConfig } from '../config.js';
import { createEngine } from '../engine.js';
import { engineAnswerer } from '../engine-answerer.js';
import { createLogger, type Logger } from '../log.js';
import { packageRoot } from '../package-root.js';
import { type Auth, createApp, createAuth, serve, shutdownOnSignals } from '../server/index.js';
import { overridesOf, withSettings } from './run.js';

/** `tikitaka serve`: answers challenges until it is told to stop. */
export function serveCommand(): Command {
  const command = new Command('serve').description('Answer challenges over HTTP (POST /soccer/challenge).');
  return withSettings(command).action(async (options: object) => {
    const config = loadConfig({ overrides: overridesOf({ ...options }) });
    const log = createLogger(config);
    const { auth, view } = await openAuth(config, log);
    const engine = await createEngine({ config, log });
    const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string };
    const app = createApp({
      auth,
      answerer: engineAnswerer(engine, { earlyFlush: config.EARLY_FLUSH_FIRST_FRAME }),
      log,
      version,
      maxConcurrentChallenges: config.MAX_CONCURRENT_CHALLENGES,
      answerCacheMs: config.ANSWER_CACHE_S * 1000,
      readiness: () => {
        const chain = view?.health ?? { ok: true, detail: `AUTH=${config.AUTH}` };
        return { ready: chain.ok, checks: { chain, models: { ok: true, detail: engine.runner.device } } };
      },
    });
    const server = await serve({ app, host: config.HOST, port: config.PORT }).catch(async (error) => {
      view?.close();
      await engine.close();
      throw error;
    });
    log.info(`listening on ${server.url}`);
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

async function openAuth(config: Config, log: Logger): Promise<{ readonly auth: Auth; readonly view?: MetagraphView }> {
  if (config.AUTH === 'off') {
    log.warn('AUTH=off: ANYBODY may send challenges to this server. For tests and private networks only.');
    return { auth: createAuth({ mode: 'off' }) };
  }
  const { WALLET_NAME: walletName, HOTKEY_NAME: hotkeyName } = config;
  if (!walletName || !hotkeyName) {
    const missing = [!walletName && 'WALLET_NAME', !hotkeyName && 'HOTKEY_NAME'].filter(Boolean).join(' and ');
    throw new TikitakaError('ERR_CONFIG', `AUTH=${config.AUTH} needs ${missing}: the hot key that callers address`);
  }
  const hotkey = await loadHotkey({
    walletsPath: config.BITTENSOR_WALLET_PATH,
    walletName,
    hotkeyName,
    ...(config.WALLET_PASSWORD === undefined ? {} : { password: config.WALLET_PASSWORD }),
  });
  for (const warning of hotkey.warnings) log.warn(warning);
  const common = { ownHotkey: hotkey.address, verifySignature };
  if (config.AUTH === 'static') {
    if (config.ALLOWED_HOTKEYS.length === 0) throw new TikitakaError('ERR_CONFIG', 'AUTH=static needs ALLOWED_HOTKEYS');
    log.warn(`AUTH=static: ${config.ALLOWED_HOTKEYS.length} allowed hot keys, no stake check.`);
    return { auth: createAuth({ ...common, mode: 'static', findMember: listedMembers(config.ALLOWED_HOTKEYS) }) };
  }
  const view = openMetagraphView({
    netuid: config.NETUID,
    url: config.SUBTENSOR_ADDRESS ?? networkUrls[config.SUBTENSOR_NETWORK],
    refresh: config.REFRESH_NODES,
    loadSaved: config.LOAD_OLD_NODES,
    snapshotPath: join(cacheFolder(), `metagraph-${config.NETUID}.json`),
    log,
  });
  await view.ready(CHAIN_START_MS).catch((error) => {
    view.close();
    throw error;
  });
  const auth = createAuth({
    ...common,
    mode: 'chain',
    findMember: membersOf(view),
    minStakeTao: config.MIN_STAKE_THRESHOLD,
  });
  return { auth, view };
}

/** A server without any view of the chain is not started (DESIGN decision 8), ms. */
const CHAIN_START_MS = 60_000;
