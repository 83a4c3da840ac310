import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { pino } from 'pino';
import { firstValueFrom } from 'rxjs';
import type { MetagraphView } from '../../src/chain/metagraph-view.js';
import { listedMembers, membersOf, type OpenViewOptions, openMetagraphView } from '../../src/chain/open-view.js';
import type { FakeNeuron } from '../src/chain/chain-types.js';
import { startFakeNode, wellChain } from '../src/chain/fake-node.js';
import { vectors } from '../src/server/auth-vectors.js';

const validator: FakeNeuron = {
  hotkey: vectors.validator,
  tao: 20_000,
  alpha: 5_000,
  permit: true,
  ip: 0xcb007101n,
  port: 7999,
};
const miner: FakeNeuron = { hotkey: vectors.miner, tao: 0, alpha: 12.5, permit: false, ip: 0n, port: 0 };

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('chain: view of the metagraph over a socket', () => {
  const views: MetagraphView[] = [];
  const nodes: Awaited<ReturnType<typeof startFakeNode>>[] = [];
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-chain-'));
  });
  afterEach(async () => {
    await Promise.all(views.splice(0).map((view) => view.close()));
    await Promise.all(nodes.splice(0).map((node) => node.kill()));
    await rm(folder, { recursive: true });
  });

  const start = async (chain = wellChain([validator, miner]), port = 0) => {
    const node = await startFakeNode(chain, port);
    nodes.push(node);
    return { chain, node };
  };
  const open = (url: string, options: Partial<OpenViewOptions> = {}) => {
    const faults: string[] = [];
    const view = openMetagraphView({
      netuid: 44,
      url,
      firstRetryMs: 20,
      snapshotPath: join(folder, 'deep', 'metagraph.json'),
      log: { warn: (_facts, text) => faults.push(text), info: (_facts, text) => faults.push(text) },
      ...options,
    });
    views.push(view);
    return { view, faults };
  };

  it('starts and syncs', async () => {
    const { node } = await start();
    const { view } = open(node.url);
    assert.throws(() => view.find(vectors.validator), { code: 'ERR_CHAIN_UNAVAILABLE' });
    assert.equal(view.health.ok, false);
    const snapshot = await view.ready(5_000);
    assert.equal(snapshot.source, 'selective');
    assert.deepEqual(view.find(vectors.validator), {
      uid: 0,
      hotkey: vectors.validator,
      taoStake: 20_000,
      alphaStake: 5_000,
      totalStake: 8_600,
      validatorPermit: true,
      axon: { ip: '203.0.113.1', port: 7999 },
    });
    assert.equal(view.find(vectors.miner)?.axon, undefined);
    assert.equal(view.find('nobody'), undefined);
    assert.equal(view.health.ok, true);
    assert.deepEqual(
      Buffer.from(membersOf(view)(vectors.validator)?.publicKey ?? []).toString('hex'),
      vectors.validatorPublicKey,
    );
    assert.ok(Object.isFrozen(snapshot) && Object.isFrozen(snapshot.neurons[0]));
  });

  for (const runtime of ['lite', 'lite-wrapped'] as const) {
    it(`falls back to an older runtime's call (${runtime})`, async () => {
      const { node } = await start({ ...wellChain([validator, miner]), runtime });
      const { view } = open(node.url);
      const snapshot = await view.ready(5_000);
      assert.equal(snapshot.source, 'neurons-lite');
      assert.equal(view.find(vectors.validator)?.taoStake, 5_000);
      assert.equal(view.find(vectors.miner)?.alphaStake, 12.5);
    });
  }

  it('sees a changed stake without a restart', async () => {
    const { node, chain } = await start();
    const { view } = open(node.url, { refreshMs: 5 });
    const first = await view.ready(5_000);
    chain.neurons = [{ ...validator, tao: 1 }, miner];
    await until(() => view.find(vectors.validator)?.taoStake === 1);
    assert.equal(first.neurons[0]?.taoStake, 20_000, 'a snapshot does not change');
    assert.equal(node.count('connection'), 1);
  });

  it('keeps its last snapshot while the node is dead, and syncs again when it returns', async () => {
    const { node, chain } = await start();
    const { view, faults } = open(node.url, { refreshMs: 5 });
    await view.ready(5_000);
    await node.kill();
    await until(() => faults.length > 0);
    assert.equal(view.find(vectors.validator)?.taoStake, 20_000);
    assert.ok((view.ageMs ?? -1) >= 0);
    chain.neurons = [{ ...validator, tao: 7 }];
    await start(chain, node.port);
    await until(() => view.find(vectors.validator)?.taoStake === 7);
    assert.equal(faults.at(-1), 'the chain answers again');
  });

  for (const mood of ['html', 'not-rpc', 'bad-hex', 'truncated'] as const) {
    it(`survives a node that answers garbage (${mood}) and keeps what it knew`, async () => {
      const { node, chain } = await start();
      const { view, faults } = open(node.url, { refreshMs: 5 });
      await view.ready(5_000);
      chain.mood = mood;
      await until(() => faults.length > 0);
      assert.equal(view.find(vectors.validator)?.taoStake, 20_000);
      chain.mood = 'well';
      await until(() => faults.at(-1) === 'the chain answers again');
    });
  }

  it('does not believe a node that says that nobody is registered', async () => {
    const { node, chain } = await start();
    const { view, faults } = open(node.url, { refreshMs: 5 });
    await view.ready(5_000);
    chain.neurons = [];
    await until(() => faults.length > 0);
    assert.equal(view.find(vectors.validator)?.taoStake, 20_000);
  });

  it('gives up on a node that never answers, with the reason', async () => {
    const { node } = await start({ ...wellChain([validator]), mood: 'silent' });
    const { view } = open(node.url, { callTimeoutMs: 20 });
    await assert.rejects(view.ready(200), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_CHAIN_UNAVAILABLE');
      assert.match(error.message, /did not answer state_call within 20 ms/);
      return true;
    });
  });

  it('gives up on a closed port, with the reason', async () => {
    const { node } = await start();
    await node.kill();
    nodes.length = 0;
    const { view } = open(node.url);
    await assert.rejects(view.ready(100), { code: 'ERR_CHAIN_UNAVAILABLE', message: /ECONNREFUSED/ });
  });

  it('tells nobody the key in a node’s address: neither callers nor the log nor the saved snapshot', async () => {
    const { node } = await start();
    const told: string[] = [];
    // Serialised as the program's own log does it, causes and stacks included.
    const log = pino({ level: 'debug' }, { write: (line) => told.push(line) });
    const url = `ws://user-KEY:pass-KEY@127.0.0.1:${node.port}/path-KEY?token=query-KEY`;
    const { view } = open(url, { refreshMs: 5, log });
    await view.ready(5_000);
    told.push(JSON.stringify(view.current), JSON.stringify(view.health));
    told.push(await readFile(join(folder, 'deep', 'metagraph.json'), 'utf8').catch(() => ''));
    await node.kill();
    await until(() => told.some((line) => line.includes('ERR_CHAIN_CONNECT')));
    const blind = open(url, { loadSaved: false, freshMs: 0, log }).view;
    await assert.rejects(blind.ready(100), (error: Error) => told.push(error.message) > 0);
    assert.deepEqual(blind.health, { ok: false, detail: 'ERR_CHAIN_CONNECT' });
    assert.throws(() => blind.find('x'), { message: 'No metagraph of subnet 44: ERR_CHAIN_CONNECT' });
    await Promise.all(views.map((each) => each.close()));
    told.push(await readFile(join(folder, 'deep', 'metagraph.json'), 'utf8'));
    assert.throws(
      () => open('ws://[KEY'),
      (error: Error) => told.push(inspect(error)) > 0,
    );
    assert.doesNotMatch(told.join('\n'), /KEY/);
    assert.ok(told.some((line) => line.includes(`127.0.0.1:${node.port}`)));
  });

  it('tells an unknown subnet', async () => {
    const { node } = await start({ ...wellChain([validator]), netuid: 45 });
    const { view } = open(node.url);
    await assert.rejects(view.ready(200), { code: 'ERR_CHAIN_UNAVAILABLE' });
  });

  describe('saved snapshot', () => {
    const file = () => join(folder, 'deep', 'metagraph.json');
    const save = async () => {
      const { node, chain } = await start();
      const { view } = open(node.url);
      await view.ready(5_000);
      await view.close();
      await node.kill();
      nodes.length = 0;
      return { url: node.url, chain, port: node.port };
    };

    it('serves a start without chain', async () => {
      const { url } = await save();
      const { view } = open(url);
      await view.ready(1_000);
      assert.equal(view.find(vectors.validator)?.taoStake, 20_000);
      assert.deepEqual(await readdir(join(folder, 'deep')), ['metagraph.json'], 'no temporary file is left');
    });

    it('is all there is without refresh, and nothing is asked', async () => {
      const { url, port, chain } = await save();
      const { node } = await start(chain, port);
      const { view } = open(url, { refresh: false, maxAgeMs: 0, freshMs: 0 });
      await view.ready(1_000);
      assert.equal(view.find(vectors.validator)?.taoStake, 20_000);
      assert.equal(view.health.ok, true);
      assert.equal(node.count('connection'), 0);
    });

    it('is not read with loadSaved false', async () => {
      const { url } = await save();
      const { view } = open(url, { loadSaved: false });
      await assert.rejects(view.ready(50), { code: 'ERR_CHAIN_UNAVAILABLE' });
    });

    it('is refused when it is about another subnet or chain, or broken', async () => {
      const { url } = await save();
      const rows = [
        [{ netuid: 45 }, /is about subnet 44/],
        [{ url: 'ws://127.0.0.1:1' }, /is about subnet 44 of/],
      ] as const;
      for (const [options, message] of rows) {
        const { view } = open(url, { ...options, refresh: false });
        await assert.rejects(view.ready(60_000), { code: 'ERR_CHAIN_UNAVAILABLE', message });
      }
      for (const text of ['{', '{}', (await readFile(file(), 'utf8')).replace(/"uid":0/, '"uid":"x"')]) {
        await writeFile(file(), text);
        const { view } = open(url, { refresh: false });
        await assert.rejects(view.ready(60_000), { message: /is not a saved metagraph/ });
      }
    });

    it('is missed at once without refresh', async () => {
      const { view } = open('ws://127.0.0.1:1', { refresh: false });
      await assert.rejects(view.ready(60_000), { code: 'ERR_CHAIN_UNAVAILABLE', message: /none was saved/ });
    });
  });

  it('ends on close: nothing reconnects, the stream completes', async () => {
    const { node } = await start();
    const { view } = open(node.url, { refreshMs: 5 });
    await view.ready(5_000);
    await Promise.all([view.close(), view.close()]);
    await until(() => node.open() === 0);
    const asked = node.count('state_call');
    assert.equal(await firstValueFrom(view.snapshots$).then(({ netuid }) => netuid), 44);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.ok(node.count('state_call') - asked <= 1);
  });

  it('rejects an address that is no WebSocket', () => {
    assert.throws(() => openMetagraphView({ netuid: 44, url: 'http://x' }), { code: 'ERR_OPTION' });
    assert.throws(() => openMetagraphView({ netuid: 44, url: 'ws://x', refresh: false }), { code: 'ERR_OPTION' });
  });

  it('knows listed members by their exact address', () => {
    const find = listedMembers([vectors.validator]);
    assert.equal(Buffer.from(find(vectors.validator)?.publicKey ?? []).toString('hex'), vectors.validatorPublicKey);
    assert.equal(find(vectors.miner), undefined);
    assert.throws(() => listedMembers([`0x${vectors.validatorPublicKey}`]), { code: 'ERR_HOTKEY' });
    assert.throws(() => listedMembers(['nonsense']), { code: 'ERR_HOTKEY' });
  });
});
