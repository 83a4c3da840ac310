import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as scure from '@scure/sr25519';
import { TikitakaError } from '../../../operators/index.js';
import { cryptoReady, keyPairFromSeed, toAddress, toPublicKey, verifySignature } from '../../../src/chain/keys.js';
import { createAuth, type Member, pythonFloat, type SignedAuthOptions } from '../../../src/server/auth.js';
import { createNonceStore, type NonceStore } from '../../../src/server/nonce-store.js';
import { soccerSigning } from '../../../src/server/signing.js';
import { vectors } from './auth-vectors.js';

const bytes = (text: string) => Buffer.from(text);
const headersOf = (signature: string, changes: Record<string, string | undefined> = {}) => ({
  'validator-hotkey': vectors.validator,
  'miner-hotkey': vectors.miner,
  nonce: vectors.nonce,
  signature,
  ...changes,
});

function authWith(changes: Partial<SignedAuthOptions> = {}) {
  let nowMs: number = vectors.nowMs;
  const nonces: NonceStore = createNonceStore({ now: () => nowMs });
  const auth = createAuth({
    mode: 'chain',
    ownHotkey: vectors.miner,
    findMember: (hotkey) =>
      hotkey === vectors.validator
        ? { publicKey: Buffer.from(vectors.validatorPublicKey, 'hex'), taoStake: 20_000 }
        : undefined,
    verifySignature,
    nonces,
    ...changes,
  });
  return {
    nonces,
    at: (ms: number) => {
      nowMs = ms;
    },
    call: (headers: Record<string, string | undefined>, body: string | Uint8Array | undefined) => {
      const session = auth.open(headers);
      session.verify(typeof body === 'string' ? bytes(body) : body);
      return session.caller;
    },
  };
}

const refusal = (code: string, message?: string) => (error: unknown) =>
  error instanceof TikitakaError && error.code === code && (message === undefined || error.message === message);

const badNonce = refusal('ERR_UNAUTHENTICATED', 'Oi, that nonce is not valid!');
const badSignature = refusal('ERR_UNAUTHENTICATED', "Oi, invalid signature, you're not who you said you were!");

