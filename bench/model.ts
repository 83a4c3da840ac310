/**
 * `npx tsx bench/model.ts [rounds]`: our runtime, process and hand-over included, against a bare onnxruntime loop on the
 * same tensors (target ≤ 1.1), and the shipped model against the prototype where `../shared` is there (target ≤ 1.1).
 */
import { existsSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { concatMap, from, lastValueFrom, mergeMap } from 'rxjs';
import { chooseModel, type ModelPicture, openModelRunner, reportLine } from '../models/index.js';
import { race, report } from './harness.js';

const rounds = Number(process.argv[2] ?? 7);
const picturesPerRun = 24;
const threads = 2;
const prototype = new URL('../../shared/reference/models/model.onnx', import.meta.url).pathname;

const { file, description } = chooseModel({ model: 'fast' });
const { width, height } = description.input;
const runner = await openModelRunner({ file, description, device: 'cpu', threads, spare: false, batchSize: 8 });
console.log(reportLine(runner.report));
const batchSize = runner.maxBatch;
const pictures = Array.from(
  { length: picturesPerRun },
  (_, i): ModelPicture => ({
    pixels: noise(width * height * 3, i),
    sourceWidth: 1920,
    sourceHeight: 1080,
  }),
);
const batches = Array.from({ length: Math.ceil(picturesPerRun / batchSize) }, (_, i) =>
  pictures.slice(i * batchSize, (i + 1) * batchSize),
);

const ours = (inFlight: 1 | 2) => () => {
  const run = (batch: readonly ModelPicture[]) => runner.run(batch, () => undefined);
  return lastValueFrom(from(batches).pipe(inFlight === 1 ? concatMap(run) : mergeMap(run, inFlight)));
};

async function bare(path: string): Promise<() => Promise<void>> {
  const session = await InferenceSession.create(path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const [name = ''] = session.inputNames;
  const feeds = batches.map((batch) => {
    const pixels = new Uint8Array(batch.length * width * height * 3);
    for (const [i, picture] of batch.entries()) pixels.set(picture.pixels, i * picture.pixels.length);
    return { [name]: new Tensor('uint8', pixels, [batch.length, height, width, 3]) };
  });
  return async () => {
    for (const feed of feeds) await session.run(feed);
  };
}

const shipped = await bare(file);
const handOver = await race({
  contenders: [
    { name: 'bare loop', run: shipped },
    { name: 'our runtime, one run in flight', run: ours(1) },
    { name: 'our runtime, two in flight', run: ours(2) },
  ],
  rounds,
});
const [loop, one, two] = handOver.map(({ medianMs }) => medianMs);
report({
  bench: 'model/runtime',
  figures: handOver,
  facts: { batchSize, ratio: ratio(one, loop), ratioTwoInFlight: ratio(two, loop), target: '<= 1.1' },
});
await runner.close();

if (existsSync(prototype)) {
  const figures = await race({
    contenders: [
      { name: 'prototype', run: await bare(prototype) },
      { name: description.name, run: shipped },
    ],
    rounds,
  });
  const [before, now] = figures.map(({ medianMs }) => medianMs);
  report({ bench: 'model/prototype', figures, facts: { batchSize, ratio: ratio(now, before), target: '<= 1.1' } });
}

function ratio(a = Number.NaN, b = Number.NaN): number {
  return Math.round((a / b) * 1000) / 1000;
}

/** Bytes that no codec would make smaller: a picture without structure costs the model as much as any other. */
function noise(length: number, seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
