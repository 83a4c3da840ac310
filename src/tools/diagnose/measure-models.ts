import { lastValueFrom } from 'rxjs';
import type { ModelPicture, ModelSet, PictureFinding } from '../../../models/index.js';
import { TikitakaError } from '../../../operators/index.js';
import { figuresOf, rounded } from './figures.js';
import { type Measuring, repeat, timed } from './measuring.js';
import type { Diagnosis } from './schema.js';

/** Loads and warms the models; their processes are gone when `close` has resolved, in whatever state they are. */
export type OpenModels = (signal: AbortSignal) => Promise<ModelSet>;

/** Fewest steady runs of a batch size: one alone is no median. */
const STEADY_RUNS = 3;

/** Loads the models and runs batches of 1, 2, 4 … pictures; gives back what they found in the first picture. */
export async function measureModels(
  openModels: OpenModels,
  pictures: readonly ModelPicture[],
  measuring: Measuring,
): Promise<PictureFinding> {
  const { measured, runs } = measuring;
  const startMs = performance.now();
  const models = await measuring.run('model load', openModels);
  try {
    const { input, maxBatch, device, reports } = models;
    const known: NonNullable<Diagnosis['models']> = {
      loadMs: rounded(performance.now() - startMs),
      device,
      names: reports.map(({ model }) => model),
      input: { width: input.width, height: input.height },
      maxBatch,
      passedOver: reports.flatMap(({ passedOver }) =>
        passedOver.map((one) => `${one.device}: ${firstLine(one.reason)}`),
      ),
      batches: [],
    };
    measured.models = known;
    let found: PictureFinding = { detections: [], keyPoints: [] };
    for (const size of batchSizes(maxBatch)) {
      const batch = fill(pictures, size);
      const infer = () =>
        measuring.run('inference', async () => {
          const [first] = await lastValueFrom(models.run(batch, () => {}));
          if (first) found = first;
        });
      const firstMs = await timed(infer);
      const steady: number[] = [];
      await repeat(Math.max(runs, STEADY_RUNS), async () => steady.push(await timed(infer)));
      const figures = figuresOf(steady) ?? { medianMs: firstMs, p95Ms: firstMs, runs: 1 };
      const framesPerSecond = rounded((size * 1000) / Math.max(figures.medianMs, 0.01));
      known.batches.push({ size, firstMs: rounded(firstMs), steady: figures, framesPerSecond });
    }
    return found;
  } finally {
    await models.close();
  }
}

/** 1, 2, 4 … and the largest. */
function batchSizes(maxBatch: number): number[] {
  const sizes: number[] = [];
  for (let size = 1; size < maxBatch; size *= 2) sizes.push(size);
  return [...sizes, maxBatch];
}

function fill(pictures: readonly ModelPicture[], size: number): ModelPicture[] {
  return Array.from({ length: size }, (_, i) => {
    const picture = pictures[i % pictures.length];
    if (!picture) throw new TikitakaError('ERR_DECODE', 'no frame of the clip could be decoded');
    return picture;
  });
}

const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').slice(0, 160);
