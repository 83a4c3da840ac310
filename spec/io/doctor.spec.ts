import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askMetagraph } from '../../src/chain/index.js';
import { saveSnapshot } from '../../src/chain/snapshot-file.js';
import { startFakeNode, wellChain } from '../src/chain/fake-node.js';
import { vectors } from '../src/server/auth-vectors.js';
import { servingSettings } from '../support/serve-process.js';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Verdict {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly text: string;
  readonly mend?: string;
}

function doctor(args: readonly string[], env: Readonly<Record<string, string>>) {
  return new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    const all = { PATH: process.env.PATH, HOME: join(tmpdir(), 'nobody'), ...env };
    execFile(process.execPath, ['--import=tsx', main, 'doctor', ...args], { env: all }, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err }),
    );
  });
}

describe('tikitaka doctor', function () {
  this.timeout(240_000);

  it('tries everything that a server needs; what only warns does not fail', async () => {
    const { code, out, err } = await doctor(['--json', '--img-size', '576', '--plan', 'fixed'], {
      ORT_THREADS: '2',
      AUTH: 'off',
      HOST: '127.0.0.1',
      PORT: '0',
      STATUS_PORT: '0',
    });
    assert.equal(code, 0, err);
    const verdicts: readonly Verdict[] = JSON.parse(out);
    assert.deepEqual(
      [...new Set(verdicts.map(({ name }) => name))],
      [
        ...['settings', 'node', 'wallet', 'chain', 'models', 'decoder', 'port', 'score'],
        ...['inference', 'metagraph', 'clock', 'ffmpeg', 'disk', 'shm', 'network'],
      ],
    );
    const found = (name: string) => verdicts.find((verdict) => verdict.name === name);
    assert.match(found('settings')?.text ?? '', /\.env looked for at .*: none found/);
    assert.match(found('decoder')?.text ?? '', /libav .* in process/);
    assert.match(
      found('inference')?.text ?? '',
      /tikitaka-576x320 runs on cpu, 2 threads/,
      'size and threads as asked for',
    );
    assert.equal(found('wallet')?.status, 'warn');
    for (const { status, name, mend } of verdicts) if (status === 'warn') assert.ok(mend, `${name} tells its mend`);
  });

  it('asks the chain as the server would, and where callers are sent', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tikitaka-doctor-'));
    const own = { hotkey: vectors.miner, tao: 0, alpha: 1, permit: false, ip: 0xcb007101n, port: 8000 };
    const caller = { hotkey: vectors.validator, tao: 20_000, alpha: 0, permit: true, ip: 0n, port: 0 };
    const node = await startFakeNode({ ...wellChain([own, caller]), blockAgeMs: 300_000 });
    try {
      const settings = await servingSettings(folder);
      const { code, out } = await doctor([], { ...settings, AUTH: 'chain', SUBTENSOR_ADDRESS: node.url, PORT: '7999' });
      assert.equal(code, 1);
      assert.match(out, /^ok +metagraph .*127\.0\.0\.1:\d+ answered in .* s: 2 members, 1 may call$/m);
      assert.match(
        out,
        /^warn +metagraph +callers are sent to 203\.0\.113\.1:8000, PORT is 7999\n +-> tikitaka chain/m,
      );
      const saved = { ...(await askMetagraph({ url: node.url, netuid: 44 })), fetchedAtMs: Date.now() - 600_000 };
      await saveSnapshot(join(folder, 'tikitaka', 'metagraph-44.json'), saved);
      await node.kill();
      const gone = { ...settings, AUTH: 'chain', SUBTENSOR_ADDRESS: node.url, XDG_CACHE_HOME: folder };
      const told = (await doctor([], gone)).out;
      assert.match(told, /^warn +metagraph .*ECONNREFUSED.*; the metagraph saved 10 minutes ago would do until it is/m);
      assert.match(told, /^warn +clock +not checked against the chain: /m);
      assert.match(out, /^fail +clock +the chain's last block was made 30\d s ago by this clock\n +-> timedatectl/m);
    } finally {
      await node.kill();
      await rm(folder, { recursive: true });
    }
  });

  it('fails with the mend where a server could not run, and knows the time of a server that it is told', async () => {
    const skewed = createServer((_request, response) => {
      response.setHeader('Date', new Date(Date.now() - 300_000).toUTCString());
      response.end();
    });
    await once(skewed.listen(0, '127.0.0.1'), 'listening');
    const { port } = skewed.address() as AddressInfo;
    const closed = await startFakeNode(wellChain([]));
    await closed.kill();
    try {
      const { code, out, err } = await doctor([], {
        HOST: '127.0.0.1',
        PORT: String(port),
        STATUS_PORT: '0',
        WALLET_NAME: 'none',
        HOTKEY_NAME: 'default',
        SUBTENSOR_ADDRESS: closed.url,
        PREWARM_ORIGINS: `http://127.0.0.1:${port}`,
        ALLOW_PRIVATE_URLS: '1',
        DISABLE_TRACKING: '1',
        USE_NVDEC: '1',
        DECODER: 'ffmpeg',
        MODEL: 'best',
      });
      assert.equal(code, 1);
      assert.match(out, /^fail +wallet .*\n +-> check BITTENSOR_WALLET_PATH/m);
      assert.match(out, /^fail +clock +(299|30\d)\.\d s from .*\n +-> timedatectl set-ntp true/m);
      assert.match(out, /^fail +port .*EADDRINUSE.*\n +-> free it, or set PORT/m);
      assert.match(out, /^fail +models +there is no model "best"/m);
      assert.match(out, /^fail +inference +not tried/m);
      assert.match(out, /^fail +metagraph +.*ECONNREFUSED/m);
      assert.match(out, /^warn +decoder +USE_NVDEC=1, but the CPU will decode: /m);
      assert.match(out, /^warn +score +DISABLE_TRACKING=1 .*\n +-> leave DISABLE_TRACKING=1 out/m);
      assert.match(err, /^ERR_DOCTOR: failed: wallet, models, port, inference, metagraph, clock$/m);
    } finally {
      skewed.close();
    }
  });

  it('fails on settings that serve would refuse', async () => {
    const { code, out, err } = await doctor([], { AUTH: 'static', PORT: '70000', WALLET_NAME: 'a', HOTKEY_NAME: 'b' });
    assert.equal(code, 1, err);
    assert.match(out, /^fail +settings +PORT="70000": .*\n +ALLOWED_HOTKEYS is not set: AUTH=static needs a list/m);
  });
});
