import { OptionError, TikitakaError } from '../../operators/index.js';
import type { Config } from '../app/config.js';
import { type Hotkey, type KeyPair, loadHotkey, loadKeyFile, toPublicKey } from '../chain/index.js';
import { type SigningScheme, signRequest } from '../server/index.js';
import { readHotkey } from './chain-settings.js';

/** The options that name keys. */
export interface SignerOptions {
  readonly wallet?: string;
  readonly hotkey?: string;
  readonly key?: string;
  readonly minerHotkey?: string;
}

/** Who signs, and for whom; ss58 addresses. */
export interface Signer {
  readonly caller: string;
  readonly addressed: string;
  /** The headers that sign exactly this body, now. */
  headers(scheme: SigningScheme, body: Uint8Array): Record<string, string>;
}

/** Undefined where no key was named: then nothing is signed. Errors: ERR_OPTION, ERR_KEYFILE. */
export async function openSigner(options: SignerOptions, config: Config): Promise<Signer | undefined> {
  const { wallet, hotkey, key, minerHotkey } = options;
  if (key !== undefined && wallet !== undefined) throw new OptionError('give either --key or --wallet');
  if (hotkey !== undefined && wallet === undefined) throw new OptionError('--hotkey needs --wallet');
  if (key === undefined && wallet === undefined) {
    if (minerHotkey === undefined) return undefined;
    throw new OptionError('--miner-hotkey is part of what is signed: it needs --wallet or --key');
  }
  const { address: caller, pair } = await callerKey(options, config);
  if (!pair) {
    throw new TikitakaError('ERR_KEYFILE', `the key file of ${caller} has the public part alone: it cannot sign`);
  }
  return signerWith({ caller, pair, addressed: minerHotkey ?? (await serverHotkey(config)) });
}

function callerKey({ wallet = '', hotkey = 'default', key }: SignerOptions, config: Config): Promise<Hotkey> {
  const { BITTENSOR_WALLET_PATH: walletsPath, WALLET_PASSWORD: password } = config;
  const opening = password === undefined ? {} : { password };
  if (key !== undefined) return loadKeyFile(key, opening);
  return loadHotkey({ walletsPath, walletName: wallet, hotkeyName: hotkey, ...opening });
}

/** The server's own hot key, where it runs with the same settings. */
async function serverHotkey(config: Config): Promise<string> {
  if (config.WALLET_NAME && config.HOTKEY_NAME) return (await readHotkey(config)).address;
  throw new OptionError(
    'whom a challenge is for is part of what is signed: give --miner-hotkey (the log of the server names it), or the server’s own WALLET_NAME and HOTKEY_NAME',
  );
}

interface SignerParts {
  readonly caller: string;
  readonly pair: KeyPair;
  readonly addressed: string;
}

function signerWith({ caller, pair, addressed }: SignerParts): Signer {
  try {
    toPublicKey(addressed);
  } catch (cause) {
    throw new TikitakaError('ERR_OPTION', `--miner-hotkey ${addressed}: not an ss58 address with prefix 42`, { cause });
  }
  return {
    caller,
    addressed,
    headers: (scheme, body) =>
      signRequest({ scheme, caller, addressed, body, nowMs: Date.now(), sign: (message) => pair.sign(message) }),
  };
}
