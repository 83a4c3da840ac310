import { decodeAddress, encodeAddress } from '@polkadot/util-crypto';
import {
  bip39Generate,
  bip39ToMiniSecret,
  bip39Validate,
  sr25519KeypairFromSeed,
  sr25519Sign,
  sr25519Verify,
  waitReady,
} from '@polkadot/wasm-crypto';
import { TikitakaError } from '../../operators/index.js';

/** Bittensor writes addresses with the generic substrate prefix (docs/protocol.md §1). */
const ss58Prefix = 42;

/** A key that can sign. Holds the secret: never log or serialise it. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  /** sr25519 over raw bytes, context `substrate`; 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** Loads the WebAssembly of schnorrkel (about 45 ms, once). Everything below except addresses needs it first. Errors: ERR_CRYPTO. */
export async function cryptoReady(): Promise<void> {
  if (!(await waitReady())) throw new TikitakaError('ERR_CRYPTO', 'WebAssembly for sr25519 could not be initialised');
}

/** sr25519, context `substrate`, raw bytes. Anything malformed is false. */
export function verifySignature(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  try {
    return sr25519Verify(signature, message, publicKey);
  } catch {
    return false;
  }
}

/** ss58 address of a 32-byte public key, prefix 42. */
export function toAddress(publicKey: Uint8Array): string {
  return encodeAddress(publicKey, ss58Prefix);
}

/**
 * Public key of an ss58 address. Throws ERR_HOTKEY where re-encoding at prefix 42 does not give the same text: the library
 * would also take other prefixes and plain hex, so that one key would have several names.
 */
export function toPublicKey(address: string): Uint8Array {
  try {
    const publicKey = decodeAddress(address);
    if (toAddress(publicKey) === address) return publicKey;
  } catch (cause) {
    throw new TikitakaError('ERR_HOTKEY', `"${address}" is not an ss58 address`, { cause });
  }
  throw new TikitakaError('ERR_HOTKEY', `"${address}" is not an ss58 address with prefix ${ss58Prefix}`);
}

/** The key pair of a 32-byte mini secret (`secretSeed`). Throws ERR_KEYFILE. */
export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  if (seed.length !== 32) throw new TikitakaError('ERR_KEYFILE', `A seed has 32 bytes, not ${seed.length}`);
  const pair = sr25519KeypairFromSeed(seed);
  return keyPair(pair.slice(0, 64), pair.slice(64));
}

/** A mnemonic of twelve words from the system's random numbers. */
export function newPhrase(): string {
  return bip39Generate(12);
}

/** The 32-byte seed of a mnemonic, by substrate's mini-secret derivation (not BIP-39's own seed). Throws ERR_KEYFILE. */
export function phraseToSeed(phrase: string): Uint8Array {
  if (!bip39Validate(phrase)) throw new TikitakaError('ERR_KEYFILE', 'The secret phrase is not a valid mnemonic');
  return bip39ToMiniSecret(phrase, '');
}

/**
 * The key pair of a stored 64-byte secret (scalar + nonce) with its public key. The scalar is written in two ways: as it is
 * (Rust's sp-core, Bittensor's wallets) or times the cofactor 8 (polkadot.js); the one whose signature verifies is meant.
 * Throws ERR_KEYFILE where neither does.
 */
export function keyPairFromSecret(secret: Uint8Array, publicKey: Uint8Array): KeyPair {
  if (secret.length !== 64) throw new TikitakaError('ERR_KEYFILE', `A private key has 64 bytes, not ${secret.length}`);
  const probe = Buffer.from('tikitaka');
  for (const form of [timesCofactor(secret), secret]) {
    const pair = keyPair(form, publicKey);
    try {
      if (verifySignature(probe, pair.sign(probe), publicKey)) return pair;
    } catch {
      // Not a scalar in this form: the other one is left.
    }
  }
  throw new TikitakaError('ERR_KEYFILE', 'The private key does not belong to the public key');
}

function keyPair(secret: Uint8Array, publicKey: Uint8Array): KeyPair {
  return { publicKey, sign: (message) => sr25519Sign(publicKey, secret, message) };
}

/** The little-endian scalar in the first 32 bytes shifted left by three bits. */
function timesCofactor(secret: Uint8Array): Uint8Array {
  const out = Uint8Array.from(secret);
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    const byte = secret[i] ?? 0;
    out[i] = ((byte << 3) | carry) & 0xff;
    carry = byte >> 5;
  }
  return out;
}
