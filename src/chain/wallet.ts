import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { TikitakaError } from '../../operators/index.js';
import {
  cryptoReady,
  type KeyPair,
  keyPairFromSecret,
  keyPairFromSeed,
  phraseToSeed,
  toAddress,
  toPublicKey,
} from './keys.js';
import { isSecretBox, openSecretBox } from './secret-box.js';

export interface KeyFileOptions {
  /** Said where there is no such file: what named it. */
  readonly namedBy?: string;
  /** Opens an encrypted file. Default none: such a file is refused. */
  readonly password?: string;
  /** Turns the password into the file's key; a test passes a quick one. Default argon2i as Bittensor sets it. */
  readonly deriveKey?: (password: string) => Promise<Uint8Array>;
}

export interface WalletOptions extends KeyFileOptions {
  /** Folder of the wallets, e.g. `~/.bittensor/wallets` already resolved. */
  readonly walletsPath: string;
  readonly walletName: string;
  readonly hotkeyName: string;
}

/** The server's own key. */
export interface Hotkey {
  /** ss58, prefix 42. */
  readonly address: string;
  readonly publicKey: Uint8Array;
  /** Undefined where the file has only the public part. Holds the secret: never log it. */
  readonly pair: KeyPair | undefined;
  /** What is odd about the file, for the log. */
  readonly warnings: readonly string[];
}

/** One line of JSON; any member may be null (docs/protocol.md §5). */
const keyFileSchema = z.object({
  publicKey: hexOf(32).nullish(),
  accountId: hexOf(32).nullish(),
  privateKey: hexOf(64).nullish(),
  secretPhrase: z.string().nullish(),
  secretSeed: hexOf(32).nullish(),
  ss58Address: z.string().nullish(),
});

/** Where Bittensor's wallets keep a hot key. */
export function hotkeyPath({ walletsPath, walletName, hotkeyName }: WalletOptions): string {
  return join(walletsPath, walletName, 'hotkeys', hotkeyName);
}

/** Reads the hot key of a wallet; see `loadKeyFile`. */
export function loadHotkey(options: WalletOptions): Promise<Hotkey> {
  const found = { ...options, namedBy: ' (BITTENSOR_WALLET_PATH, WALLET_NAME, HOTKEY_NAME)' };
  return loadKeyFile(hotkeyPath(options), found);
}

/**
 * Reads a key file: phrase, seed, private key or public part alone, whichever comes first, plain or `$NACL`-encrypted, and checks that
 * the key fits the address beside it. Errors: ERR_KEYFILE; its texts never hold contents.
 */
export async function loadKeyFile(path: string, options: KeyFileOptions = {}): Promise<Hotkey> {
  try {
    await cryptoReady();
    const contents = await read(path, options);
    const warnings = await permissionWarnings(path);
    return { ...parse(await decrypt(contents, options)), warnings };
  } catch (error) {
    if (!(error instanceof TikitakaError)) throw error;
    throw new TikitakaError(error.code, `Hot key ${path}: ${error.message}`, { cause: error.cause });
  }
}

async function read(path: string, { namedBy = '' }: KeyFileOptions): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const text = missing ? `there is no such file${namedBy}` : 'cannot be read';
    throw new TikitakaError('ERR_KEYFILE', text, { cause });
  }
}

async function permissionWarnings(path: string): Promise<readonly string[]> {
  const { mode } = await stat(path);
  const open = (mode & 0o077).toString(8).padStart(3, '0');
  return open === '000' ? [] : [`${path} is open to group or others (mode …${open}): chmod 600 it`];
}

async function decrypt(file: Uint8Array, { password, deriveKey }: KeyFileOptions): Promise<string> {
  const text = Buffer.from(file).toString('utf8');
  if (isSecretBox(file)) {
    if (password === undefined) {
      throw new TikitakaError('ERR_KEYFILE', 'the file is encrypted ($NACL) and WALLET_PASSWORD is not set');
    }
    return Buffer.from(await openSecretBox(file, password, deriveKey)).toString('utf8');
  }
  if (text.startsWith('$ANSIBLE_VAULT') || text.startsWith('gAAAAA')) {
    const form = text.startsWith('$') ? 'Ansible vault' : 'Fernet';
    const mend = 'open it once with a current btcli, which writes $NACL, or regenerate the hot key without a password';
    throw new TikitakaError(
      'ERR_KEYFILE',
      `the file is encrypted in an old form (${form}) that is not supported: ${mend}`,
    );
  }
  return text;
}

function parse(text: string): Omit<Hotkey, 'warnings'> {
  const file = parseFile(text);
  const publicKey = file.publicKey ?? file.accountId ?? undefined;
  const pair = pairOf(file, publicKey);
  const key = pair?.publicKey ?? (file.ss58Address ? toPublicKey(file.ss58Address) : publicKey);
  if (!key) {
    const fields = 'secretPhrase, secretSeed, privateKey, ss58Address, publicKey, accountId';
    throw new TikitakaError('ERR_KEYFILE', `the file holds no key; looked for, in this order: ${fields}`);
  }
  const address = toAddress(key);
  if (file.ss58Address && file.ss58Address !== address) {
    throw new TikitakaError('ERR_KEYFILE', `its key gives ${address}, but it says ${file.ss58Address}`);
  }
  if (publicKey && toAddress(publicKey) !== address) {
    throw new TikitakaError('ERR_KEYFILE', `its key gives ${address}, which is not its public key`);
  }
  return { address, publicKey: key, pair };
}

function parseFile(text: string): z.infer<typeof keyFileSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes what it read: it must not travel on as a cause.
    throw new TikitakaError('ERR_KEYFILE', 'the file is not JSON');
  }
  const parsed = keyFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw new TikitakaError('ERR_KEYFILE', `not a key file: ${places}`);
}

function pairOf(
  { secretPhrase, secretSeed, privateKey, ss58Address }: z.infer<typeof keyFileSchema>,
  publicKey: Uint8Array | undefined,
): KeyPair | undefined {
  if (secretPhrase) return keyPairFromSeed(phraseToSeed(secretPhrase));
  if (secretSeed) return keyPairFromSeed(secretSeed);
  if (!privateKey) return undefined;
  const own = publicKey ?? (ss58Address ? toPublicKey(ss58Address) : undefined);
  if (!own) throw new TikitakaError('ERR_KEYFILE', 'a private key needs its public key or address beside it');
  return keyPairFromSecret(privateKey, own);
}

function hexOf(bytes: number) {
  return z
    .string()
    .regex(new RegExp(`^(0x)?[0-9a-fA-F]{${2 * bytes}}$`))
    .transform((text) => new Uint8Array(Buffer.from(text.replace(/^0x/, ''), 'hex')));
}
