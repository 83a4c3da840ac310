import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { argon2i } from 'hash-wasm';
import { TikitakaError } from '../../operators/index.js';

/** How Bittensor's wallets encrypt a key file: `$NACL`, 24 bytes of nonce, secretbox; the key by argon2i (docs/protocol.md §5). */
const prefix = '$NACL';
const nonceBytes = 24;
const salt = Buffer.from('137183dff15a09bc9c90b5518739e9b1', 'hex');

export function isSecretBox(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, prefix.length)).toString('latin1') === prefix;
}

/** 32 bytes out of a password: 8 passes over 512 MiB, so several seconds and that much memory, once. */
export function deriveBoxKey(password: string): Promise<Uint8Array> {
  return argon2i({
    password,
    salt,
    hashLength: 32,
    iterations: 8,
    memorySize: 524_288,
    parallelism: 1,
    outputType: 'binary',
  });
}

/** Rejects with ERR_KEYFILE where the password is wrong or the file damaged (the two cannot be told apart). */
export async function openSecretBox(
  file: Uint8Array,
  password: string,
  deriveKey: (password: string) => Promise<Uint8Array> = deriveBoxKey,
): Promise<Uint8Array> {
  const nonce = file.subarray(prefix.length, prefix.length + nonceBytes);
  const box = file.subarray(prefix.length + nonceBytes);
  const key = await deriveKey(password);
  try {
    return xsalsa20poly1305(key, nonce).decrypt(box);
  } catch (cause) {
    throw new TikitakaError('ERR_KEYFILE', 'The password does not open the key file', { cause });
  }
}
