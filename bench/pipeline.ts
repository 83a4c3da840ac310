/** `npm run bench`: what the pipeline costs beside what it cannot do without; see docs/benchmarks.md. */
import { lastValueFrom } from 'rxjs';
import type { ModelPicture, ModelRunner } from '../models/index.js';
import { loadConfig } from '../src/app/config.js';
import type { Engine } from '../src/app/engine.js';
import { openClip } from '../src/container/index.js';
import { createFramePool, openPacketDecoder } from '../src/decode/index.js';
import { type ByteSource, openByteSource } from '../src/net/index.js';
import { answerSequentially } from '../src/tools/sequential.js';
import { type Figures, race, report } from './harness.js';
import { answerOf, openStand } from './stand.js';

const rounds = Number(process.env.ROUNDS ?? 5);
const stride = 5;

async function indexedClip(source: ByteSource, runner: ModelRunner, slots: number) {
  const clip = await openClip(source);
  if (clip.kind !== 'indexed') throw new Error('the demo clip has an index');
  const pool = createFramePool({ slots, bytesPerSlot: runner.input.width * runner.input.height * 3 });
  const decoder = await openPacketDecoder({ index: clip.index, input: runner.input, pool });
  return { clip, decoder };
}

const infer = (runner: ModelRunner, pictures: readonly ModelPicture[]) => lastValueFrom(runner.run(pictures, () => {}));

/** The least that a first touch takes: bytes up to the end of the first frame, one decode, one inference. */
async function floor(engine: Engine, url: string, bytes: number): Promise<void> {
  const source = await openByteSource(url, { pool: engine.pool, headBytes: bytes });
  const { clip, decoder } = await indexedClip(source, engine.runner, 1);
  const visit = { firstSample: 0, lastSample: 0, keep: [0], skip: 'nokey' } as const;
  for await (const frame of decoder.run(visit, clip.reader.samples(visit))) {
    await infer(engine.runner, [frame]);
    frame.release();
  }
  await decoder.close();
  clip.close();
  source.close();
}

/** Every `stride`-th frame decoded from a file, and as many pictures inferred, at the same time and with nothing between them. */
async function unconnected(engine: Engine, path: string, batch: number): Promise<void> {
  const { runner } = engine;
  const source = await openByteSource(path, { pool: engine.pool, allowFiles: true });
  const { clip, decoder } = await indexedClip(source, runner, 2);
  const count = Math.ceil(clip.index.frameCount / stride);
  const keep = Array.from({ length: count }, (_, i) => i * stride);
  const visit = { firstSample: 0, lastSample: clip.index.sampleCount - 1, keep, skip: 'none' } as const;
  const decode = async () => {
    for await (const frame of decoder.run(visit, clip.reader.samples(visit))) frame.release();
  };
  const pixels = new Uint8Array(runner.input.width * runner.input.height * 3).fill(90);
  const picture = { pixels, sourceWidth: clip.index.width, sourceHeight: clip.index.height };
  const inference = async () => {
    for (let done = 0; done < count; done += batch)
      await infer(runner, Array(Math.min(batch, count - done)).fill(picture));
  };
  await Promise.all([decode(), inference()]);
  await decoder.close();
  clip.close();
  source.close();
}

const ratio = ([a, b]: readonly Figures[]) => Math.round(((a?.medianMs ?? 0) / (b?.medianMs ?? 1)) * 1000) / 1000;

const stand = await openStand();
try {
  const warm = await stand.engine({ TIME_BUDGET_S: '1', PREWARM_ORIGINS: new URL(stand.url).origin });
  await answerOf(warm, stand.url);

  const touches = await race({
    rounds,
    contenders: [
      {
        name: 'first touch, cold',
        async run() {
          const cold = await stand.engine({ START_BUDGET_AFTER_FIRST_FRAME: '1', TIME_BUDGET_S: '0.5' });
          const { report: told } = await answerOf(cold, stand.url);
          await cold.close();
          return told.firstTouchMs;
        },
      },
      { name: 'first touch, warm', run: async () => (await answerOf(warm, stand.url)).report.firstTouchMs },
    ],
    warmups: 0,
  });
  report({ bench: 'pipeline/cold-warm', figures: touches, facts: { 'cold / warm': ratio(touches) } });

  const file = await openByteSource(stand.clip.path, { pool: warm.pool, allowFiles: true });
  const { clip, decoder } = await indexedClip(file, warm.runner, 1);
  const firstBytes = (clip.index.offset[0] ?? 0) + (clip.index.sizeBytes[0] ?? 0);
  await decoder.close();
  clip.close();
  file.close();
  const floors = await race({
    rounds,
    contenders: [
      { name: 'first touch, warm', run: async () => (await answerOf(warm, stand.url)).report.firstTouchMs },
      {
        name: `floor: ${Math.round(firstBytes / 1024)} KiB, one decode, one run`,
        run: () => floor(warm, stand.url, firstBytes),
      },
    ],
  });
  report({
    bench: 'pipeline/first-touch',
    figures: floors,
    facts: { 'first touch / floor': ratio(floors), target: '<= 1.5' },
  });

  const whole = await stand.engine({ PLAN: 'fixed', FRAME_STRIDE: String(stride) });
  const overlap = await race({
    rounds,
    contenders: [
      {
        name: `whole clip from a file, every ${stride}th`,
        run: async () => (await answerOf(whole, stand.clip.path)).report.totalMs,
      },
      {
        name: 'same decode and inference, unconnected',
        run: () => unconnected(whole, stand.clip.path, Math.min(4, whole.runner.maxBatch)),
      },
    ],
  });
  report({
    bench: 'pipeline/overlap',
    figures: overlap,
    facts: { 'pipeline / unconnected': ratio(overlap), target: '<= 1.15' },
  });

  const short = await openStand({ seconds: 6 });
  try {
    const all = await short.engine({ TIME_BUDGET_S: '60', FRAME_STRIDE: '1' });
    const config = loadConfig({ env: {}, dotenvPaths: [] });
    await answerOf(all, short.url);
    const speed = await race({
      rounds: Math.min(rounds, 3),
      warmups: 0,
      contenders: [
        {
          name: 'sequential: download, batch 1, stride 1',
          run: async () => (await answerSequentially({ ...all, config, target: short.url })).totalMs,
        },
        { name: 'pipeline, stride 1', run: async () => (await answerOf(all, short.url)).report.totalMs },
      ],
    });
    report({ bench: 'pipeline/sequential', figures: speed, facts: { 'speed-up': ratio(speed) } });
  } finally {
    await short.close();
  }
} finally {
  await stand.close();
}
