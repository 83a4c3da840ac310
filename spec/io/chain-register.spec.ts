import assert from 'node:assert/strict';
import { cryptoReady, keyPairFromSeed, toAddress, verifySignature } from '../../src/chain/keys.js';
import { type RegisterOptions, registerAxon } from '../../src/chain/register.js';
import type { FakeNeuron } from '../src/chain/chain-types.js';
import { type FakeChain, startFakeNode, wellChain } from '../src/chain/fake-node.js';
import { asOpaque, metadataV14, metadataV15 } from '../src/chain/metadata.js';
import { vectors } from '../src/server/auth-vectors.js';

const miner: FakeNeuron = { hotkey: vectors.miner, tao: 0, alpha: 1, permit: false, ip: 0n, port: 0 };
const ip = '203.0.113.0';
/** docs/protocol.md §5: netuid 44, 203.0.113.0:7999. */
const callHex = '0x07042c0001000000007100cb0000000000000000000000003f1f04040000';

// mocha loads specs as CommonJS, the product loads polkadot.js late and as a module: two copies, here only.
process.env.POLKADOTJS_DISABLE_ESM_CJS_WARNING = '1';

describe('chain: registration over a socket, real metadata', () => {
  const nodes: Awaited<ReturnType<typeof startFakeNode>>[] = [];
  const v14 = metadataV14();
  const { warn, error } = console;
  before(async () => {
    // polkadot.js says on the console what it also throws.
    console.warn = () => undefined;
    console.error = () => undefined;
    await cryptoReady();
  });
  after(() => Object.assign(console, { warn, error }));
  afterEach(() => Promise.all(nodes.splice(0).map((node) => node.kill())));

  const begin = async (changes: Partial<FakeChain> = {}) => {
    const chain: FakeChain = { ...wellChain([miner]), metadata: { v14 }, ...changes };
    const node = await startFakeNode(chain);
    nodes.push(node);
    const pair = keyPairFromSeed(vectors.minerSeed);
    const register = (options: Partial<RegisterOptions> = {}) =>
      registerAxon({
        url: node.url,
        netuid: 44,
        hotkey: { address: toAddress(pair.publicKey), publicKey: pair.publicKey, pair, warnings: [] },
        ip,
        port: 7999,
        dryRun: false,
        ...options,
      });
    return { chain, node, register };
  };

  for (const version of ['V14', 'V15'] as const) {
    it(`${version}: a dry run tells the call and sends nothing`, async () => {
      const metadata = version === 'V14' ? { v14 } : { v14: '0x00', v15: asOpaque(metadataV15()) };
      const { register, node } = await begin({ metadata });
      const result = await register({ dryRun: true });
      assert.deepEqual(result, {
        outcome: 'dry-run',
        hotkey: vectors.miner,
        netuid: 44,
        ip,
        port: 7999,
        callHex,
        before: undefined,
        member: true,
      });
      assert.equal(node.count('author_submitAndWatchExtrinsic'), 0);
      assert.equal(node.count('state_getMetadata'), version === 'V14' ? 1 : 0);
    });
  }

  for (const version of ['V14', 'V15'] as const) {
    it(`${version}: signs with the hot key, submits, and reads the address back`, async () => {
      const metadata = version === 'V14' ? { v14 } : { v14: '0x00', v15: asOpaque(metadataV15()) };
      const { register, chain } = await begin({ metadata });
      let extrinsic = '';
      chain.onExtrinsic = (hex) => {
        extrinsic = hex;
        chain.neurons = [{ ...miner, ip: 0xcb007100n, port: 7999 }];
      };
      const result = await register();
      assert.equal(result.outcome, 'registered');
      assert.match(result.blockHash ?? '', /^0x(ab){32}$/);
      // Length, version 4 signed, MultiAddress, MultiSignature, mortal era, nonce 7, tip 0, metadata hash mode 0, the call.
      const parts = /^0x[0-9a-f]{4}84(00[0-9a-f]{64})(01[0-9a-f]{128})([0-9a-f]{4})1c0000([0-9a-f]{60})$/.exec(
        extrinsic,
      );
      assert.equal(parts?.[1], `00${vectors.minerPublicKey}`);
      assert.equal(`0x${parts?.[4]}`, callHex);
      assert.equal((await register()).outcome, 'unchanged');
    });
  }

  it('makes a signature that the chain would accept', async () => {
    const { register, chain } = await begin();
    const signed: { message: Uint8Array; signature: Uint8Array }[] = [];
    const pair = keyPairFromSeed(vectors.minerSeed);
    const spying = {
      publicKey: pair.publicKey,
      sign(message: Uint8Array) {
        const signature = pair.sign(message);
        signed.push({ message, signature });
        return signature;
      },
    };
    chain.onExtrinsic = () => {
      chain.neurons = [{ ...miner, ip: 0xcb007100n, port: 7999 }];
    };
    await register({ hotkey: { address: vectors.miner, publicKey: pair.publicKey, pair: spying, warnings: [] } });
    assert.equal(signed.length, 1);
    const [{ message, signature } = { message: new Uint8Array(), signature: new Uint8Array() }] = signed;
    assert.ok(Buffer.from(message).toString('hex').startsWith(callHex.slice(2)), 'the call is what is signed');
    assert.equal(verifySignature(message, signature, pair.publicKey), true);
  });

  const refusals = [
    ['Custom error: 12', /too soon/],
    ['Custom error: 11', /address is not acceptable/],
    ['Custom error: 13', /port is not acceptable/],
    ['Custom error: 99', /Custom error: 99/],
  ] as const;
  for (const [refusal, message] of refusals) {
    it(`puts the pool's refusal in words: ${refusal}`, async () => {
      const { register } = await begin({ refusal });
      await assert.rejects(register(), { code: 'ERR_CHAIN_REFUSED', message });
    });
  }

  it('refuses a key that holds no place in the subnet', async () => {
    const { register } = await begin({ neurons: [{ ...miner, hotkey: vectors.validator }] });
    await assert.rejects(register(), { code: 'ERR_CHAIN_REFUSED', message: /not registered/ });
    assert.equal((await register({ dryRun: true })).member, false);
  });

  it('notices that a block took the call without effect', async () => {
    const { register } = await begin();
    await assert.rejects(register(), { code: 'ERR_CHAIN_REFUSED', message: /did not change/ });
  });

  it('needs a secret to sign with', async () => {
    const { register } = await begin();
    const { publicKey } = keyPairFromSeed(vectors.minerSeed);
    const hotkey = { address: vectors.miner, publicKey, pair: undefined, warnings: [] };
    await assert.rejects(register({ hotkey }), { code: 'ERR_KEYFILE' });
  });

  it('refuses metadata that is none', async () => {
    const { register } = await begin({ metadata: { v14: '0x6d65746100' } });
    await assert.rejects(register({ dryRun: true }), { code: 'ERR_CHAIN_METADATA' });
  });

  it('reports a node that is not there', async () => {
    const { register, node } = await begin();
    await node.kill();
    nodes.length = 0;
    await assert.rejects(register(), { code: 'ERR_CHAIN_CONNECT' });
  });

  const unfit = [
    [{ ip: '127.0.0.1' }, 'loopback'],
    [{ ip: '0.0.0.0' }, 'any'],
    [{ ip: '::1' }, 'loopback'],
    [{ ip: 'example.com' }, 'a name'],
    [{ ip: '1.2.3' }, 'short'],
    [{ port: 0 }, 'no port'],
    [{ port: 65_536 }, 'too large'],
    [{ port: 1.5 }, 'a fraction'],
  ] as const;
  for (const [options, reason] of unfit) {
    it(`refuses ${JSON.stringify(options)} before it asks anybody: ${reason}`, async () => {
      const { register, node } = await begin();
      assert.throws(() => register(options), { code: 'ERR_OPTION' });
      assert.equal(node.count('connection'), 0);
    });
  }
});
