import { Command } from 'commander';
import { TikitakaError } from '../../operators/index.js';
import { createLogger } from '../app/log.js';
import { withImageSize } from '../app/model-choice.js';
import { packageVersion } from '../app/package-root.js';
import { parseTruth } from '../questions/football/index.js';
import {
  type BenchResult,
  benchChart,
  benchReport,
  resultOf,
  runBench,
  toSvg,
  variablesOf,
} from '../tools/bench/index.js';
import { openBenchClip } from './bench-clip.js';
import { type GridOptions, gridOf } from './bench-grid.js';
import { interrupted, openBenchProcess } from './bench-process.js';
import { createProgress } from './bench-progress.js';
import { toPng } from './chart-png.js';
import { checkTarget } from './check-target.js';
import { checkOutputs, writeOutput } from './outputs.js';
import { readJson } from './read-json.js';
import { configOf, overridesOf, withSettings } from './settings.js';

interface BenchOptions extends GridOptions {
  readonly truth?: string;
  readonly json?: string;
  readonly chart?: string;
  readonly fastest?: string;
  readonly repetitions?: string;
  readonly quiet?: boolean;
}

/** A quick bench ends within 4 minutes: nothing is begun that would pass this, s. */
const QUICK_S = 215;
/** Of the sequential baseline; what is left of the clip is extrapolated. Chosen. */
const BASELINE_S = { quick: 15, full: 180 };
const REPETITIONS = { quick: 2, full: 5 };

/** `tikitaka bench [FILE|URL]`: which setting is best on this machine and link. */
export function benchCommand(): Command {
  const command = new Command('bench')
    .description(
      'Measure batch, stride, model size, pitch and budget against each other, and recommend what to set. Without a clip: the demo clip over its shaped link.',
    )
    .argument('[file|url]', 'video file or http(s) URL')
    .option('--quick', 'a small grid, done within 4 minutes')
    .option('--all', 'every combination of all variables: hours')
    .option('--truth <path>', 'what is in the clip (as for evaluate): ranks by the score that callers would give')
    .option('--json <path>', 'write the result there (schemas/bench.schema.json); - for stdout, instead of the table')
    .option('--chart <path>', 'draw time against quality, with the Pareto front: .svg or .png')
    .option('--batches <list>', 'batch sizes of the grid, e.g. 1,4,16')
    .option('--strides <list>', 'strides of the grid, e.g. 1,5,auto')
    .option('--sizes <list>', 'widths of the grid, of those that the model has')
    .option('--budgets <list>', 'budgets of the grid in seconds, e.g. 0.5,1,2')
    .option('--pitch <list>', 'pitch model of the grid: on, off or both')
    .option('--repetitions <n>', `answers per cell (default ${REPETITIONS.full}, quick ${REPETITIONS.quick})`)
    .option('--fastest <seconds>', 'time of the fastest server, for the score; default: of the fastest cell')
    .option('--quiet', 'no progress');
  return withSettings(command).action((target: string | undefined, options: BenchOptions) => bench(target, options));
}

async function bench(target: string | undefined, options: BenchOptions): Promise<void> {
  const startedMs = performance.now();
  await checkOutputs({
    '--json': { path: options.json },
    '--chart': { path: options.chart, endings: ['.svg', '.png'] },
  });
  const overrides = overridesOf({ ...options });
  const given = configOf(options);
  const log = createLogger({ ...given, LOG_LEVEL: 'silent' });
  const fastestS = numberOf('--fastest', options.fastest, 0);
  const mode = options.quick ? 'quick' : 'full';
  const repetitions = numberOf('--repetitions', options.repetitions, 1) ?? REPETITIONS[mode];
  // What can be judged without a model is judged before one is loaded.
  if (options.truth !== undefined) parseTruth(await readJson(options.truth));
  if (target !== undefined) await checkTarget(target, { config: given });
  gridOf(given, options, log);
  const grid = gridOf(await withImageSize(given, log), options, log);
  const leave = new AbortController();
  const interrupt = () => leave.abort(interrupted());
  process.once('SIGINT', interrupt);
  const progress = createProgress(options.quiet ?? false);
  progress.say(`${grid.settings.length} cells at most, ${repetitions} answers each`);
  try {
    const { truth } = options;
    const clip = await openBenchClip({ target, truth, signal: leave.signal, onProgress: progress.say });
    try {
      const outcome = await runBench(
        {
          reference: grid.reference,
          grid: grid.settings,
          repetitions: Math.round(repetitions),
          baselineLimitS: BASELINE_S[mode],
          deadlineMs: options.quick ? startedMs + QUICK_S * 1000 : undefined,
          fastestS,
        },
        {
          open: (setting) =>
            openBenchProcess(
              {
                type: 'load',
                target: clip.target,
                ca: clip.ca,
                truthPath: clip.truthPath,
                overrides: {
                  LOG_LEVEL: 'error',
                  ...overrides,
                  ...clip.overrides,
                  PLAN: 'anytime',
                  ...variablesOf(setting),
                },
              },
              leave.signal,
            ),
          signal: leave.signal,
          now: () => performance.now(),
          onProgress: progress.show,
          onCell: progress.cell,
        },
      );
      progress.end();
      const facts = {
        version: packageVersion(),
        target: clip.name,
        truth: clip.truthPath !== undefined,
        mode,
      } as const;
      const result = resultOf(outcome, { ...facts, reference: grid.reference });
      await write(result, options);
      if (outcome.interrupted)
        throw new TikitakaError('ERR_INTERRUPTED', `interrupted with ${result.cells.length} cells measured`);
    } finally {
      await clip.close();
    }
  } finally {
    progress.end();
    process.off('SIGINT', interrupt);
  }
}

async function write(result: BenchResult, { json, chart }: BenchOptions): Promise<void> {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  if (json && json !== '-') await writeOutput(json, text);
  process.stdout.write(json === '-' ? text : `${benchReport(result)}\n`);
  if (!chart) return;
  const { cells, reference, recommended, machine, target, device } = result;
  const title = `${target.slice(0, 60)}: ${device}, ${machine.cores} cores, ${machine.cpu}`.slice(0, 110);
  const picture = benchChart({ cells, reference: reference.setting, recommended: recommended?.setting, title });
  await writeOutput(chart, chart.endsWith('.png') ? await toPng(picture) : toSvg(picture));
}

function numberOf(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value < Number.POSITIVE_INFINITY))
    throw new TikitakaError('ERR_OPTION', `${name} must be a number of at least ${least}, not ${text}`);
  return value;
}
