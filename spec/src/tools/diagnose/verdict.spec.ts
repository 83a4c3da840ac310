import assert from 'node:assert/strict';
import type { Measurements } from '../../../../src/tools/diagnose/schema.js';
import type { Settings } from '../../../../src/tools/diagnose/settings.js';
import {
  connection,
  container,
  diagnosisOf,
  ffmpeg,
  figures,
  libav,
  modelsAt,
  origin,
  server,
  transfersAt,
} from './measurements.js';

interface Row {
  readonly why: string;
  readonly measured?: Partial<Measurements>;
  readonly settings?: Partial<Settings>;
  readonly cold?: readonly [cost: string, setting: string | undefined];
  readonly warm?: readonly [cost: string, setting: string | undefined];
}

const quick = { ...libav, keyframeMs: 2, framesPerSecond: 900 };
const slow = { ...libav, keyframeMs: 300, framesPerSecond: 10 };
const near = { ...connection, tls: { cold: figures(20) } };
const noRanges = { ...server, acceptsRanges: false };
const atEnd = { ...container, moov: 'end', warm: figures(900) } as const;
const stream = { kind: 'stream', format: 'matroska', frames: 750, requests: 1, warm: figures(70) } as const;
const prewarm = `PREWARM_ORIGINS=${origin}`;
const batches = [
  { size: 1, firstMs: 50, steady: figures(50), framesPerSecond: 20 },
  { size: 8, firstMs: 160, steady: figures(160), framesPerSecond: 50 },
];

const rows: readonly Row[] = [
  {
    why: 'the situation: a cold connection costs more than all work, a warm one leaves the models',
    cold: ['connection set-up', prewarm],
    warm: ['inference', 'IMG_SIZE=576'],
  },
  {
    why: 'without the pool every challenge pays the set-up',
    settings: { pooled: false },
    cold: ['connection set-up', `USE_CONNECTION_POOL=1 ${prewarm}`],
    warm: ['connection set-up', `USE_CONNECTION_POOL=1 ${prewarm}`],
  },
  {
    why: 'an origin that is warmed already leaves no setting to change',
    settings: { prewarmOrigins: [origin] },
    cold: ['connection set-up', undefined],
  },
  {
    why: 'at 0.5 MB/s the keyframes alone take 5.6 s; the budget has to be as long as the way',
    measured: { transfers: transfersAt(0.5e6) },
    cold: ['transfer', 'TIME_BUDGET_S=8.3'],
    warm: ['transfer', 'TIME_BUDGET_S=5.8'],
  },
  {
    why: 'a link that is the slowest but fits the budget: read keyframes only, one in 50 frames',
    measured: { transfers: transfersAt(2.5e6), models: modelsAt(200), decoders: [quick] },
    warm: ['transfer', 'FRAME_STRIDE=50'],
  },
  {
    why: 'with that stride set nothing is left to save on the link',
    measured: { transfers: transfersAt(2.5e6), models: modelsAt(200), decoders: [quick] },
    settings: { stride: 50 },
    warm: ['inference', 'IMG_SIZE=576'],
  },
  {
    why: 'download first reads all 15 MB',
    settings: { downloadFirst: true },
    warm: ['transfer', 'STREAMING_DOWNLOAD=1 CHUNKED_STREAMING=1'],
  },
  {
    why: 'without ranges all 15 MB pass at 5 MB/s: as much as is left of 2 s',
    measured: { server: noRanges },
    warm: ['transfer', 'PARTIAL_DOWNLOAD=1 PARTIAL_DOWNLOAD_MB=9.3'],
  },
  {
    why: 'without ranges an index at the end comes last: no part of the file is of use',
    measured: { server: noRanges, container: atEnd },
    warm: ['transfer', undefined],
  },
  {
    why: 'a stream without an index is read and decoded from its start, as far as the budget goes',
    measured: { container: stream },
    warm: ['inference', 'IMG_SIZE=576'],
    cold: ['connection set-up', prewarm],
  },
  {
    why: 'a slow link and no index: only another container helps',
    measured: { container: stream, transfers: transfersAt(0.5e6) },
    warm: ['transfer', undefined],
  },
  {
    why: 'an index behind the media data, and nothing else to speak of',
    measured: { connection: near, container: atEnd, models: modelsAt(500), decoders: [quick] },
    warm: ['index behind the media data', undefined],
  },
  {
    why: 'the decoder uses one core of two',
    measured: { decoders: [slow] },
    settings: { decodeThreads: 1 },
    warm: ['decoding', 'DECODE_THREADS=2'],
  },
  {
    why: 'all cores decode: fewer frames are left',
    measured: { decoders: [slow] },
    warm: ['decoding', 'FRAME_STRIDE=10'],
  },
  {
    why: 'the other decoder, measured beside it, is faster',
    measured: { decoders: [libav, { ...ffmpeg, keyframeMs: 400 }] },
    settings: { decoder: 'ffmpeg' },
    warm: ['decoding', 'DECODER=libav'],
  },
  {
    why: 'larger batches are faster per frame',
    measured: { models: { ...modelsAt(20), maxBatch: 8, batches } },
    settings: { batchSize: 1 },
    warm: ['inference', 'BATCH_SIZE=8'],
  },
  {
    why: 'the smallest model on this device: fewer frames are left',
    measured: { models: modelsAt(10, 576) },
    settings: { stride: 3 },
    warm: ['inference', 'FRAME_STRIDE=6'],
  },
];