describe('createAuth', () => {
  before(cryptoReady);

  describe('test vectors of docs/protocol.md §6', () => {
    it('agrees on keys, lengths and hashes', () => {
      assert.equal(toAddress(Buffer.from(vectors.validatorPublicKey, 'hex')), vectors.validator);
      assert.equal(Buffer.from(keyPairFromSeed(vectors.minerSeed).publicKey).toString('hex'), vectors.minerPublicKey);
      assert.equal(bytes(vectors.bodyA).length, 151);
      assert.equal(bytes(vectors.bodyB).length, 140);
      assert.equal(createHash('sha256').update(vectors.bodyA).digest('hex'), vectors.sha256A);
      assert.equal(createHash('sha256').update(vectors.bodyB).digest('hex'), vectors.sha256B);
    });

    const rows = [
      ['A: the signed bytes travelled', vectors.signatureA, vectors.bodyA],
      ['B: compact signed, compact travelled', vectors.signatureB, vectors.bodyB],
      ['C: default signed, compact travelled (httpx ≥ 0.28)', vectors.signatureA, vectors.bodyB],
      ['C: compact signed, default travelled', vectors.signatureB, vectors.bodyA],
      ['D: a request without a body', vectors.signatureD, undefined],
    ] as const;
    for (const [name, signature, body] of rows) {
      it(`accepts ${name}`, () => assert.equal(authWith().call(headersOf(signature), body), vectors.validator));
    }
    it('refuses the signature of another body, and of none', () => {
      assert.throws(
        () => authWith().call(headersOf(vectors.signatureA), vectors.bodyA.replace('0001', '0002')),
        badSignature,
      );
      assert.throws(() => authWith().call(headersOf(vectors.signatureD), vectors.bodyA), badSignature);
      assert.throws(() => authWith().call(headersOf(vectors.signatureA), undefined), badSignature);
    });
  });

  it('agrees with an independent sr25519, both ways', () => {
    const ours = keyPairFromSeed(vectors.validatorSeed);
    const theirs = scure.secretFromSeed(vectors.validatorSeed);
    for (let i = 0; i < 8; i++) {
      const message = bytes(`${vectors.nonce}:${i}`);
      assert.equal(verifySignature(message, scure.sign(theirs, message), ours.publicKey), true);
      assert.equal(scure.verify(message, ours.sign(message), scure.getPublicKey(theirs)), true);
      assert.equal(verifySignature(bytes('other'), scure.sign(theirs, message), ours.publicKey), false);
    }
  });

  describe('order and words of the refusals', () => {
    it('names every missing header, in the order of the protocol', () => {
      const missing = (headers: Record<string, string>) => {
        try {
          authWith().call(headers, vectors.bodyA);
        } catch (error) {
          assert.ok(error instanceof TikitakaError);
          assert.equal(error.code, 'ERR_HEADERS_MISSING');
          return error.details.missing;
        }
        return undefined;
      };
      assert.deepEqual(missing({}), ['validator-hotkey', 'miner-hotkey', 'nonce', 'signature']);
      assert.deepEqual(missing({ 'validator-hotkey': 'x', signature: 'y' }), ['miner-hotkey', 'nonce']);
    });

    it('judges membership before stake, stake before nonce, nonce before signature', () => {
      const unknown = refusal('ERR_FORBIDDEN', 'Hotkey not found in metagraph');
      const poor = refusal('ERR_FORBIDDEN', 'Insufficient stake of 999.5 - minimum is 1000  ');
      const publicKey = Buffer.from(vectors.validatorPublicKey, 'hex');
      const poorMember = { findMember: () => ({ publicKey, taoStake: 999.5 }) };
      assert.throws(
        () => authWith().call(headersOf('bad', { 'validator-hotkey': vectors.miner, nonce: 'x' }), ''),
        unknown,
      );
      assert.throws(() => authWith(poorMember).call(headersOf('bad', { nonce: 'x' }), ''), poor);
      assert.throws(() => authWith().call(headersOf('bad', { nonce: 'x' }), ''), badNonce);
      assert.throws(() => authWith().call(headersOf('bad'), ''), badSignature);
    });

    it('asks no stake of members of a static list', () => {
      const publicKey = Buffer.from(vectors.validatorPublicKey, 'hex');
      const auth = authWith({ mode: 'static', findMember: () => ({ publicKey, taoStake: 0 }) });
      assert.equal(auth.call(headersOf(vectors.signatureA), vectors.bodyA), vectors.validator);
    });

    it('refuses who addresses another miner, after the signature', () => {
      const other = authWith({ ownHotkey: vectors.validator });
      const wrongMiner = refusal('ERR_UNAUTHENTICATED', "Oi, invalid miner hotkey - that's not me!");
      assert.throws(() => other.call(headersOf(vectors.signatureA), vectors.bodyA), wrongMiner);
      assert.throws(
        () => other.call(headersOf(vectors.signatureA, { nonce: '1755187091123456789_zz' }), vectors.bodyA),
        badSignature,
      );
    });

    it('passes on that there is no view of the chain', () => {
      const findMember = () => {
        throw new TikitakaError('ERR_CHAIN_UNAVAILABLE', 'no metagraph yet');
      };
      assert.throws(
        () => authWith({ findMember }).call(headersOf(vectors.signatureA), ''),
        refusal('ERR_CHAIN_UNAVAILABLE'),
      );
    });

    it('lets everyone in when it is off', () => {
      const session = createAuth({ mode: 'off' }).open({});
      session.verify(bytes('whatever'));
      assert.equal(session.caller, 'anonymous');
    });
  });

  describe('attacks', () => {
    const malformed = [
      ['no 0x (the original answers 500)', vectors.signatureA.slice(2)],
      ['empty', ''],
      ['too short', vectors.signatureA.slice(0, -2)],
      ['too long', `${vectors.signatureA}00`],
      ['right, and more behind it', `${vectors.signatureA} `],
      ['right, in front something else', `zz${vectors.signatureA.slice(2)}`],
      ['not hex', `0x${'g'.repeat(128)}`],
      ['all zero', `0x${'00'.repeat(64)}`],
      ['all ones', `0x${'ff'.repeat(64)}`],
      ['without the schnorrkel mark', `${vectors.signatureA.slice(0, -2)}0a`],
      ['one bit off', vectors.signatureA.replace('0xfe', '0xff')],
      ['ed25519-prefixed', `0x01${vectors.signatureA.slice(4)}`],
    ] as const;
    for (const [name, signature] of malformed) {
      it(`refuses a malformed signature: ${name}`, () => {
        assert.throws(() => authWith().call(headersOf(signature), vectors.bodyA), badSignature);
      });
    }

    it('takes a throwing verifier for a refusal', () => {
      const verifySignature = () => {
        throw new RangeError('bad point');
      };
      assert.throws(
        () => authWith({ verifySignature }).call(headersOf(vectors.signatureA), vectors.bodyA),
        badSignature,
      );
    });

    it('refuses the signature of a <Bytes>-wrapped message', () => {
      const message = soccerSigning.message({
        nonce: vectors.nonce,
        addressed: vectors.miner,
        body: bytes(vectors.bodyA),
      });
      const wrapped = Buffer.concat([bytes('<Bytes>'), message, bytes('</Bytes>')]);
      const signature = `0x${Buffer.from(keyPairFromSeed(vectors.validatorSeed).sign(wrapped)).toString('hex')}`;
      assert.throws(() => authWith().call(headersOf(signature), vectors.bodyA), badSignature);
    });

    it('does not know the hot key in another prefix or as hex', () => {
      const members = new Map<string, Member>([
        [vectors.validator, { publicKey: toPublicKey(vectors.validator), taoStake: 5000 }],
      ]);
      const auth = authWith({ findMember: (hotkey) => members.get(hotkey) });
      for (const name of [
        '12onZF4rEfSc4T1PFe9cFdW6hRUdvBYYVDSmCPQz1Ck29KPz',
        `0x${vectors.validatorPublicKey}`,
        '__proto__',
      ]) {
        assert.throws(
          () => auth.call(headersOf(vectors.signatureA, { 'validator-hotkey': name }), vectors.bodyA),
          refusal('ERR_FORBIDDEN'),
        );
      }
    });

    /** In neither of Python's two forms. */
    const long = (size: number) => `{"video_url": "é","more":"${'x'.repeat(size - 29)}"}`;
    const costs = [
      ['a short one: as it came, as Python writes it, compact', long(200), 3],
      ['as long as a challenge can be', long(12_288), 3],
      ['longer: as it came, and nothing more', long(12_289), 1],
      ['the longest that is read', long(65_536), 1],
    ] as const;
    for (const [what, body, times] of costs) {
      it(`forms that are tried of a forged body, ${what}: ${times}`, () => {
        assert.ok([200, 12_288, 12_289, 65_536].includes(bytes(body).length));
        let tried = 0;
        const verify: SignedAuthOptions['verifySignature'] = () => {
          tried++;
          return false;
        };
        assert.throws(
          () => authWith({ verifySignature: verify }).call(headersOf(vectors.signatureA), body),
          badSignature,
        );
        assert.equal(tried, times);
      });
    }

    it('refuses a replay', () => {
      const auth = authWith();
      auth.call(headersOf(vectors.signatureA), vectors.bodyA);
      assert.throws(() => auth.call(headersOf(vectors.signatureA), vectors.bodyA), badNonce);
      assert.throws(() => auth.call(headersOf(vectors.signatureA), vectors.bodyB), badNonce);
    });

    it('refuses the second of two requests that passed the first look at once', () => {
      const { nonces } = authWith();
      const auth = createAuth({
        mode: 'static',
        ownHotkey: vectors.miner,
        findMember: () => ({ publicKey: toPublicKey(vectors.validator), taoStake: 0 }),
        verifySignature,
        nonces,
      });
      const first = auth.open(headersOf(vectors.signatureA));
      const second = auth.open(headersOf(vectors.signatureA));
      first.verify(bytes(vectors.bodyA));
      assert.throws(() => second.verify(bytes(vectors.bodyA)), badNonce);
    });

    it('refuses the replay of a future-stamped nonce after its first window', () => {
      const auth = authWith();
      auth.at(vectors.nowMs - 119_000);
      auth.call(headersOf(vectors.signatureA), vectors.bodyA);
      for (const later of [0, 60_000, 119_000]) {
        auth.at(vectors.nowMs + later);
        assert.throws(() => auth.call(headersOf(vectors.signatureA), vectors.bodyA), badNonce);
      }
    });

    it('remembers no nonce of a forged request, so that the real one still passes', () => {
      const auth = authWith();
      for (let i = 0; i < 50; i++) {
        assert.throws(() => auth.call(headersOf(`0x${'ab'.repeat(64)}`), vectors.bodyA), badSignature);
      }
      assert.equal(auth.nonces.size, 0);
      auth.call(headersOf(vectors.signatureA), vectors.bodyA);
    });

    it('says that it is busy rather than forget nonces', () => {
      const nonces = createNonceStore({ now: () => vectors.nowMs, maxEntries: 1 });
      const auth = authWith({ nonces });
      nonces.use('1755187091123456789_other');
      assert.throws(() => auth.call(headersOf(vectors.signatureA), vectors.bodyA), refusal('ERR_BUSY'));
    });

    it('answers 401, not a crash, where the body is not JSON or not UTF-8', () => {
      for (const body of ['{', '\ufeff{}', '[1,]', Uint8Array.of(0xff, 0xfe, 0x7b), '"\ud800"', '['.repeat(60_000)]) {
        assert.throws(() => authWith().call(headersOf(vectors.signatureA), body), badSignature);
      }
    });
  });

  it('rejects options that cannot be', () => {
    assert.throws(() => authWith({ ownHotkey: '' }), refusal('ERR_OPTION'));
    assert.throws(() => authWith({ minStakeTao: Number.NaN }), refusal('ERR_OPTION'));
  });
});

describe('pythonFloat', () => {
  const rows = [
    [20000, '20000.0', 'whole numbers keep a zero'],
    [0, '0.0', 'zero'],
    [999.5, '999.5', 'a fraction'],
    [0.0001, '0.0001', 'smallest plain form'],
    [0.00001, '1e-05', 'exponents have two digits'],
    [1e-9, '1e-09', 'one rao'],
    [1.5e16, '1.5e+16', 'large'],
    [123456.789012345, '123456.789012345', 'nine decimals'],
  ] as const;
  for (const [value, text, reason] of rows) it(`${text}: ${reason}`, () => assert.equal(pythonFloat(value), text));
});
