import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { loadConfig } from '../../src/app/config.js';
import { packageRoot } from '../../src/app/package-root.js';
import { diagnoseCommand } from '../../src/cli/diagnose.js';
import { diagnoseLink } from '../../src/cli/diagnose-link.js';
import { type ClipServerOptions, createClipServer } from '../../src/tools/demo/clip-server.js';
import { type Diagnosis, diagnosisSchema, reportOf, type Stage } from '../../src/tools/diagnose/index.js';
import { cleanUpAfterEach } from '../support/clean-up.js';
import { openClientSockets } from '../support/client-sockets.js';
import { createHostileServer, type HostileExchange } from '../support/hostile-server.js';
import { type ClipOptions, makeClip } from '../support/make-clip.js';
import { side, slowFile } from '../support/models.js';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Runs the command as a user would; it must end by itself. */
function tikitaka(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
    execFile(
      process.execPath,
      ['--import=tsx', main, 'diagnose', ...args],
      { timeout: 50_000, env: { ...process.env, ...env } },
      (error, out, err) => resolve({ code: error ? (typeof error.code === 'number' ? error.code : 99) : 0, out, err }),
    );
  });
}

describe('diagnose', function () {
  this.timeout(60_000);
  const closing = cleanUpAfterEach();
  let folder = '';
  let model = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tikitaka-diagnose-'));
    model = join(folder, 'small.json');
    writeFileSync(join(folder, 'small.onnx'), slowFile(1));
    const input = { width: side, height: side, layout: 'nhwc', dtype: 'uint8', fit: 'stretch' };
    const output = { layout: 'yolo-detect', classes: { 0: 'ball' } };
    writeFileSync(model, JSON.stringify({ version: 1, name: 'small', input, output, thresholds: { ball: 0.9 } }));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const config = (overrides = {}) =>
    loadConfig({
      env: {},
      dotenvPaths: [],
      overrides: {
        MODEL: model,
        BATCH_SIZE: '2',
        DEVICE: 'cpu',
        LOG_LEVEL: 'error',
        READ_TIMEOUT_S: '0.3',
        ...overrides,
      },
    });

  interface MeasureOptions {
    readonly ca?: string | undefined;
    /** Interrupts when this stage begins: what was measured until then is what the test is about. */
    readonly until?: Stage;
    readonly stageLimitMs?: number;
    readonly readTimeoutS?: number;
  }

  async function measure(target: string, options: MeasureOptions = {}): Promise<Diagnosis> {
    const { ca, until, stageLimitMs = 30_000, readTimeoutS = 10 } = options;
    const leave = new AbortController();
    const diagnosis = await diagnoseLink({
      target,
      ca,
      config: config({ READ_TIMEOUT_S: String(readTimeoutS) }),
      runs: 2,
      stageLimitMs,
      signal: leave.signal,
      onStage: (stage) => stage === until && leave.abort(),
    });
    assert.deepEqual(diagnosisSchema.safeParse(JSON.parse(JSON.stringify(diagnosis))).error?.issues, undefined);
    assert.equal(openClientSockets(Number(new URL(target).port)), 0, 'a connection is left');
    if (until) assert.deepEqual([diagnosis.failed?.stage, diagnosis.failed?.code], [until, 'ERR_ABORTED']);
    return diagnosis;
  }
  async function measureClip(
    clip: ClipOptions,
    { until, ...server }: Omit<ClipServerOptions, 'files'> & Pick<MeasureOptions, 'until'> = {},
  ) {
    const bytes = await makeClip(clip);
    const opened = closing(await createClipServer({ files: { '/clip': bytes }, ...server }));
    return { bytes, diagnosis: await measure(`${opened.url}/clip?token=secret`, { ca: opened.ca, until }) };
  }
  const codes = ({ verdict }: Diagnosis) => verdict.notes.map(({ code }) => code);
  /** What stood when it stopped. */
  const reached = (diagnosis: Diagnosis) => ({
    stage: diagnosis.failed?.stage,
    code: diagnosis.failed?.code,
    tls: diagnosis.connection?.tls.cold !== undefined,
    firstByte: diagnosis.connection?.firstByte.cold !== undefined,
  });
  const plain = { movflags: 'faststart', frames: 50, gop: 10 } as const;

  it('measures every stage of an indexed clip over HTTP/2', async () => {
    const { bytes, diagnosis } = await measureClip(plain);
    const { target, failed, connection, server, transfers, container, decoders, models, answer, verdict } = diagnosis;
    assert.equal(failed, undefined);
    assert.ok(target.endsWith('/clip'), `the query is not shown: ${target}`);
    assert.deepEqual(
      { ...server, keepAlive: server?.keepAlive.closed },
      {
        httpVersion: '2',
        tlsVersion: 'TLSv1.3',
        alpn: 'h2',
        acceptsRanges: true,
        redirects: 0,
        sizeBytes: bytes.length,
        keepAlive: false,
      },
    );
    assert.deepEqual(
      [connection?.tls.cold?.runs, connection?.firstByte.cold?.runs, connection?.firstByte.warm?.runs],
      [1, 1, 2],
    );
    assert.deepEqual(
      transfers.map((one) => [one.bytes, one.cold?.runs, one.warm?.runs]),
      [[bytes.length, 1, 2]],
    );
    assert.deepEqual(
      [container?.kind, container?.moov, container?.frames, container?.keyframes, container?.requests],
      ['indexed', 'start', 50, 5, 1],
    );
    for (const { name, unavailable, frames, keyframeMs, firstFrame } of decoders) {
      assert.deepEqual([name, unavailable, frames], [name, undefined, 50]);
      assert.ok(keyframeMs && firstFrame?.cold && firstFrame.warm, name);
    }
    assert.deepEqual(
      decoders.map(({ name }) => name),
      ['libav', 'ffmpeg'],
    );
    assert.deepEqual([models?.device, models?.batches.map(({ size }) => size)], ['cpu', [1, 2]]);
    assert.equal(answer?.frames, 50);
    assert.deepEqual(
      verdict.cold?.steps.map(({ step }) => step),
      ['DNS', 'TCP', 'TLS', 'first byte', 'transfer', 'decoding', 'inference', 'answer'],
    );
    assert.equal(verdict.pictures, 5);
  });

  it('says that the index lies behind the media data', async () => {
    const { diagnosis } = await measureClip({ ...plain, movflags: '' }, { until: 'first frame' });
    assert.equal(diagnosis.container?.moov, 'end');
    assert.ok(codes(diagnosis).includes('moov-at-end'));
    assert.match(reportOf(diagnosis), /note: the index \(moov, \d+ (B|KB)\) lies behind the media data/);
  });

  it('says that a server knows neither Range nor HTTP/2', async () => {
    const { diagnosis } = await measureClip(plain, { protocol: 'http/1.1', ignoreRange: true, until: 'first frame' });
    assert.deepEqual([diagnosis.server?.httpVersion, diagnosis.server?.acceptsRanges], ['1.1', false]);
    assert.equal(diagnosis.connection?.tls.cold, undefined);
    assert.ok(
      ['no-range', 'no-http2'].every((code) => codes(diagnosis).includes(code)),
      codes(diagnosis).join(),
    );
  });

  it('measures HTTP/1.1 with TLS and ranges on one connection', async () => {
    const { diagnosis } = await measureClip(plain, { protocol: 'https/1.1', until: 'first frame' });
    assert.equal(diagnosis.server?.alpn, 'http/1.1');
    assert.equal(diagnosis.connection?.firstByte.warm?.runs, 2);
  });

  it('measures a container without an index, whose length it learns by decoding', async () => {
    const { diagnosis } = await measureClip({ format: 'matroska', frames: 50 }, { until: 'model load' });
    assert.deepEqual([diagnosis.container?.kind, diagnosis.container?.frames], ['stream', 50]);
    assert.deepEqual(
      diagnosis.decoders.map(({ frames }) => frames),
      [50, 50],
    );
    assert.ok(codes(diagnosis).includes('no-index'));
  });

  it('follows redirects to the server that it measures', async () => {
    const target = closing(await createClipServer({ files: { '/clip': await makeClip(plain) }, protocol: 'http/1.1' }));
    const first = createServer((_, response) => response.writeHead(302, { location: `${target.url}/clip` }).end());
    first.listen(0, '127.0.0.1');
    await once(first, 'listening');
    closing({ close: () => first.close() });
    const from = `http://localhost:${(first.address() as AddressInfo).port}/`;
    const diagnosis = await measure(from, { until: 'first frame' });
    assert.equal(diagnosis.server?.redirects, 1);
    assert.ok(codes(diagnosis).includes('redirects'));
  });

  describe('a server that stalls ends it on time, with the stage named and what came before it', () => {
    const stalls: readonly (readonly [string, (exchange: HostileExchange) => unknown, string, string])[] = [
      ['before the headers', () => {}, 'first byte', 'ERR_SOURCE_STALLED'],
      [
        'in the body',
        (e) => {
          e.begin();
          return e.send(100);
        },
        'transfer',
        'ERR_SOURCE_STALLED',
      ],
      [
        'when the container is opened',
        (e) => (e.number <= 3 ? e.serve() : undefined),
        'container open',
        'ERR_SOURCE_STALLED',
      ],
    ];
    for (const [where, act, stage, code] of stalls)
      it(where, async () => {
        const server = closing(
          await createHostileServer(Buffer.from(await makeClip(plain)), async (e) => void (await act(e))),
        );
        const diagnosis = await measure(server.url, { ca: server.ca, readTimeoutS: 1 });
        assert.deepEqual(reached(diagnosis), { stage, code, tls: true, firstByte: stage !== 'first byte' });
      });

    it('in the TLS handshake', async () => {
      const sockets = new Set<Socket>();
      const server = createTcpServer((socket) => sockets.add(socket.on('error', () => {})));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      closing({ close: () => [...sockets].map((socket) => socket.destroy()) && server.close() });
      const target = `https://localhost:${(server.address() as AddressInfo).port}/`;
      const diagnosis = await measure(target, { readTimeoutS: 0.5 });
      assert.deepEqual(reached(diagnosis), {
        stage: 'TLS handshake',
        code: 'ERR_SOURCE_CONNECT',
        tls: false,
        firstByte: false,
      });
      assert.ok(diagnosis.connection?.dns.cold && diagnosis.connection.tcp.cold);
    });

    it('by drops that come often enough: the stage has a limit of its own', async () => {
      const drip = async ({ begin, stream }: HostileExchange) => {
        begin();
        while (!stream.destroyed) {
          stream.write(Buffer.alloc(1));
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      const server = closing(await createHostileServer(Buffer.alloc(100_000), drip));
      const diagnosis = await measure(server.url, { ca: server.ca, stageLimitMs: 1500 });
      assert.deepEqual(reached(diagnosis), {
        stage: 'transfer',
        code: 'ERR_STAGE_TIMEOUT',
        tls: true,
        firstByte: true,
      });
    });
  });

  describe('tells what is wrong, and where', () => {
    const faults: readonly (readonly [string, string, string, string])[] = [
      ['a name that does not exist', 'https://no-such-host.invalid:1/', 'DNS look-up', 'ERR_SOURCE_CONNECT'],
      ['a port where nobody listens', 'http://127.0.0.1:1/', 'TCP connection', 'ERR_SOURCE_CONNECT'],
    ];
    for (const [why, target, stage, code] of faults)
      it(why, async () => {
        const { failed } = await measure(target);
        assert.deepEqual([failed?.stage, failed?.code], [stage, code]);
      });

    it('a file that is not there, an empty one, and no video', async () => {
      const files = { '/empty': Buffer.alloc(0), '/text': Buffer.from('<html>not here</html>') };
      const server = closing(await createClipServer({ files, protocol: 'http/1.1' }));
      const ends: Diagnosis[] = [];
      for (const name of ['none', 'empty', 'text']) ends.push(await measure(`${server.url}/${name}`));
      assert.deepEqual(
        ends.map(({ failed }) => [failed?.stage, failed?.code]),
        [
          ['first byte', 'ERR_SOURCE_STATUS'],
          ['first byte', 'ERR_SOURCE_EMPTY'],
          ['container open', 'ERR_NOT_VIDEO'],
        ],
      );
    });
  });

  describe('as a command', () => {
    const published = JSON.parse(readFileSync(new URL('schemas/diagnose.schema.json', packageRoot), 'utf8'));

    it('diagnoses the demo link: cold the set-up costs most, warm something else; the JSON fits the published schema', async () => {
      const clip = join(folder, 'clip.mp4');
      writeFileSync(clip, await makeClip({ ...plain, gop: 50 }));
      const link = ['--demo-clip', clip, '--demo-set-up', '1200', '--demo-rtt', '10'];
      const { code, out, err } = await tikitaka([
        '--demo',
        ...link,
        '--json',
        '--runs',
        '2',
        '--set',
        `MODEL=${model}`,
        '--device',
        'cpu',
      ]);
      assert.equal(code, 0, err);
      const diagnosis = diagnosisSchema.parse(JSON.parse(out));
      assert.deepEqual(z.fromJSONSchema(published).safeParse(JSON.parse(out)).error?.issues, undefined);
      const [cold, warm] = [diagnosis.verdict.cold?.costs[0], diagnosis.verdict.warm?.costs[0]];
      assert.equal(cold?.cost, 'connection set-up', JSON.stringify(diagnosis.verdict.cold));
      assert.match(cold?.setting ?? '', /^PREWARM_ORIGINS=https:\/\/localhost:\d+$/);
      assert.notEqual(warm?.cost, 'connection set-up');
    });

    it('prints what it has when a server stalls, and exits with 1', async () => {
      const server = closing(await createHostileServer(Buffer.alloc(10), () => {}));
      const ca = join(folder, 'ca.pem');
      writeFileSync(ca, server.ca);
      const args = [server.url, '--set', 'READ_TIMEOUT_S=1', '--set', `MODEL=${model}`];
      const { code, out, err } = await tikitaka(args, { NODE_EXTRA_CA_CERTS: ca });
      assert.equal(code, 1);
      assert.match(err, /^ERR_SOURCE_STALLED: first byte: Nothing came for 1000 ms$/m);
      assert.match(out, /^TLS handshake +\d/m);
      assert.match(out, /^stopped: first byte: /m);
    });

    const usage: readonly (readonly [string, readonly string[], object])[] = [
      ['neither URL nor --demo', [], { code: 'ERR_OPTION' }],
      ['both', ['http://localhost/', '--demo'], { code: 'ERR_OPTION' }],
      ['what is no http link', ['ftp://localhost/clip.mp4'], { code: 'ERR_SOURCE_REFUSED' }],
    ];
    for (const [why, args, error] of usage)
      it(`refuses ${why}`, () => assert.rejects(diagnoseCommand().parseAsync(['node', 'diagnose', ...args]), error));
  });
});
