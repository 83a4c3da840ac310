import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as scure from '@scure/sr25519';
import { cryptoReady, keyPairFromSeed, verifySignature } from '../../../src/chain/keys.js';
import { loadHotkey, type WalletOptions } from '../../../src/chain/wallet.js';
import { vectors } from '../server/auth-vectors.js';

const phrase = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk';
const phraseSeed = '0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e';
const phraseAddress = '5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV';
const box = readFileSync(new URL('../../fixtures/chain-keyfile.nacl', import.meta.url));
/** docs/protocol.md §5: what argon2i makes of `test-password-1`; the derivation itself is checked in spec/io. */
const boxKey = Buffer.from('df841b340a57e1e209cc5ce5bc3d4530f5f1386d5b315af591f9041a63dd635f', 'hex');
const minerSeed = `0x${Buffer.from(vectors.minerSeed).toString('hex')}`;
const minerPublic = `0x${vectors.minerPublicKey}`;
const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`;

/** A stored scalar is the expanded one divided by the cofactor 8 (sp-core's form). */
function divideByCofactor(secret: Uint8Array): Uint8Array {
  const out = Uint8Array.from(secret);
  let low = 0;
  for (let i = 31; i >= 0; i--) {
    const byte = secret[i] ?? 0;
    out[i] = (byte >> 3) | (low << 5);
    low = byte & 7;
  }
  return out;
}

describe('loadHotkey', () => {
  let folder = '';
  before(cryptoReady);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-wallet-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const load = async (contents: string | Uint8Array | object, options: Partial<WalletOptions> = {}, mode = 0o600) => {
    const path = join(folder, 'main', 'hotkeys');
    await mkdir(path, { recursive: true });
    const bytes = typeof contents === 'string' || contents instanceof Uint8Array ? contents : JSON.stringify(contents);
    await writeFile(join(path, 'default'), bytes);
    await chmod(join(path, 'default'), mode);
    return loadHotkey({ walletsPath: folder, walletName: 'main', hotkeyName: 'default', ...options });
  };
  const secret = scure.secretFromSeed(vectors.minerSeed);

  const forms: readonly [string, object, string, boolean][] = [
    ['the phrase of docs/protocol.md §6', { secretPhrase: phrase }, phraseAddress, true],
    [
      'the phrase before all else',
      { secretPhrase: phrase, secretSeed: phraseSeed, ss58Address: phraseAddress },
      phraseAddress,
      true,
    ],
    ['a seed', { secretPhrase: null, secretSeed: minerSeed, ss58Address: vectors.miner }, vectors.miner, true],
    ['a seed without 0x', { secretSeed: minerSeed.slice(2) }, vectors.miner, true],
    [
      'a private key times the cofactor (polkadot.js)',
      { privateKey: hex(secret), publicKey: minerPublic },
      vectors.miner,
      true,
    ],
    [
      'a private key as it is (sp-core)',
      { privateKey: hex(divideByCofactor(secret)), accountId: minerPublic },
      vectors.miner,
      true,
    ],
    ['a private key beside its address', { privateKey: hex(secret), ss58Address: vectors.miner }, vectors.miner, true],
    ['the address alone', { ss58Address: vectors.miner, secretSeed: null }, vectors.miner, false],
    ['the public key alone', { publicKey: minerPublic }, vectors.miner, false],
  ];
  for (const [name, contents, address, signs] of forms) {
    it(`takes ${name}`, async () => {
      const hotkey = await load(contents);
      assert.equal(hotkey.address, address);
      assert.deepEqual(hotkey.warnings, []);
      assert.equal(hotkey.pair !== undefined, signs);
      const message = Buffer.from('hello');
      if (hotkey.pair) assert.equal(scure.verify(message, hotkey.pair.sign(message), hotkey.publicKey), true);
    });
  }

  it('opens an encrypted file with its password', async () => {
    const asked: string[] = [];
    const deriveKey = async (password: string) => {
      asked.push(password);
      return boxKey;
    };
    const hotkey = await load(box, { password: 'test-password-1', deriveKey });
    assert.deepEqual(asked, ['test-password-1']);
    const message = Buffer.from('x');
    assert.equal(verifySignature(message, hotkey.pair?.sign(message) ?? Buffer.alloc(64), hotkey.publicKey), true);
  });

  const foreign = keyPairFromSeedLater(vectors.validatorSeed);
  const bad: readonly [string, () => string | Uint8Array | object, RegExp, Partial<WalletOptions>?][] = [
    ['an encrypted file without password', () => box, /WALLET_PASSWORD is not set/],
    ['a wrong password', () => box, /does not open/, { password: 'x', deriveKey: async () => Buffer.alloc(32) }],
    ['an Ansible vault', () => '$ANSIBLE_VAULT;1.1;AES256\n3132', /Ansible vault.*not supported/],
    ['a Fernet token', () => 'gAAAAABk…', /Fernet.*not supported/],
    ['not JSON', () => 'secret words here', /is not JSON/],
    ['an empty file', () => '', /is not JSON/],
    [
      'no key in it',
      () => ({}),
      /holds no key; looked for, .*: secretPhrase, secretSeed, privateKey, ss58Address, publicKey, accountId$/,
    ],
    ['a mnemonic that is none', () => ({ secretPhrase: phrase.replace('walk', 'run') }), /not a valid mnemonic/],
    ['a seed of 31 bytes', () => ({ secretSeed: minerSeed.slice(0, -2) }), /secretSeed/],
    ['a seed that is not hex', () => ({ secretSeed: `0x${'g'.repeat(64)}` }), /secretSeed/],
    ['another key’s address', () => ({ secretSeed: minerSeed, ss58Address: vectors.validator }), /but it says/],
    ['another key’s public key', () => ({ secretSeed: minerSeed, publicKey: foreign() }), /not its public key/],
    ['a private key of another key', () => ({ privateKey: hex(secret), publicKey: foreign() }), /does not belong/],
    ['a private key alone', () => ({ privateKey: hex(secret) }), /needs its public key/],
    [
      'an address of another prefix',
      () => ({ ss58Address: '12onZF4rEfSc4T1PFe9cFdW6hRUdvBYYVDSmCPQz1Ck29KPz' }),
      /ss58/,
    ],
  ];
  for (const [name, contents, message, options] of bad) {
    it(`refuses ${name}, and says where`, async () => {
      await assert.rejects(load(contents(), options), (error: Error & { code?: string }) => {
        assert.match(error.code ?? '', /^ERR_(KEYFILE|HOTKEY)$/);
        assert.match(error.message, message);
        assert.ok(error.message.includes(join(folder, 'main', 'hotkeys', 'default')));
        const told = `${error.message} ${error.stack} ${String(error.cause)}`;
        assert.ok(!told.includes('words here') && !told.includes(minerSeed.slice(2, 40)), 'no contents in the error');
        return true;
      });
    });
  }

  it('names the settings when there is no such file', async () => {
    await assert.rejects(loadHotkey({ walletsPath: folder, walletName: 'none', hotkeyName: 'x' }), {
      code: 'ERR_KEYFILE',
      message: /BITTENSOR_WALLET_PATH, WALLET_NAME, HOTKEY_NAME/,
    });
  });

  it('warns about a file that others can read', async () => {
    const { warnings } = await load({ secretSeed: minerSeed }, {}, 0o644);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /mode …044.*chmod 600/);
  });
});

/** Made when asked for: the WebAssembly is not ready while the table is built. */
function keyPairFromSeedLater(seed: Uint8Array): () => string {
  return () => hex(keyPairFromSeed(seed).publicKey);
}
