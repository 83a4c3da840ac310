/**
 * `npm run bench:anytime [-- CLIP TRUTH]`: quality against budget, ours beside the obvious alternatives, in one run over the
 * warm shaped link; each point the median of ROUNDS (5) runs. Without arguments: the demo clip.
 */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cacheFolder } from '../src/app/cache-folder.js';
import type { ConfigKey } from '../src/app/config.js';
import { createLogger } from '../src/app/log.js';
import { rehearse } from '../src/app/rehearsal.js';
import { median as medianOf } from '../src/challenge/quantile.js';
import { compareWithTruth } from '../src/questions/football/index.js';
import { generateClip } from '../src/tools/demo/generate.js';
import { DEMO_CLIP } from '../src/tools/demo/situation.js';
import { machine, revision } from './harness.js';
import { answerOf, openStand } from './stand.js';

const rounds = Number(process.env.ROUNDS ?? 5);
const budgetsS = (process.env.BUDGETS ?? '0.5,1,2,4,30').split(',').map(Number);
const [clipPath, truthPath] = process.argv.slice(2);
const generated = clipPath ? undefined : await generateClip({ ...DEMO_CLIP, cacheFolder: cacheFolder() });
const truth = JSON.parse(readFileSync(truthPath ?? generated?.truthPath ?? '', 'utf8'));

type Settings = Partial<Record<ConfigKey, string>>;
const contenders: readonly { readonly name: string; readonly settings: (budgetS: number) => Settings }[] = [
  { name: 'anytime', settings: () => ({}) },
  {
    name: 'first N MB',
    settings: (s) => ({
      PARTIAL_DOWNLOAD: '1',
      PARTIAL_DOWNLOAD_MB: String(Math.max(0.3, s * 2.5)),
      FRAME_STRIDE: '5',
    }),
  },
  { name: 'stride 5', settings: () => ({ FRAME_STRIDE: '5' }) },
  { name: 'everything', settings: () => ({ FRAME_STRIDE: '1' }) },
];

const stand = await openStand({ path: clipPath ?? generated?.path });
console.log(
  'budget  plan         total s (median, worst)  person F1  key points  IDF1  measured  late > 50 ms  loop lag p99 ms',
);
try {
  for (const budgetS of budgetsS) {
    for (const { name, settings } of contenders.filter(({ name }) => name.startsWith(process.env.ONLY ?? ''))) {
      const engine = await stand.engine({
        TIME_BUDGET_S: String(budgetS),
        PREWARM_ORIGINS: new URL(stand.url).origin,
        ...settings(budgetS),
      });
      await rehearse(engine, createLogger({ LOG_LEVEL: 'warn', LOG_FORMAT: 'text' }));
      await answerOf(engine, stand.url).catch(() => undefined);
      const runs: { totalMs: number; f1: number; keyPoints: number; idf1: number; measured: number }[] = [];
      const lag = monitorEventLoopDelay({ resolution: 5 });
      lag.enable();
      for (let i = 0; i < rounds; i++) {
        const startMs = performance.now();
        const answer = await answerOf(engine, stand.url);
        const body = Buffer.from(answer.body({ challenge_id: 'bench', processing_time: 0 }));
        const totalMs = performance.now() - startMs;
        const quality = compareWithTruth(JSON.parse(body.toString()), truth);
        runs.push({
          totalMs,
          f1: quality.person.f1,
          keyPoints: quality.keypoints.recall,
          idf1: quality.idf1,
          measured: answer.report.frames.measured,
        });
      }
      lag.disable();
      await engine.close();
      const median = (of: (run: (typeof runs)[number]) => number) => medianOf(runs.map(of));
      const worst = Math.max(...runs.map((run) => run.totalMs));
      const late = runs.filter((run) => run.totalMs > budgetS * 1000 + 50).length;
      console.log(
        [
          `${budgetS} s`.padEnd(7),
          name.padEnd(12),
          `${(median((r) => r.totalMs) / 1000).toFixed(2)}, ${(worst / 1000).toFixed(2)}`.padEnd(24),
          median((r) => r.f1)
            .toFixed(3)
            .padEnd(10),
          median((r) => r.keyPoints)
            .toFixed(3)
            .padEnd(11),
          median((r) => r.idf1)
            .toFixed(3)
            .padEnd(5),
          String(median((r) => r.measured)).padEnd(9),
          `${late} of ${runs.length}`.padEnd(13),
          (lag.percentile(99) / 1e6).toFixed(0),
        ].join(' '),
      );
    }
  }
  console.log(JSON.stringify({ ...machine(), revision: revision() }));
} finally {
  await stand.close();
}
