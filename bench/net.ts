/** `npx tsx bench/net.ts`: what the pool saves over a link shaped like the CDN of docs/measurements.md "The situation" (60 ms, 5 MB/s, 2.2 s set-up). */

import { createLinkPolicy, createPool, openHttpSource, type Pool } from '../src/net/index.js';
import { createClipServer } from '../src/tools/demo/clip-server.js';
import { createShapedLink } from '../src/tools/demo/shaped-link.js';
import { type Figures, race, report } from './harness.js';

const clip = new Uint8Array(10_000_000);
const policy = createLinkPolicy({ allowPrivate: true });
const files = { '/clip.mp4': clip };
const h2 = await createClipServer({ files });
const h1 = await createClipServer({ files, protocol: 'https/1.1' });
const h2Link = await createShapedLink({ targetPort: h2.port });
const h1Link = await createShapedLink({ targetPort: h1.port });
const h2Url = `https://localhost:${h2Link.port}/clip.mp4`;
const h1Url = `https://localhost:${h1Link.port}/clip.mp4`;
const newPool = (ca = '') => createPool({ policy, ca });
const pool = newPool(h2.ca);
const h1Pool = newPool(h1.ca);

const starts = Array.from({ length: 10 }, (_, i) => i * 1_000_000);

async function firstByte(from: Pool): Promise<number> {
  const begun = performance.now();
  const source = await openHttpSource(h2Url, { pool: from });
  for await (const _ of source.read({ start: 0, end: 1 })) break;
  const ms = performance.now() - begun;
  source.close();
  return ms;
}

async function range(from: Pool, url: string, start: number, length: number): Promise<void> {
  const { body } = await from.request(url, { headers: { range: `bytes=${start}-${start + length - 1}` } });
  for await (const _ of body);
}
const rangesAtOnce = (from: Pool, url: string) => Promise.all(starts.map((start) => range(from, url, start, 10_000)));

async function whole(from: Pool, url: string): Promise<void> {
  const source = await openHttpSource(url, { pool: from });
  for await (const _ of source.read({ start: 0 }));
  source.close();
}

const ratio = (above?: Figures, below?: Figures) =>
  Math.round(((above?.medianMs ?? Number.NaN) / (below?.medianMs ?? Number.NaN)) * 100) / 100;

try {
  const openings = await race({
    contenders: [
      {
        name: 'first byte, cold',
        async run() {
          const cold = newPool(h2.ca);
          const ms = await firstByte(cold);
          await cold.close();
          return ms;
        },
      },
      { name: 'first byte, warm', run: () => firstByte(pool) },
    ],
    rounds: 3,
  });
  report({ bench: 'net/first-byte', figures: openings, facts: { coldByWarm: ratio(openings[0], openings[1]) } });

  const ranges = await race({
    contenders: [
      { name: '10 ranges at once, one h2 connection', run: () => rangesAtOnce(pool, h2Url) },
      { name: '10 ranges at once, h1, 5 kept alive', run: () => rangesAtOnce(h1Pool, h1Url) },
      {
        name: '10 ranges one by one, h2',
        async run() {
          for (const start of starts) await range(pool, h2Url, start, 10_000);
        },
      },
    ],
  });
  report({
    bench: 'net/ranges',
    figures: ranges,
    facts: { h1ByH2: ratio(ranges[1], ranges[0]), oneByOneByAtOnce: ratio(ranges[2], ranges[0]) },
  });

  const wholes = await race({
    contenders: [
      { name: '10 MB, h2', run: () => whole(pool, h2Url) },
      { name: '10 MB, h1', run: () => whole(h1Pool, h1Url) },
    ],
    rounds: 3,
    warmups: 0,
  });
  const megabytesPerSecond = Math.round(clip.length / (wholes[0]?.medianMs ?? Number.NaN) / 10) / 100;
  report({
    bench: 'net/throughput',
    figures: wholes,
    facts: { megabytesPerSecond, h1ByH2: ratio(wholes[1], wholes[0]) },
  });
} finally {
  for (const opened of [pool, h1Pool, h2Link, h1Link, h2, h1]) await opened.close();
}
