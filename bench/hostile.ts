/**
 * `npm run bench:hostile`: what strangers may send to a real `tikitaka serve` with a budget of 1 s, one case after the other: targets that
 * are none, clips whose index claims or costs too much, noise, flipped bits, origins that fall silent. For each the answer, how long
 * it took, how long `/livez` waited meanwhile and the memory of all processes (PSS); at the end whether all of it is within the targets.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flatClip } from '../spec/support/flat-h264.js';
import { box, buildMp4 } from '../spec/support/mp4-builder.js';
import { cacheFolder } from '../src/app/cache-folder.js';
import { findFfmpeg } from '../src/decode/index.js';
import { generateClip } from '../src/tools/demo/generate.js';
import { DEMO_CLIP } from '../src/tools/demo/situation.js';
import { quantile, report } from './harness.js';
import { startServer } from './serving.js';

const BUDGET_S = 1;
const targets = { answerMs: 1300, livezMs: 300, peakBytes: 1.5e9, growth: 1.15 };

/** What an origin does with its n-th request for a path, counted from 1. */
type Origin = (request: IncomingMessage, response: ServerResponse, n: number) => void;

interface Case {
  readonly name: string;
  /** Sent raw; the answer's status is read from the first line. Where none is given: a challenge for `path`. */
  readonly raw?: string;
  readonly path?: string;
}

interface Outcome {
  readonly name: string;
  readonly status: number;
  readonly code: string;
  readonly ms: number;
  readonly livezMs: number;
  readonly pssBytes: number;
}

const clips = new Map<string, Uint8Array>();
const origins = new Map<string, Origin>();
const asked = new Map<string, number>();

