import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Check {
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
  this.timeout(120_000);

  it('looks at everything a server needs; what only warns does not fail', async () => {
    const { code, out, err } = await doctor(['--json'], { AUTH: 'off', HOST: '127.0.0.1', PORT: '0' });
    assert.equal(code, 0, err);
    const checks: readonly Check[] = JSON.parse(out);
    assert.deepEqual(
      [...new Set(checks.map(({ name }) => name))],
      ['node', 'decoder', 'ffmpeg', 'models', 'wallet', 'clock', 'score', 'port', 'disk', 'shm', 'network'],
    );
    const found = (name: string) => checks.find((check) => check.name === name);
    assert.match(found('decoder')?.text ?? '', /libav .* in process/);
    assert.match(found('models')?.text ?? '', /runs on cpu/);
    assert.equal(found('wallet')?.status, 'warn');
    for (const { status, name, mend } of checks) if (status === 'warn') assert.ok(mend, `${name} tells its mend`);
  });

  it('fails with the mend where a server could not run, and knows the time of a server that it is told', async () => {
    const skewed = createServer((_request, response) => {
      response.setHeader('Date', new Date(Date.now() - 300_000).toUTCString());
      response.end();
    });
    await once(skewed.listen(0, '127.0.0.1'), 'listening');
    const { port } = skewed.address() as AddressInfo;
    try {
      const { code, out, err } = await doctor([], {
        HOST: '127.0.0.1',
        PORT: String(port),
        WALLET_NAME: 'none',
        HOTKEY_NAME: 'default',
        PREWARM_ORIGINS: `http://127.0.0.1:${port}`,
        ALLOW_PRIVATE_URLS: '1',
        DISABLE_TRACKING: '1',
      });
      assert.equal(code, 1);
      assert.match(out, /^fail +wallet .*\n +-> check BITTENSOR_WALLET_PATH/m);
      assert.match(out, /^fail +clock +(299|30\d)\.\d s from .*\n +-> timedatectl set-ntp true/m);
      assert.match(out, /^fail +port .*EADDRINUSE.*\n +-> free it, or set PORT/m);
      assert.match(out, /^warn +score +DISABLE_TRACKING=1 .*\n +-> remove DISABLE_TRACKING=1/m);
      assert.match(err, /^ERR_DOCTOR: failed: wallet, clock, port$/m);
    } finally {
      skewed.close();
    }
  });
});
