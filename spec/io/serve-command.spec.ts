import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cryptoReady } from '../../src/chain/keys.js';
import { type ClipServer, createClipServer } from '../../src/demo/clip-server.js';
import { startFakeNode, wellChain } from '../src/chain/fake-node.js';
import { vectors } from '../src/server/auth-vectors.js';
import { call, challengeBody, signedHeaders } from '../src/server/support.js';
import { makeClip } from '../support/make-clip.js';

const FRAMES = 300;
const neuron = { tao: 20_000, alpha: 0, permit: true, ip: 0n, port: 0 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** By its file: the server runs in another folder. */
const loader = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('tikitaka serve', function () {
  this.timeout(60_000);
  let folder = '';
  let clips: ClipServer;
  const running: ChildProcess[] = [];
  before(async () => {
    await cryptoReady();
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-serve-'));
    const hotkeys = join(folder, 'wallets', 'main', 'hotkeys');
    await mkdir(hotkeys, { recursive: true });
    const secretSeed = `0x${Buffer.from(vectors.minerSeed).toString('hex')}`;
    await writeFile(join(hotkeys, 'default'), JSON.stringify({ secretSeed }), { mode: 0o600 });
    const clip = await makeClip({ frames: FRAMES, width: 640, height: 360 });
    clips = await createClipServer({ files: { '/clip.mp4': clip }, protocol: 'http/1.1' });
  });
  afterEach(async () => {
    const left = running.splice(0).filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(left.map((child) => child.kill('SIGKILL') && once(child, 'exit')));
  });
  after(async () => {
    await clips.close();
    await rm(folder, { recursive: true });
  });

  /** As an operator starts it: own folder, own `.env`, nothing else. */
  async function start(settings: Readonly<Record<string, string>> | undefined) {
    const lines = Object.entries(settings ?? {}).map(([key, value]) => `${key}=${value}\n`);
    if (settings) await writeFile(join(folder, '.env'), lines.join(''));
    const child = spawn(process.execPath, [`--import=${loader}`, main, 'serve'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, HOME: folder },
    });
    running.push(child);
    const said: string[] = [];
    const exit = once(child, 'close').then(([code]): number | null => code);
    const url = new Promise<string | undefined>((resolve) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        const found = /listening on (\S+)/.exec(line)?.[1];
        if (found) resolve(found);
      });
      void exit.then(() => resolve(undefined));
    });
    const status = async () => {
      const found = () => said.flatMap((line) => /status page and metrics: (\S+)/.exec(line)?.[1] ?? [])[0];
      while (!found()) await pause(5);
      return (await call(found() ?? '')).text;
    };
    return { child, said, exit, status, url: await url };
  }
  const settings = () => ({
    AUTH: 'static',
    ALLOWED_HOTKEYS: vectors.validator,
    BITTENSOR_WALLET_PATH: join(folder, 'wallets'),
    WALLET_NAME: 'main',
    HOTKEY_NAME: 'default',
    HOST: '127.0.0.1',
    PORT: '0',
    STATUS_PORT: '0',
  });
  const get = (server: { readonly url: string | undefined }, path: string) => call(`${server.url}${path}`);
  const post = (server: { readonly url: string | undefined }, videoUrl: string) => {
    const body = challengeBody(videoUrl);
    return call(`${server.url}/soccer/challenge`, { method: 'POST', headers: signedHeaders(body), body });
  };
  const busy = async (server: { readonly url: string | undefined }) => {
    while ((await get(server, '/availability')).text !== '{"available":false}') await pause(5);
  };

  it('lists all faults of the settings at once, with the place where they were read, and exits 2', async () => {
    const { said, exit, url } = await start({
      AUTH: 'static',
      ALLOWED_HOTKEYS: `${vectors.validator},5Nonsense`,
      PORT: '70000',
      STATUS_PORT: 'none',
      TIME_BUDGET_S: 'two',
      SUBTENSOR_ADDRESS: 'http://node',
      DIRECT_URL_STREAM: '1',
    });
    assert.equal(await exit, 2);
    assert.equal(url, undefined);
    const text = said.join('\n');
    for (const named of [
      'PORT="70000"',
      'STATUS_PORT="none": expected a port from 0 to 65535, or off',
      'TIME_BUDGET_S="two"',
      'SUBTENSOR_ADDRESS="http://node"',
      'WALLET_NAME is not set: ',
      'HOTKEY_NAME is not set: ',
      `ALLOWED_HOTKEYS="${vectors.validator},5Nonsense"`,
      'DIRECT_URL_STREAM="1"',
      `.env read from ${join(folder, '.env')}`,
    ]) {
      assert.ok(text.includes(named), `${named} is not in\n${text}`);
    }
  });

  it('says where it looked where there is no .env at all', async () => {
    await rm(join(folder, '.env'), { force: true });
    const { said, exit } = await start(undefined);
    assert.equal(await exit, 2);
    assert.match(
      said.join('\n'),
      /WALLET_NAME is not set: .*\n.*HOTKEY_NAME is not set: .*\n\(\.env looked for at .*: none found\)/,
    );
  });

  it('serves who is on the list; the first SIGTERM lets the challenge finish and exits 0', async () => {
    const server = await start({ ...settings(), ALLOW_PRIVATE_URLS: '1', TIME_BUDGET_S: '3' });
    assert.ok(server.said.some((line) => line.includes(`hot key ${vectors.miner} (main/default)`)));
    assert.equal((await get(server, '/readyz')).status, 200);
    assert.equal((await get(server, '/')).status, 404);
    assert.match(await server.status(), /runs on cpu/);
    assert.equal((await call(`${server.url}/soccer/challenge`, { method: 'POST', body: '{}' })).status, 422);
    assert.match(await server.status(), /<td>ERR_HEADERS_MISSING<td>1<td>/);
    assert.ok(server.said.some((line) => line.includes('WARN  requests refused  reason=ERR_HEADERS_MISSING')));
    const answered = post(server, `${clips.url}/clip.mp4`);
    await busy(server);
    server.child.kill('SIGTERM');
    const { status, text } = await answered;
    assert.equal(status, 200);
    assert.equal(JSON.parse(text).frames.length, FRAMES);
    assert.equal(await server.exit, 0);
  });

  it('the second SIGTERM exits at once, and leaves no process behind', async () => {
    const server = await start({ ...settings(), ALLOW_PRIVATE_URLS: '1', TIME_BUDGET_S: '60', FRAME_STRIDE: '1' });
    const cut = post(server, `${clips.url}/clip.mp4`).then(
      () => 'answered',
      () => 'cut',
    );
    await busy(server);
    server.child.kill('SIGTERM');
    while (!server.said.some((line) => line.includes('shutting down'))) await pause(5);
    server.child.kill('SIGTERM');
    // `exit` waits for stderr to close, which the model processes hold open as long as they live.
    assert.equal(await server.exit, 1);
    assert.equal(await cut, 'cut');
  });

  it('refuses links to this machine unless it is told otherwise', async () => {
    const server = await start({ ...settings(), STATUS_PORT: 'off' });
    const { status, text } = await post(server, `${clips.url}/clip.mp4`);
    assert.deepEqual([status, JSON.parse(text).code], [400, 'ERR_SOURCE_REFUSED']);
    assert.ok(server.said.some((line) => line.includes('no status page and no metrics: STATUS_PORT=off')));
    server.child.kill('SIGINT');
    assert.equal(await server.exit, 0);
  });

  it('ends with the reason where the chain answers but the model is not there', async () => {
    const node = await startFakeNode(wellChain([{ ...neuron, hotkey: vectors.validator }]));
    const model = join(folder, 'no-such-model.json');
    const { said, exit } = await start({ ...settings(), AUTH: 'chain', SUBTENSOR_ADDRESS: node.url, MODEL: model });
    assert.notEqual(await exit, 0);
    assert.ok(
      said.some((line) => line.startsWith('ERR_') && line.includes(model)),
      said.join('\n'),
    );
    await node.kill();
  });
});
