import { Command } from 'commander';
import { createHotkey } from '../chain/index.js';
import { configOf, walletSettings, withSettings } from './settings.js';

/** A key for trials is named as nothing that matters would be. */
const TRIAL = { walletName: 'trial', hotkeyName: 'default' };

/** `tikitaka wallet new-hotkey`: a key to try a server with, before any real one is at hand. */
export function walletCommand(): Command {
  const wallet = new Command('wallet').description('Hot keys, as Bittensor keeps them.');
  const create = new Command('new-hotkey')
    .description(
      'Make a hot key for trials and write it to the wallet folder. Nothing is registered anywhere, what exists stays as it is, and the secret phrase is in the file alone: it is not shown.',
    )
    .option('--json', 'address and path as JSON');
  wallet.addCommand(withSettings(create, walletSettings).action(newHotkey));
  return wallet;
}

async function newHotkey(options: { readonly json?: boolean }): Promise<void> {
  const config = configOf(options, walletSettings);
  const { BITTENSOR_WALLET_PATH: walletsPath } = config;
  const { WALLET_NAME: walletName = TRIAL.walletName, HOTKEY_NAME: hotkeyName = TRIAL.hotkeyName } = config;
  const { address, path } = await createHotkey({ walletsPath, walletName, hotkeyName });
  const lines = [
    `hot key   ${address}`,
    `file      ${path} (readable by you alone; it holds the secret phrase: back it up or forget it)`,
    `settings  WALLET_NAME=${walletName}`,
    `          HOTKEY_NAME=${hotkeyName}`,
  ];
  process.stdout.write(
    `${options.json ? JSON.stringify({ address, path, walletName, hotkeyName }) : lines.join('\n')}\n`,
  );
}
