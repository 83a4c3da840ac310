import { join } from 'node:path';
import { cacheFolder } from '../app/cache-folder.js';
import type { Config } from '../app/config.js';
import { type Hotkey, loadHotkey, networkUrls } from '../chain/index.js';

/** The node that is asked and the subnet that is asked about. */
export function chainOf(config: Config): { readonly url: string; readonly netuid: number } {
  return { url: config.SUBTENSOR_ADDRESS ?? networkUrls[config.SUBTENSOR_NETWORK], netuid: config.NETUID };
}

/** Where the metagraph is kept between runs. */
export const snapshotPath = ({ NETUID }: Config): string => join(cacheFolder(), `metagraph-${NETUID}.json`);

/** The hot key that `WALLET_NAME` and `HOTKEY_NAME` name. Errors: ERR_KEYFILE. */
export function readHotkey(config: Config): Promise<Hotkey> {
  const { WALLET_NAME: walletName = '', HOTKEY_NAME: hotkeyName = '', WALLET_PASSWORD: password } = config;
  const walletsPath = config.BITTENSOR_WALLET_PATH;
  return loadHotkey({ walletsPath, walletName, hotkeyName, ...(password === undefined ? {} : { password }) });
}