describe('verdict', () => {
  for (const { why, measured, settings, cold, warm } of rows) {
    it(why, () => {
      const { verdict } = diagnosisOf(measured, settings);
      for (const [path, expected] of [[verdict.cold, cold] as const, [verdict.warm, warm] as const]) {
        if (!expected) continue;
        const [largest] = path?.costs ?? [];
        assert.deepEqual([largest?.cost, largest?.setting], expected, JSON.stringify(path?.costs));
      }
    });
  }

  it('takes set-up for what the cold way has over the warm one', () => {
    const { cold, warm } = diagnosisOf().verdict;
    // DNS 8, TCP 62, TLS 2280 and the 2 ms by which the first byte came later.
    assert.equal(cold?.costs[0]?.ms, 2352);
    assert.equal(
      warm?.costs.some(({ cost }) => cost === 'connection set-up'),
      false,
    );
  });

  it('sums the steps of a way, which come in the order of the flow', () => {
    const { warm } = diagnosisOf().verdict;
    assert.deepEqual(warm?.steps, [
      { step: 'first byte', ms: 64 },
      { step: 'transfer', ms: 561.62 },
      { step: 'decoding', ms: 450 },
      { step: 'inference', ms: 600 },
      { step: 'answer', ms: 66 },
    ]);
    assert.equal(warm?.totalMs, 1741.62);
  });

  it('ranks all costs that can be avoided, the largest first', () => {
    const costs = diagnosisOf().verdict.cold?.costs.map(({ cost }) => cost);
    assert.deepEqual(costs, ['connection set-up', 'inference', 'transfer', 'decoding', 'answer encoding']);
  });

  it('has as many pictures on the first pass as the machine can see within the budget', () => {
    const { pictures, warm } = diagnosisOf({ models: modelsAt(4) }).verdict;
    // 4 a second in 2 s; their bytes are 8 of 15 keyframes and the index.
    assert.equal(pictures, 8);
    const ms = (name: string) => warm?.steps.find(({ step }) => step === name)?.ms;
    assert.deepEqual([ms('inference'), ms('decoding'), ms('transfer')], [2000, 240, 300.29]);
  });

  it('tells which stage limits the refinement behind the first pass', () => {
    const { rates } = diagnosisOf().verdict;
    assert.equal(rates?.limit, 'models');
    assert.deepEqual([rates?.linkFps, rates?.decodeFps, rates?.inferenceFps], [250, 150, 125]);
    assert.equal(diagnosisOf({ transfers: transfersAt(0.5e6) }).verdict.rates?.limit, 'link');
    assert.equal(diagnosisOf({ decoders: [slow] }).verdict.rates?.limit, 'decoder');
  });

  it('concludes from what there is: a measurement that ended early has a shorter way', () => {
    const none = { transfers: [], decoders: [], container: undefined, models: undefined, answer: undefined };
    const { cold, warm, rates } = diagnosisOf(none).verdict;
    assert.deepEqual(
      cold?.steps.map(({ step }) => step),
      ['DNS', 'TCP', 'TLS', 'first byte'],
    );
    assert.equal(warm?.verdict, 'nothing on this way can be avoided by a setting');
    assert.equal(rates, undefined);
    assert.equal(diagnosisOf({ ...none, connection: undefined, server: undefined }).verdict.cold, undefined);
  });
});

describe('notes', () => {
  const cases: readonly (readonly [why: string, code: string, measured: Partial<Measurements>, setting?: string])[] = [
    ['a server that ignores Range', 'no-range', { server: noRanges }],
    ['a server without HTTP/2', 'no-http2', { server: { ...server, httpVersion: '1.1' } }],
    ['TLS 1.2 takes a round trip more', 'old-tls', { server: { ...server, tlsVersion: 'TLSv1.2' } }],
    ['redirects before the file', 'redirects', { server: { ...server, redirects: 2 } }],
    [
      'a server that announces 5 s where we would keep 30 s',
      'short-keep-alive',
      { server: { ...server, keepAlive: { announcedS: 5 } } },
      'KEEP_ALIVE_S=5',
    ],
    [
      'a server that was seen to close after 12.4 s',
      'short-keep-alive',
      { server: { ...server, keepAlive: { idleS: 12.4, closed: true } } },
      'KEEP_ALIVE_S=12',
    ],
    ['an index behind the media data', 'moov-at-end', { container: atEnd }],
    ['a container without an index', 'no-index', { container: stream }],
    [
      'no ffmpeg on this machine',
      'no-ffmpeg',
      { decoders: [libav, { name: 'ffmpeg', unavailable: 'no ffmpeg was found' }] },
      'FFMPEG_PATH=/path/of/ffmpeg',
    ],
    ['an accelerator that does not load', 'device', { models: { ...modelsAt(25), passedOver: ['cuda: no library'] } }],
  ];
  for (const [why, code, measured, setting] of cases) {
    it(`${why}: ${code}`, () => {
      const { notes } = diagnosisOf(measured).verdict;
      assert.deepEqual(
        notes.map((note) => [note.code, note.setting]),
        [[code, setting]],
      );
    });
  }

  it('has nothing to say of the situation itself', () => {
    assert.deepEqual(diagnosisOf().verdict.notes, []);
  });
});
