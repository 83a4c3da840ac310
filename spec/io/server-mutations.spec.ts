import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { of } from 'rxjs';
import { cryptoReady } from '../../src/chain/keys.js';
import type { ServerLog } from '../../src/server/index.js';
import { answerOf, call, chainAuth, challengeBody, serverBox, signedHeaders } from '../src/server/support.js';
import { createMutator, type Draft, type MutatedRequest } from '../support/mutated-request.js';
import { unhandledDuring } from '../support/unhandled.js';

/** By hand: `MUTATIONS=10000 npx mocha spec/io/server-mutations.spec.ts`. */
const count = Number(process.env.MUTATIONS ?? 1_500);
const atOnce = 48;
/** Turns of the event loop without a further byte after which a caller that was answered leaves. */
const patienceTurns = 10;

const clip = 'https://cdn.example/clip.mp4';

function challenge(body: string): Draft {
  const bytes = Buffer.from(body, 'latin1');
  const headers = Object.entries({ Host: 'x', 'Content-Length': String(bytes.length), ...signedHeaders(bytes) });
  return { method: 'POST', target: '/soccer/challenge', headers, body };
}

/**
 * Sends one request as it says and gives what came back, one letter per byte. A caller that waits leaves when it was answered: the server's
 * clocks bound that, and a connection that is neither answered nor closed shows as a test without end.
 */
function send(port: number, { bytes, cuts, leave }: MutatedRequest): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    let quietTurns = 0;
    const leaveWhenQuiet = () => {
      if (quietTurns++ < patienceTurns) setImmediate(leaveWhenQuiet);
      else socket.end();
    };
    const part = (index: number, from: number) => {
      const to = cuts[index];
      if (to !== undefined) socket.write(bytes.slice(from, to), 'latin1', () => setImmediate(part, index + 1, to));
      else if (leave === 'resets') socket.resetAndDestroy();
      else if (leave === 'ends') socket.end();
    };
    socket.on('data', (chunk) => {
      if (text === '') leaveWhenQuiet();
      text += chunk.toString('latin1');
      quietTurns = 0;
    });
    socket.on('end', () => socket.end());
    // A server that refuses a long request does not read it to its end.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    part(0, 0);
  });
}

describe('server: mutated requests', function () {
  this.timeout(60_000 + 60 * count);
  const box = serverBox();
  before(cryptoReady);
  afterEach(() => box.closeAll());

  it(`${count} of them: no 500, nothing unhandled, and the server answers as before`, async () => {
    const errors: unknown[] = [];
    const skip = () => undefined;
    const log: ServerLog = { debug: skip, info: skip, warn: skip, error: (facts) => errors.push(facts) };
    const answerer = { answer: () => of(answerOf(2)) };
    const limits = { bodyTimeoutMs: 200, maxConcurrentChallenges: 8 };
    const server = await box.start(
      { answerer, auth: chainAuth(), log, ...limits },
      { headTimeoutMs: 500, maxClients: 64 },
    );
    const seed = 1;
    const next = createMutator({ seed, challenge, nowNs: () => BigInt(Date.now()) * 1_000_000n });
    const statuses = new Map<string, number>();
    const kinds = new Map<string, number>();
    const bump = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
    let sent = 0;
    const caller = async () => {
      while (sent < count) {
        const index = sent++;
        const request = next();
        const text = await send(server.port, request);
        for (const kind of request.kinds) bump(kinds, kind);
        for (const [, status = ''] of text.matchAll(/^HTTP\/1\.1 (\d+) /gm)) bump(statuses, status);
        if (/^HTTP\/1\.1 500 /m.test(text)) assert.fail(`500 at ${index} of seed ${seed}: ${JSON.stringify(request)}`);
      }
    };
    const unhandled = await unhandledDuring(async () => {
      await Promise.all(Array.from({ length: atOnce }, caller));
    });

    assert.deepEqual([unhandled, errors], [[], []]);
    assert.equal((await call(`${server.url}/livez`)).text, 'ok');
    const body = challengeBody(clip);
    const reply = await call(`${server.url}/soccer/challenge`, { method: 'POST', headers: signedHeaders(body), body });
    assert.equal(reply.status, 200);
    const metrics = (await call(`${server.statusUrl}/metrics`)).text;
    assert.doesNotMatch(metrics, /status="500"|outcome="ERR_INTERNAL"/);
    const routes = new Set([...metrics.matchAll(/requests_total\{route="(.*?)"/g)].map(([, route]) => route));
    assert.deepEqual([...routes].sort(), [
      '/availability',
      '/livez',
      '/openapi.json',
      '/readyz',
      '/soccer/challenge',
      'other',
    ]);
    // The mutations reach every check, and do not all fail at the first one.
    const reached = ['200', '400', '401', '403', '404', '405', '413', '422', '431'];
    assert.deepEqual(
      reached.filter((status) => !statuses.has(status)),
      [],
      JSON.stringify([...statuses]),
    );
    assert.equal(kinds.size, 17, JSON.stringify([...kinds]));
  });
});
