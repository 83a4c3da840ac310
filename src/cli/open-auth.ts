import { join } from 'node:path';
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
import type { Config, ConfigFault, GivenConfig } from '../config.js';
import type { Logger } from '../log.js';
import { type Auth, createAuth } from '../server/index.js';

/** A server without any view of the chain is not started (DESIGN decision 8), ms. */
const CHAIN_START_MS = 60_000;

/** What `tikitaka serve` asks of the configuration besides its form. */
export function servingNeeds(given: GivenConfig): readonly ConfigFault[] {
  const { AUTH: auth = 'chain', ALLOWED_HOTKEYS: allowed = '' } = given;
  const faults: ConfigFault[] = [];
  if (auth !== 'off') {
    for (const key of ['WALLET_NAME', 'HOTKEY_NAME'] as const) {
      if (!given[key]) faults.push([key, `AUTH=${auth} needs the hot key that callers address`]);
    }
  }
  if (auth === 'static') {
    const fault = listFault(allowed);
    if (fault) faults.push(['ALLOWED_HOTKEYS', fault]);
  }
  if (isOn(given.DIRECT_URL_STREAM) && !isOn(given.ALLOW_PRIVATE_URLS)) {
    faults.push(['DIRECT_URL_STREAM', 'libav follows redirects to private addresses: needs ALLOW_PRIVATE_URLS=1']);
  }
  return faults;
}

const isOn = (text = '') => /^(1|true|yes|on)$/i.test(text.trim());

function listFault(text: string): string | undefined {
  const hotkeys = text.split(',').flatMap((hotkey) => hotkey.trim() || []);
  if (hotkeys.length === 0) return 'AUTH=static needs a list of hot keys';
  try {
    listedMembers(hotkeys);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Who may call, as the configuration says. Errors: ERR_KEYFILE, ERR_CHAIN_UNAVAILABLE. `view` is the caller's to close. */
export async function openAuth(
  config: Config,
  log: Logger,
): Promise<{ readonly auth: Auth; readonly view?: MetagraphView }> {
  if (config.AUTH === 'off') {
    log.warn('AUTH=off: ANYBODY may send challenges to this server. For tests and private networks only.');
    return { auth: createAuth({ mode: 'off' }) };
  }
  const { WALLET_NAME: walletName = '', HOTKEY_NAME: hotkeyName = '', NETUID: netuid } = config;
  const hotkey = await loadHotkey({
    walletsPath: config.BITTENSOR_WALLET_PATH,
    walletName,
    hotkeyName,
    ...(config.WALLET_PASSWORD === undefined ? {} : { password: config.WALLET_PASSWORD }),
  });
  for (const warning of hotkey.warnings) log.warn(warning);
  log.info(`hot key ${hotkey.address} (${walletName}/${hotkeyName})`);
  const common = { ownHotkey: hotkey.address, verifySignature };
  if (config.AUTH === 'static') {
    log.warn(`AUTH=static: ${config.ALLOWED_HOTKEYS.length} allowed hot keys, no stake check.`);
    return { auth: createAuth({ ...common, mode: 'static', findMember: listedMembers(config.ALLOWED_HOTKEYS) }) };
  }
  const url = config.SUBTENSOR_ADDRESS ?? networkUrls[config.SUBTENSOR_NETWORK];
  log.info(`subnet ${netuid} by ${url}, callers need ${config.MIN_STAKE_THRESHOLD} TAO`);
  const view = openMetagraphView({
    netuid,
    url,
    refresh: config.REFRESH_NODES,
    loadSaved: config.LOAD_OLD_NODES,
    snapshotPath: join(cacheFolder(), `metagraph-${netuid}.json`),
    log,
  });
  await view.ready(CHAIN_START_MS).catch(async (error) => {
    await view.close();
    throw error;
  });
  const findMember = membersOf(view);
  const auth = createAuth({ ...common, mode: 'chain', findMember, minStakeTao: config.MIN_STAKE_THRESHOLD });
  return { auth, view };
}
