import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadHotkey } from '../../../src/chain/wallet.js';
import { tikitaka } from '../../support/command-line.js';

describe('tikitaka wallet new-hotkey', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-new-hotkey-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const run = (...args: readonly string[]) =>
    tikitaka('wallet', 'new-hotkey', '--set', `BITTENSOR_WALLET_PATH=${folder}`, ...args);

  it('writes a key that loads and signs, readable by its owner alone, and tells its address but no secret', async () => {
    const { code, out, err } = await run('--name', 'mine', '--hotkey', 'first', '--json');
    assert.equal(code, 0, err);
    const { address, path } = JSON.parse(out);
    assert.equal(path, join(folder, 'mine', 'hotkeys', 'first'));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'mine'))).mode & 0o777, 0o700);
    const loaded = await loadHotkey({ walletsPath: folder, walletName: 'mine', hotkeyName: 'first' });
    assert.deepEqual([loaded.address, loaded.warnings], [address, []]);
    assert.equal(loaded.pair?.sign(Buffer.from('x')).length, 64);
    const text = await readFile(path, 'utf8');
    const file = JSON.parse(text);
    assert.equal(text.split('\n').length, 1);
    assert.deepEqual(Object.keys(file), [
      'accountId',
      'publicKey',
      'privateKey',
      'secretPhrase',
      'secretSeed',
      'ss58Address',
    ]);
    assert.equal(file.secretPhrase.split(' ').length, 12);
    for (const secret of [file.secretPhrase, file.secretSeed]) assert.ok(!`${out}${err}`.includes(secret));
  });

  it('says what to set', async () => {
    const { out } = await run();
    assert.match(out, /^settings +WALLET_NAME=trial\n +HOTKEY_NAME=default$/m);
  });

  it('makes another key each time, and never writes over one', async () => {
    const first = JSON.parse((await run('--hotkey', 'a', '--json')).out);
    const second = JSON.parse((await run('--hotkey', 'b', '--json')).out);
    assert.notEqual(first.address, second.address);
    const before = await readFile(first.path, 'utf8');
    const { code, out, err } = await run('--hotkey', 'a');
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^ERR_KEYFILE: Hot key .*: it exists, and nothing was changed$/m);
    assert.equal(await readFile(first.path, 'utf8'), before);
  });

  for (const name of ['../mine', 'a/b', '.', '..', 'a b']) {
    it(`refuses "${name}" as a name`, async () => {
      const { code, out, err } = await run('--name', name);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, /^ERR_OPTION: ".*" is no name for a wallet or hot key$/m);
    });
  }

  it('says where a folder cannot be written', async function () {
    if (process.getuid?.() === 0) this.skip(); // root may write anywhere
    await chmod(folder, 0o500);
    assert.match((await run()).err, /^ERR_KEYFILE: .*cannot be written/);
  });
});
