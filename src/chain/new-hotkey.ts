import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { cryptoReady, keyPairFromSeed, newPhrase, phraseToSeed, toAddress } from './keys.js';
import { hotkeyPath, type WalletOptions } from './wallet.js';

export type NewHotkeyOptions = Pick<WalletOptions, 'walletsPath' | 'walletName' | 'hotkeyName'>;

export interface NewHotkey {
  /** ss58, prefix 42. */
  readonly address: string;
  readonly path: string;
}

/** What Bittensor's own tools take; a name is a folder or a file and must not lead elsewhere. */
const nameForm = /^[\w-][\w.-]{0,63}$/;

/**
 * Makes a hot key and writes it as Bittensor does (one line of JSON, see `loadHotkey`), readable by its owner alone. What exists is never
 * overwritten. Nothing of the secret leaves the file. Errors: ERR_OPTION for a name that is none, ERR_KEYFILE.
 */
export async function createHotkey(options: NewHotkeyOptions): Promise<NewHotkey> {
  for (const name of [options.walletName, options.hotkeyName]) {
    if (!nameForm.test(name)) throw new OptionError(`"${name}" is no name for a wallet or hot key`, { name });
  }
  await cryptoReady();
  const secretPhrase = newPhrase();
  const seed = phraseToSeed(secretPhrase);
  const { publicKey } = keyPairFromSeed(seed);
  const address = toAddress(publicKey);
  const file = {
    accountId: hex(publicKey),
    publicKey: hex(publicKey),
    // Every reader takes the phrase or the seed first.
    privateKey: null,
    secretPhrase,
    secretSeed: hex(seed),
    ss58Address: address,
  };
  const path = hotkeyPath(options);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, JSON.stringify(file), { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why = code === 'EEXIST' ? 'it exists, and nothing was changed' : `cannot be written (${code})`;
    throw new TikitakaError('ERR_KEYFILE', `Hot key ${path}: ${why}`, { cause });
  }
  return { address, path };
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;
