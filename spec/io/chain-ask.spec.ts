import assert from 'node:assert/strict';
import { askChainTime, askMetagraph } from '../../src/chain/index.js';
import { type FakeChain, startFakeNode, wellChain } from '../src/chain/fake-node.js';
import { vectors } from '../src/server/auth-vectors.js';

describe('chain: one question to a node', () => {
  const nodes: Awaited<ReturnType<typeof startFakeNode>>[] = [];
  afterEach(() => Promise.all(nodes.splice(0).map((node) => node.kill())));

  const start = async (changes: Partial<FakeChain> = {}) => {
    const neurons = [{ hotkey: vectors.validator, tao: 20_000, alpha: 0, permit: true, ip: 0n, port: 0 }];
    const node = await startFakeNode({ ...wellChain(neurons), ...changes });
    nodes.push(node);
    return node;
  };

  it('brings the metagraph and ends the connection', async () => {
    const node = await start();
    const { neurons, netuid, node: name } = await askMetagraph({ url: node.url, netuid: 44 });
    assert.deepEqual([neurons[0]?.hotkey, netuid, name], [vectors.validator, 44, `127.0.0.1:${node.port}`]);
    while (node.open() > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(node.count('connection'), 1);
  });

  it('brings the time of the last block', async () => {
    const { url } = await start({ blockAgeMs: 3_600_000 });
    const { blockAtMs, isSyncing } = await askChainTime({ url });
    assert.equal(isSyncing, false);
    assert.equal(Math.round((Date.now() - blockAtMs) / 60_000), 60);
  });

  it('a closed port is told at once, not tried again', async () => {
    const { url, kill } = await start();
    await kill();
    nodes.pop();
    await assert.rejects(askMetagraph({ url, netuid: 44 }), { code: 'ERR_CHAIN_CONNECT', message: /ECONNREFUSED/ });
  });

  for (const [mood, code] of [
    ['silent', 'ERR_CHAIN_TIMEOUT'],
    ['html', 'ERR_CHAIN_ANSWER'],
    ['bad-hex', 'ERR_CHAIN_ANSWER'],
  ] as const) {
    it(`a node that is ${mood}: ${code}`, async () => {
      const { url } = await start({ mood });
      await assert.rejects(askMetagraph({ url, netuid: 44, timeoutMs: 100 }), { code });
    });
  }
});
