import assert from 'node:assert/strict';
import { cryptoReady, keyPairFromSeed, toPublicKey, verifySignature } from '../../../src/chain/keys.js';
import { createAuth } from '../../../src/server/auth.js';
import { createNonceStore } from '../../../src/server/nonce-store.js';
import { type SigningScheme, signRequest, soccerSigning } from '../../../src/server/signing.js';
import { vectors } from './auth-vectors.js';

describe('signing', () => {
  before(cryptoReady);
  const body = Buffer.from(vectors.bodyA);
  const sign = (scheme: SigningScheme) =>
    signRequest({
      scheme,
      caller: vectors.validator,
      addressed: vectors.miner,
      body,
      nowMs: vectors.nowMs,
      sign: keyPairFromSeed(vectors.validatorSeed).sign,
    });
  const auth = (scheme?: SigningScheme) =>
    createAuth({
      mode: 'static',
      ownHotkey: vectors.miner,
      findMember: () => ({ publicKey: toPublicKey(vectors.validator), taoStake: 0 }),
      verifySignature,
      nonces: createNonceStore({ now: () => vectors.nowMs }),
      ...(scheme ? { scheme } : {}),
    });

  const signed: readonly (readonly [why: string, body: string | undefined, signature: string])[] = [
    ['a body as Python writes it', vectors.bodyA, vectors.signatureA],
    ['a compact one', vectors.bodyB, vectors.signatureB],
    ['a request without a body', undefined, vectors.signatureD],
  ];
  for (const [why, text, signature] of signed) {
    it(`signs the bytes that callers sign: ${why}`, () => {
      const { nonce, miner: addressed } = vectors;
      const message = soccerSigning.message({ nonce, addressed, body: text === undefined ? text : Buffer.from(text) });
      const bytes = Buffer.from(signature.slice(2), 'hex');
      assert.equal(verifySignature(message, bytes, toPublicKey(vectors.validator)), true);
    });
  }

  it('makes nonces of the moment in nanoseconds, none twice', () => {
    const nonces = Array.from({ length: 100 }, () => soccerSigning.newNonce(vectors.nowMs + 0.25));
    assert.equal(new Set(nonces).size, 100);
    for (const nonce of nonces) assert.match(nonce, /^1755187091123250000_[A-Za-z0-9]{10}$/);
  });

  it('makes headers that the server accepts, for this body alone', () => {
    assert.deepEqual(Object.keys(sign(soccerSigning)), ['validator-hotkey', 'miner-hotkey', 'nonce', 'signature']);
    assert.doesNotThrow(() => auth().open(sign(soccerSigning)).verify(body));
    assert.throws(() => auth().open(sign(soccerSigning)).verify(Buffer.from('{}')), {
      code: 'ERR_UNAUTHENTICATED',
    });
  });

  it('takes another scheme as a value, on both sides', () => {
    const other: SigningScheme = {
      headers: {
        caller: ['validator-hotkey', 'x-validator-hotkey'],
        addressed: ['miner-hotkey', 'x-miner-hotkey'],
        nonce: ['nonce', 'x-nonce'],
        signature: ['signature', 'x-signature'],
      },
      newNonce: (nowMs) => String(BigInt(nowMs) * 1_000_000n),
      message: ({ nonce, body: signedBody }) => Buffer.concat([Buffer.from(nonce), signedBody ?? Buffer.alloc(0)]),
    };
    const headers = sign(other);
    assert.equal(Object.keys(headers).length, 8);
    const prefixed = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-')));
    for (const form of [headers, prefixed]) assert.doesNotThrow(() => auth(other).open(form).verify(body));
    assert.throws(() => auth().open(headers).verify(body), { code: 'ERR_UNAUTHENTICATED' });
    assert.throws(() => auth(other).open({ nonce: 'x' }), {
      details: { missing: ['validator-hotkey', 'miner-hotkey', 'signature'] },
    });
  });
});
