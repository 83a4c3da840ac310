import assert from 'node:assert/strict';
import { deriveBoxKey } from '../../src/chain/secret-box.js';

describe('chain: password of an encrypted key file', () => {
  it("derives the key as Bittensor's wallets do (docs/protocol.md §5; 512 MiB, eight passes)", async function () {
    this.timeout(60_000);
    const key = await deriveBoxKey('test-password-1');
    assert.equal(Buffer.from(key).toString('hex'), 'df841b340a57e1e209cc5ce5bc3d4530f5f1386d5b315af591f9041a63dd635f');
  });
});
