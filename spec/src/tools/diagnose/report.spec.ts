import assert from 'node:assert/strict';
import { reportOf } from '../../../../src/tools/diagnose/index.js';
import type { Measurements } from '../../../../src/tools/diagnose/schema.js';
import { showBytes, showFps, showMs, showRate } from '../../../../src/tools/diagnose/units.js';
import { waterfallOf } from '../../../../src/tools/diagnose/waterfall.js';
import { connection, container, diagnosisOf, libav, modelsAt, server, transfersAt } from './measurements.js';

const long = 'x'.repeat(300);
const atEnd = { ...container, moov: 'end' } as const;
const cases: readonly (readonly [why: string, measured: Partial<Measurements>])[] = [
  ['the situation', {}],
  ['a slow link', { transfers: transfersAt(12_345) }],
  [
    'everything that makes a note',
    {
      server: {
        ...server,
        httpVersion: '1.1',
        acceptsRanges: false,
        redirects: 3,
        keepAlive: { announcedS: 5, idleS: 9.5, closed: true },
      },
      container: atEnd,
    },
  ],
  [
    'a link and reasons longer than any line',
    {
      target: `https://cdn.example.com/${long}`,
      models: { ...modelsAt(25), names: [long], passedOver: [`cuda: ${long}`, `cuda: ${'word '.repeat(60)}`] },
    },
  ],
  ['a decoder that is not here', { decoders: [libav, { name: 'ffmpeg', unavailable: `no ffmpeg was found ${long}` }] }],
  [
    'huge figures',
    {
      transfers: transfersAt(1),
      decoders: [{ ...libav, firstFrame: { cold: { medianMs: 1e8, p95Ms: 1e8, runs: 999 } } }],
    },
  ],
  [
    'a stop in the first stage',
    {
      connection: undefined,
      server: undefined,
      transfers: [],
      container: undefined,
      decoders: [],
      models: undefined,
      answer: undefined,
      failed: { stage: 'DNS look-up', code: 'ERR_SOURCE_CONNECT', message: `DNS look-up to ${long} failed` },
    },
  ],
];

const UNIT =
  /^(ms|s|B|KB|MB|MB\/s|%|frames?|frames\/s|pixels|keyframes|pictures?|requests?|cores|threads|times)[),;:.]*$/;

describe('report', () => {
  for (const [why, measured] of cases) {
    it(`fits 100 columns: ${why}`, () => {
      const tooLong = reportOf(diagnosisOf(measured))
        .split('\n')
        .filter((line) => line.length > 100);
      assert.deepEqual(tooLong, []);
    });
  }

  it('gives every number its unit', () => {
    const lines = reportOf(diagnosisOf({ container: atEnd })).split('\n');
    const bare = lines.flatMap((line) => {
      const words = line.trim().split(/ +/);
      return words.filter((word, i) => /^\(?\d+(\.\d+)?[),;:]?$/.test(word) && !UNIT.test(words[i + 1] ?? ''));
    });
    // The one column of the table of batches that counts, as its title says.
    assert.deepEqual(bare, ['3']);
  });

  it('names the largest cost of each way with its mend, and the notes', () => {
    const text = reportOf(diagnosisOf({ container: atEnd }));
    assert.match(text, /^cold: connection set-up, 2352 ms of \d+ ms \(\d+ %\) -> PREWARM_ORIGINS=https:\/\/cdn/m);
    assert.match(text, /^warm: inference, 600 ms of \d+ ms \(\d+ %\) -> IMG_SIZE=576: /m);
    assert.match(text, /^note: the index \(moov, 8 KB\) lies behind the media data/m);
  });

  it('says where a measurement stopped, and shows what there is', () => {
    const failed = { stage: 'transfer', code: 'ERR_SOURCE_STALLED', message: 'Nothing came for 10000 ms' } as const;
    const nothing = { transfers: [], container: undefined, decoders: [], models: undefined, answer: undefined };
    const text = reportOf(diagnosisOf({ ...nothing, connection, failed }));
    assert.match(text, /^stopped: transfer: ERR_SOURCE_STALLED: Nothing came for 10000 ms$/m);
    assert.match(text, /^TLS handshake +2280 ms/m);
  });
});

describe('waterfall', () => {
  it('puts the bars one behind the other, in proportion, the shortest still seen', () => {
    const steps = [
      { step: 'DNS', ms: 0.1 },
      { step: 'TLS', ms: 50 },
      { step: 'transfer', ms: 49.9 },
    ];
    assert.deepEqual(waterfallOf({ steps, totalMs: 100, costs: [], verdict: '' }, 46), [
      '  DNS         ▏                       0.1 ms',
      '  TLS         ██████████               50 ms',
      '  transfer              ██████████     50 ms',
    ]);
  });
});

describe('units', () => {
  const rows: readonly (readonly [string, string])[] = [
    [showMs(undefined), '–'],
    [showMs(0.04), '0.0 ms'],
    [showMs(9.96), '10 ms'],
    [showMs(2280), '2280 ms'],
    [showMs(11_140), '11.1 s'],
    [showBytes(999), '999 B'],
    [showBytes(256_000), '256 KB'],
    [showBytes(1_000_000), '1.0 MB'],
    [showBytes(15_115_753), '15 MB'],
    [showRate(500_000), '0.50 MB/s'],
    [showFps(9.84), '9.8 frames/s'],
    [showFps(246.1), '246 frames/s'],
  ];
  for (const [shown, expected] of rows) it(expected, () => assert.equal(shown, expected));
});
