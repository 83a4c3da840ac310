import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startFakeNode, wellChain } from '../src/chain/fake-node.js';
import { metadataV14 } from '../src/chain/metadata.js';
import { vectors } from '../src/server/auth-vectors.js';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const miner = { hotkey: vectors.miner, tao: 0, alpha: 1.5, permit: false, ip: 0xcb007101n, port: 7999 };
const validator = { hotkey: vectors.validator, tao: 20_000, alpha: 5_000, permit: true, ip: 0n, port: 0 };

describe('chain: the command line', function () {
  this.timeout(60_000);
  let folder = '';
  let node: Awaited<ReturnType<typeof startFakeNode>>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-chain-cli-'));
    const hotkeys = join(folder, 'main', 'hotkeys');
    await mkdir(hotkeys, { recursive: true });
    const secretSeed = `0x${Buffer.from(vectors.minerSeed).toString('hex')}`;
    await writeFile(join(hotkeys, 'default'), JSON.stringify({ secretSeed }), { mode: 0o600 });
    node = await startFakeNode({ ...wellChain([validator, miner]), metadata: { v14: metadataV14() } });
  });
  after(async () => {
    await node.kill();
    await rm(folder, { recursive: true });
  });

  const tikitaka = (...args: string[]) =>
    new Promise<{ code: number | string | null | undefined; stdout: string; stderr: string }>((resolve) => {
      const env = {
        PATH: process.env.PATH,
        HOME: folder,
        BITTENSOR_WALLET_PATH: folder,
        WALLET_NAME: 'main',
        HOTKEY_NAME: 'default',
      };
      const command = ['--import=tsx', main, 'chain', ...args];
      execFile(process.execPath, command, { env }, (error, stdout, stderr) =>
        resolve({ code: error ? error.code : 0, stdout, stderr }),
      );
    });

  it('status: what the chain says of the subnet, of us and of a caller', async () => {
    const { code, stdout, stderr } = await tikitaka('status', '--address', node.url, '--hotkey', vectors.validator);
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      [
        `node      127.0.0.1:${node.port}`,
        'subnet    44: 2 members, 1 serving (selective)',
        'callers   1 with at least 1000 TAO (MIN_STAKE_THRESHOLD)',
        `own key   ${vectors.miner}: uid 1, 0 TAO, 1.5 alpha, 1.5 total, serves at 203.0.113.1:7999`,
        `asked     ${vectors.validator}: uid 0, 20000 TAO, 5000 alpha, 8600 total, validator permit, serves nowhere`,
        '',
      ].join('\n'),
    );
  });

  it('register --dry-run: the call, and nothing is sent', async () => {
    const args = ['register', '--ip', '203.0.113.0', '--port', '7999', '--dry-run', '--json', '--address', node.url];
    const { code, stdout, stderr } = await tikitaka(...args);
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout);
    assert.equal(result.callHex, '0x07042c0001000000007100cb0000000000000000000000003f1f04040000');
    assert.deepEqual(result.before, { ip: '203.0.113.1', port: 7999 });
    assert.equal(node.count('author_submitAndWatchExtrinsic'), 0);
  });

  it('wrong use ends with 2 and one line', async () => {
    const rows = [
      [['register', '--port', '1'], /required option '--ip/],
      [['register', '--ip', '127.0.0.1', '--address', node.url], /ERR_OPTION: 127\.0\.0\.1 cannot be reached/],
      [['status', '--netuid', 'many'], /ERR_CONFIG: NETUID="many"/],
    ] as const;
    await Promise.all(
      rows.map(async ([args, message]) => {
        const { code, stderr, stdout } = await tikitaka(...args);
        assert.equal(code, 2, stderr);
        assert.match(stderr, message);
        assert.equal(stdout, '');
      }),
    );
  });
});
