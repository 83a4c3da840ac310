import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { createWireAnswer } from '../../../src/server/wire-answer.js';

const tail = Buffer.from(`"frames":[${Array.from({ length: 500 }, (_, i) => `{"frame_number":${i}}`).join(',')}]}`);
const head = { challengeId: 'c-1', processingS: 1.23456, cached: false };

describe('createWireAnswer', () => {
  it('puts the caller’s own members in front', () => {
    const text = Buffer.concat(createWireAnswer({ tail: Buffer.from('"frames":[]}') }).plain(head));
    assert.equal(text.toString(), '{"challenge_id":"c-1","processing_time":1.235,"cached":false,"frames":[]}');
  });

  it('is one gzip member for any caller, of any id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 256 }), async (challengeId) => {
        const answer = createWireAnswer({ tail });
        const zipped = await answer.gzip({ ...head, challengeId });
        assert.deepEqual(gunzipSync(zipped), Buffer.concat(answer.plain({ ...head, challengeId })));
      }),
      { numRuns: 50 },
    );
  });

  it('is read whole by the zlib of callers', async function () {
    if (spawnSync('python3', ['-c', '']).status !== 0) this.skip();
    // As httpx does: one decompressobj, which would stop behind a first of several members.
    const script =
      'import sys,zlib;d=zlib.decompressobj(zlib.MAX_WBITS|16);sys.stdout.buffer.write(d.decompress(sys.stdin.buffer.read())+d.flush())';
    const answer = createWireAnswer({ tail });
    const { stdout } = spawnSync('python3', ['-c', script], { input: await answer.gzip(head) });
    assert.deepEqual(stdout, Buffer.concat(answer.plain(head)));
  });

  it('compresses once for all callers', async () => {
    const answer = createWireAnswer({ tail });
    const [one, two] = await Promise.all([answer.gzip(head), answer.gzip(head)]);
    assert.deepEqual(one, two);
    assert.ok(one.length < tail.length / 3);
  });

  it('compresses a usual body within one turn of the event loop, a long one beside it, and tells once how long that took', async () => {
    for (const [bytes, otherWork] of [
      [1_000_000, false],
      [4_000_000, true],
    ] as const) {
      const took: number[] = [];
      const answer = createWireAnswer({ tail: Buffer.alloc(bytes, tail), onCompressed: (ms) => took.push(ms) });
      let turned = false;
      setImmediate(() => {
        turned = true;
      });
      await answer.gzip(head);
      assert.equal(turned, otherWork, `${bytes} bytes`);
      await answer.gzip(head);
      assert.equal(took.length, 1);
    }
  });

  it('tells a bound on its memory', () => {
    assert.equal(createWireAnswer({ tail }).sizeBytes, 2 * tail.length);
  });
});