const serveFile =
  (path: string): Origin =>
  (request, response) => {
    const bytes = clips.get(path) ?? Buffer.alloc(0);
    const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const start = Math.min(Number(from), bytes.length);
    const end = Math.min(to === '' ? bytes.length : Number(to) + 1, bytes.length);
    const headers = { 'content-length': end - start, etag: `"${path}"`, 'content-type': 'video/mp4' };
    if (request.headers.range === undefined) return void response.writeHead(200, headers).end(bytes);
    if (start >= end) return void response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` });
    response.end(bytes.subarray(start, end));
  };

const origin = createServer((request, response) => {
  const path = request.url ?? '/';
  const n = (asked.get(path) ?? 0) + 1;
  asked.set(path, n);
  (origins.get(path) ?? serveFile(path))(request, response, n);
});
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
const originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;

/** Proportional set size of a process and all below it: shared pages count once. */
function pss(root: number): number {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const parents = new Map(rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]));
  const below = (pid: number): boolean => pid === root || (parents.has(pid) && pid > 1 && below(parents.get(pid) ?? 0));
  let sum = 0;
  for (const pid of parents.keys()) {
    if (!below(pid)) continue;
    try {
      sum += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024;
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}

async function sendRaw(url: string, text: string): Promise<{ status: number; code: string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.setTimeout(5000, () => socket.destroy());
  socket.write(text);
  let said = '';
  socket.on('data', (bytes) => {
    said += bytes;
  });
  await once(socket, 'close');
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0), code: /"code":"(\w+)"/.exec(said)?.[1] ?? '' };
}

async function challenge(url: string, path: string): Promise<{ status: number; code: string }> {
  const response = await fetch(`${url}/soccer/challenge`, {
    method: 'POST',
    body: JSON.stringify({ challenge_id: path, type: 'gsr', video_url: `${originUrl}${path}` }),
  });
  const body = await response.text();
  return { status: response.status, code: /"(?:code|problem)":"(\w+)"/.exec(body)?.[1] ?? '' };
}

const request = (line: string, more = '') => `${line}\r\nHost: x\r\nConnection: close\r\n${more}\r\n`;
const cases: Case[] = [
  ...['http://[', 'http://[::', '//', '/%', '/%zz', '*', '/\\..\\', `/${'a'.repeat(9000)}`, 'http://x:99999/'].map(
    (target) => ({ name: `GET ${target.slice(0, 20)}`, raw: request(`GET ${target} HTTP/1.1`) }),
  ),
  { name: 'OPTIONS *', raw: request('OPTIONS * HTTP/1.1') },
  { name: 'CONNECT', raw: request('CONNECT 127.0.0.1:1 HTTP/1.1') },
  { name: 'no HTTP', raw: '\x16\x03\x01\r\n\r\n' },
  { name: '200 headers', raw: request('GET /livez HTTP/1.1', 'X: 1\r\n'.repeat(200)) },
  { name: 'an upgrade', raw: 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n' },
];

/** A challenge for these bytes. */
function clip(name: string, bytes: Uint8Array): void {
  const path = `/${name.replace(/\W+/g, '-')}.mp4`;
  clips.set(path, bytes);
  cases.push({ name, path });
}

const edits = (count: number) => Array.from({ length: count }, (_, i) => [40, i % 7] as const);
clip('600 edits', buildMp4({ uniform: { count: 2000, sizeBytes: 100 }, edits: edits(600) }));
clip('20,000 edits', buildMp4({ uniform: { count: 2000, sizeBytes: 100 }, edits: edits(20_000) }));
const free = box('free');
clip('40,000 free boxes', buildMp4({ before: Array.from({ length: 40_000 }, () => free) }));
clip('200,000 frames', flatClip({ frames: 200_000, codedWidth: 16, codedHeight: 16 }));
clip(
  '19,999 frames, all keyframes',
  flatClip({ frames: 19_999, codedWidth: 16, codedHeight: 16, timescale: 1000, stts: [[19_999, 40]] }),
);
clip('2^20 frames claimed', buildMp4({ uniform: { count: 2 ** 20, sizeBytes: 1 }, media: Buffer.alloc(1000) }));
clip('16224² behind 640×360', flatClip({ frames: 2, codedWidth: 16224, codedHeight: 16224, width: 640, height: 360 }));

const folder = await mkdtemp(join(tmpdir(), 'tikitaka-hostile-'));
const { path: demo } = await generateClip({ ...DEMO_CLIP, cacheFolder: cacheFolder() });
const { path: ffmpeg } = await findFfmpeg();
const noisy = join(folder, 'noise.mp4');
const encode = ['-vf', 'noise=alls=60:allf=t', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];
execFileSync(ffmpeg, ['-loglevel', 'error', '-t', '10', '-i', demo, ...encode, '-movflags', '+faststart', noisy]);
clip('film grain', await readFile(noisy));
const small = await generateClip({ seed: 3, seconds: 2, width: 640, height: 360, cacheFolder: cacheFolder() });
const good = await readFile(small.path);
for (let seed = 0; seed < 30; seed++) {
  const flipped = Uint8Array.from(good);
  // A small generator of our own (mulberry32's constants): the same bits in every run.
  let state = seed + 1;
  for (let i = 0; i < 40; i++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    const within = i < 8 ? 3000 : flipped.length;
    const at = state % within;
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (state >>> 29));
  }
  clip(`bits flipped ${seed}`, flipped);
}
clip('good', good);
clips.set('/silent.mp4', good);
// Answers the first run; every later request for its head falls silent.
let silent = false;
origins.set('/silent.mp4', (req, res, n) => (silent ? undefined : serveFile('/silent.mp4')(req, res, n)));
clips.set('/failed-once.mp4', good);
let failing = true;
origins.set('/failed-once.mp4', (req, res, n) => {
  if (failing && n > 1) return void res.writeHead(404).end();
  serveFile('/failed-once.mp4')(req, res, n);
});
cases.push({ name: 'an origin, first time', path: '/silent.mp4' });
cases.push({ name: 'silent on revalidation', path: '/silent.mp4' });
cases.push({ name: 'an origin that fails once', path: '/failed-once.mp4' });
cases.push({ name: 'the same, healed', path: '/failed-once.mp4' });
clips.set('/endless.mp4', good);
origins.set('/endless.mp4', (_, res) => {
  res.writeHead(200, { 'content-type': 'video/mp4' });
  const more = () => {
    while (!res.destroyed && res.write(Buffer.alloc(65_536, 0x66)));
  };
  res.on('drain', more);
  more();
});
cases.push({ name: 'an endless body', path: '/endless.mp4' });

const server = await startServer(
  { ca: undefined, url: originUrl },
  {
    TIME_BUDGET_S: String(BUDGET_S),
    ON_EMPTY_BUDGET: 'fail',
    ANSWER_CACHE_S: '600',
  },
);
const outcomes: Outcome[] = [];
try {
  await challenge(server.url, '/good.mp4');
  await sleep(3000);
  const startBytes = pss(server.pid);
  let peakBytes = startBytes;
  for (const { name, raw, path } of cases) {
    if (name === 'silent on revalidation') silent = true;
    if (name === 'the same, healed') failing = false;
    let waitedMs = 0;
    let caseBytes = 0;
    let running = true;
    const watching = (async () => {
      while (running) {
        const startMs = performance.now();
        await fetch(`${server.url}/livez`).then(
          (response) => response.text(),
          () => undefined,
        );
        waitedMs = Math.max(waitedMs, performance.now() - startMs);
        caseBytes = Math.max(caseBytes, pss(server.pid));
        await sleep(20);
      }
    })();
    const startMs = performance.now();
    const { status, code } =
      raw === undefined ? await challenge(server.url, path ?? '/') : await sendRaw(server.url, raw);
    const ms = performance.now() - startMs;
    running = false;
    await watching;
    peakBytes = Math.max(peakBytes, caseBytes);
    outcomes.push({ name, status, code, ms, livezMs: waitedMs, pssBytes: caseBytes });
    const [took, waited, memory] = [ms, waitedMs, caseBytes / 1e6].map((n) => n.toFixed(0).padStart(5));
    console.log(`${name.padEnd(32)} ${status} ${code.padEnd(22)} ${took} ms  livez ${waited} ms  ${memory} MB`);
    if (!server.alive) throw new Error('the server has ended');
  }
  await sleep(5000);
  const endBytes = pss(server.pid);
  const answered = outcomes.filter(({ status }) => status === 200).map(({ ms }) => ms);
  const worst = (of: (outcome: Outcome) => number) => Math.max(...outcomes.map(of));
  report({
    bench: 'hostile',
    figures: [],
    facts: {
      cases: outcomes.length,
      answered: answered.length,
      p95Ms: quantile(
        outcomes.map(({ ms }) => ms),
        0.95,
      ),
      slowestMs: Math.round(worst(({ ms }) => ms)),
      livezMs: Math.round(worst(({ livezMs }) => livezMs)),
      internalErrors: outcomes.filter(({ status }) => status === 500).length,
      startMB: Math.round(startBytes / 1e6),
      peakMB: Math.round(peakBytes / 1e6),
      endMB: Math.round(endBytes / 1e6),
      withinTargets:
        worst(({ ms }) => ms) <= targets.answerMs &&
        worst(({ livezMs }) => livezMs) <= targets.livezMs &&
        peakBytes <= targets.peakBytes &&
        endBytes <= startBytes * targets.growth &&
        outcomes.every(({ status }) => status !== 500),
    },
  });
} finally {
  await server.close();
  origin.closeAllConnections();
  origin.close();
  await rm(folder, { recursive: true });
}
