import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/app/package-root.js';
import { cryptoReady } from '../../src/chain/keys.js';
import { startFakeNode, wellChain } from '../src/chain/fake-node.js';
import { vectors } from '../src/server/auth-vectors.js';
import { call, challengeBody, signedHeaders } from '../src/server/support.js';
import { tikitaka } from '../support/command-line.js';
import { serveBox, servingSettings } from '../support/serve-process.js';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const neuron = { tao: 20_000, alpha: 0, permit: true, ip: 0n, port: 0 };

describe('the start of a server', function () {
  this.timeout(240_000);
  let folder = '';
  let settings: Awaited<ReturnType<typeof servingSettings>>;
  const box = serveBox(() => folder);
  const listeners: Server[] = [];
  before(async () => {
    await cryptoReady();
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-start-'));
    settings = await servingSettings(folder);
  });
  afterEach(async () => {
    await box.killAll();
    for (const server of listeners.splice(0)) server.close();
  });
  after(() => rm(folder, { recursive: true }));

  /** A port that is taken; whoever connects waits until `letGo`. */
  async function occupy() {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    listeners.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return {
      port: String((server.address() as AddressInfo).port),
      letGo: () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  }

  /** A file in the folder; its path. */
  async function file(name: string, contents: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, contents);
    return path;
  }
  const hotkey = async (name: string, contents: string) => {
    await file(join('wallets', 'main', 'hotkeys', name), contents);
    return { HOTKEY_NAME: name };
  };

  describe('ends with 2 before anything is loaded, and says what, where it would fail again', () => {
    const lasting: readonly (readonly [
      why: string,
      make: () => Promise<Record<string, string>> | Record<string, string>,
      said: RegExp,
    ])[] = [
      ['no such hot key', () => ({ HOTKEY_NAME: 'none' }), /^ERR_START: wallet: .*none: there is no such file/m],
      ['no key file', () => hotkey('text', 'hello'), /wallet: .*text: the file is not JSON/],
      ['no key in it', () => hotkey('empty', '{}'), /wallet: .*empty: the file holds no key/],
      [
        'a key of another address',
        () => hotkey('other', JSON.stringify({ secretSeed: `0x${'11'.repeat(32)}`, ss58Address: vectors.miner })),
        /wallet: .*other: its key gives 5/,
      ],
      ['an encrypted key', () => hotkey('closed', '$NACLxxxx'), /wallet: .*closed: .*WALLET_PASSWORD is not set/],
      ['no such model', () => ({ MODEL: join(folder, 'no-model.json') }), /models: .*no-model\.json/],
      ['no such family of models', () => ({ MODEL: 'best' }), /models: there is no model "best"; there is /],
      [
        'a model that is none',
        async () => {
          await file('noise.json', '{}');
          return { MODEL: await file('noise.onnx', 'noise') };
        },
        /models: .*noise/,
      ],
      ['a size that must be and is not', () => ({ IMG_SIZE: '416!' }), /models: .*no input 416 pixels wide/],
      ['its port taken', async () => ({ PORT: (await occupy()).port }), /port: .*EADDRINUSE.*\n {2}-> .*PORT/],
      ['its status port taken', async () => ({ STATUS_PORT: (await occupy()).port }), /port: .*\n {2}-> .*STATUS_PORT/],
      [
        'no ffmpeg where it must be one',
        () => ({ DECODER: 'ffmpeg', FFMPEG_PATH: join(folder, 'no-ffmpeg') }),
        /decoder: no ffmpeg runs at .*no-ffmpeg/,
      ],
      [
        'no metagraph, and none is to be asked for',
        () => ({ AUTH: 'chain', REFRESH_NODES: '0', NETUID: '60001', SUBTENSOR_NETWORK: 'local' }),
        /chain: REFRESH_NODES=0, and no metagraph was saved at /,
      ],
      ['nobody who may call', () => ({ ALLOWED_HOTKEYS: '' }), /^ERR_CONFIG: ALLOWED_HOTKEYS is not set/m],
      ['a malformed setting', () => ({ TIME_BUDGET_S: 'two' }), /^ERR_CONFIG: TIME_BUDGET_S="two"/m],
    ];
    for (const [why, make, said] of lasting) {
      it(why, async () => {
        const given = { ...settings, ...(await make()) };
        const sets = Object.entries(given).flatMap(([key, value]) =>
          value === '' ? [] : ['--set', `${key}=${value}`],
        );
        const { code, err } = await tikitaka('serve', ...sets);
        assert.match(err, said);
        assert.equal(code, 2);
        assert.doesNotMatch(err, /is bound|runs on/);
      });
    }

    it('all of it at once', async () => {
      const given = { ...settings, HOTKEY_NAME: 'none', MODEL: 'best', PORT: (await occupy()).port };
      const sets = Object.entries(given).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
      const { err } = await tikitaka('serve', ...sets);
      assert.match(err, /^ERR_START: wallet: .*^models: .*^port: /ms);
    });
  });

  it('ends though a process manager keeps a channel to it open', async () => {
    const listening = 'data:text/javascript,process.on("message",()=>undefined)';
    const child = fork(main, ['serve', '--set', 'PORT=none'], {
      execArgv: ['--import=tsx', `--import=${listening}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    assert.deepEqual(await once(child, 'exit'), [2, null]);
  });

  it('says what it runs on by default, what it read, and what costs score', async () => {
    const { NETUID: _netuid, ...given } = { ...settings, NETUID: '' };
    await chmod(join(folder, 'wallets', 'main', 'hotkeys', 'default'), 0o644);
    const slips = { AUTH: 'chain', SKIP_PITCH: '1', IMG_SIZE: '416', TIME_BUDGET: '1', MODEL: 'best' };
    const server = await box.start({ ...given, ...slips });
    assert.equal(await server.exit, 2);
    await chmod(join(folder, 'wallets', 'main', 'hotkeys', 'default'), 0o600);
    const text = server.said.join('\n');
    for (const said of [
      `info  settings: .env read from ${join(folder, '.env')}`,
      `WARN  settings: TIME_BUDGET in ${join(folder, '.env')} is no variable of ours, TIME_BUDGET_S is`,
      `info  wallet: hot key ${vectors.miner} (main/default)`,
      'chmod 600',
      'NETUID=44 and SUBTENSOR_NETWORK=finney by default, nothing sets it',
      'WARN  score: SKIP_PITCH=1 costs score',
    ]) {
      assert.ok(text.includes(said), `${said} is not in\n${text}`);
    }
  });

  it('tells the nearest size where the model has none so wide', async () => {
    const given = { ...settings, IMG_SIZE: '416', HOTKEY_NAME: 'none' };
    const sets = Object.entries(given).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const { err } = await tikitaka('serve', ...sets);
    assert.match(err, /WARN {2}models: .*IMG_SIZE=416: no model has this width, the nearest is taken: 576×320/);
  });

  const post = (url: string) => {
    const body = challengeBody('http://127.0.0.1:1/clip.mp4');
    return call(`${url}/soccer/challenge`, { method: 'POST', headers: signedHeaders(body), body });
  };

  it('binds its port at once and refuses while the models are loaded; a signal ends it then too', async () => {
    const slow = await occupy();
    const given = {
      ...settings,
      ALLOW_PRIVATE_URLS: '1',
      REHEARSE: '0',
      // The engine is not ready before this origin was tried.
      PREWARM_ORIGINS: `https://127.0.0.1:${slow.port}`,
      CONNECT_TIMEOUT_S: '60',
    };
    const server = await box.start(given);
    const url = (await server.saying(/(http:\S+) is bound/))?.[1] ?? assert.fail();
    assert.equal((await call(`${url}/livez`)).text, 'ok');
    assert.equal((await call(`${url}/availability`)).text, '{"available":false}');
    assert.equal((await call(`${url}/readyz`)).status, 503);
    const refused = await post(url);
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [503, 'ERR_BUSY']);
    slow.letGo();
    await server.saying(/listening on/);
    assert.equal((await call(`${url}/availability`)).text, '{"available":true}');

    const other = await occupy();
    const second = await box.start({ ...given, PREWARM_ORIGINS: `https://127.0.0.1:${other.port}` });
    await second.saying(/is bound/);
    second.child.kill('SIGTERM');
    assert.equal(await second.exit, 0);
  });

  it('ends with 2 where only loading the model shows that it can never be loaded', async () => {
    const shipped = fileURLToPath(new URL('models/', packageRoot));
    const description = JSON.parse(await readFile(join(shipped, 'descriptions', 'tikitaka-576x320.json'), 'utf8'));
    const weights = join(shipped, 'weights', description.file);
    const wider = { ...description, file: weights, input: { ...description.input, width: 640 } };
    const model = await file('misfit.json', JSON.stringify(wider));
    const server = await box.start({ ...settings, MODEL: model, DEVICE: 'cpu' });
    assert.ok(await server.saying(/is bound/));
    assert.ok(await server.saying(/^ERR_START: .*576.*640|^ERR_START: .*640.*576/));
    assert.equal(await server.exit, 2);
  });

  it('stays up where the chain is not reachable, and is available when it comes back', async () => {
    const chain = wellChain([{ ...neuron, hotkey: vectors.validator }]);
    const { port, url: address, kill } = await startFakeNode(chain);
    await kill();
    const server = await box.start({ ...settings, AUTH: 'chain', SUBTENSOR_ADDRESS: address, REHEARSE: '0' });
    const url = (await server.saying(/listening on (\S+)/))?.[1] ?? '';
    assert.ok(await server.saying(/WARN .*the chain does not answer/));
    assert.equal((await call(`${url}/availability`)).text, '{"available":false}');
    const refused = await post(url);
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [503, 'ERR_CHAIN_UNAVAILABLE']);
    const node = await startFakeNode(chain, port);
    try {
      await server.saying(/metagraph of subnet 44: 1 members, 1 may call/);
      await server.saying(/WARN {2}metagraph: .* is not registered in subnet 44: nobody will call -> /);
      assert.equal((await call(`${url}/availability`)).text, '{"available":true}');
    } finally {
      await node.kill();
    }
  });
});
