import { writeFile } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { lastValueFrom, tap } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import { type ConfigKey, configKeys, loadConfig } from '../config.js';
import { createEngine, type EngineEvent, type FinishedAnswer } from '../engine.js';
import { createLogger } from '../log.js';
import { wireFacts } from '../report.js';
import { toChromeTrace, waterfall } from '../timeline.js';
import { drawAnswer } from './draw-answer.js';

interface RunOptions {
  readonly json?: string;
  readonly annotate?: string;
  readonly timeline?: string;
  readonly provenance?: boolean;
  readonly quiet?: boolean;
  readonly set: readonly string[];
}

/** Command-line options that are another name for one variable of the configuration. */
const settings: Readonly<Record<string, readonly [flag: string, variable: ConfigKey, text: string]>> = {
  budget: ['--budget <seconds>', 'TIME_BUDGET_S', 'time budget, counted from the request'],
  stride: ['--stride <n>', 'FRAME_STRIDE', 'use every n-th frame, or auto'],
  plan: ['--plan <plan>', 'PLAN', 'anytime, or fixed for a reproducible answer'],
  decoder: ['--decoder <name>', 'DECODER', 'auto, libav or ffmpeg'],
  device: ['--device <name>', 'DEVICE', 'auto, cpu, cuda, tensorrt, webgpu, coreml or dml'],
  imgSize: ['--img-size <width>', 'IMG_SIZE', 'width of the model input; ~640 for the nearest'],
  batch: ['--batch <n>', 'BATCH_SIZE', 'frames per batch at most'],
  preset: ['--preset <name>', 'PRESET', 'balanced, fast, ultra-fast or accurate'],
};

/** Adds the options of `settings` and `--set` to a command. */
export function withSettings(command: Command): Command {
  for (const [flag, , text] of Object.values(settings)) command.option(flag, text);
  return command.option('--set <KEY=VALUE...>', 'any variable of .env.example', []);
}

/** What the command line said, by variable. Throws ERR_OPTION for a pair that is none or a variable that does not exist. */
export function overridesOf(options: Readonly<Record<string, unknown>>): Partial<Record<ConfigKey, string>> {
  const named = Object.entries(settings).flatMap(([name, [, variable]]) =>
    typeof options[name] === 'string' ? [[variable, options[name]]] : [],
  );
  const pairs = Array.isArray(options.set) ? options.set : [];
  const given = pairs.map((pair: string) => {
    const [key, ...value] = pair.split('=');
    if (!configKeys.includes(key as ConfigKey) || value.length === 0) {
      throw new TikitakaError('ERR_OPTION', `--set ${pair}: expected KEY=VALUE with a KEY of .env.example`);
    }
    return [key, value.join('=')];
  });
  return Object.fromEntries([...named, ...given]);
}

/** `tikitaka run FILE|URL`: one clip through the pipeline. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('Answer one clip. The answer goes to --json (or stdout), the story to stderr.')
    .argument('<file|url>', 'video file or http(s) URL')
    .option('--json <path>', 'write the answer there; - for stdout, also the default when nothing else is written')
    .option('--annotate <path>', 'draw the answer: a .png of frames, or an .mp4 of every frame')
    .option('--timeline <path>', 'write a Chrome trace of the stages (open it in Perfetto)')
    .option('--provenance', 'say in the answer what was measured, tracked, interpolated and held')
    .option('--quiet', 'neither progress bar nor waterfall');
  return withSettings(command).action(async (target: string, options: RunOptions) => {
    const config = loadConfig({ overrides: overridesOf({ ...options }) });
    const engine = await createEngine({ config, log: createLogger(config), allowPrivate: true, spare: false });
    const leave = new AbortController();
    const interrupt = () => leave.abort();
    process.once('SIGINT', interrupt);
    try {
      const progress = options.quiet || !process.stderr.isTTY ? undefined : progressBar();
      const events$ = engine.answer({ target, provenance: options.provenance });
      const last = await lastValueFrom(events$.pipe(tap({ next: progress?.show, finalize: progress?.end })));
      if (last.type === 'answer') await write(target, last.answer, options);
    } finally {
      process.off('SIGINT', interrupt);
      await engine.close();
    }
  });
}

function progressBar(): { readonly show: (event: EngineEvent) => void; readonly end: () => void } {
  const bar = new SingleBar({
    format: '{bar} {value}/{total} frames measured · {duration_formatted}',
    clearOnComplete: true,
  });
  let measured = 0;
  return {
    show(event) {
      if (event.type === 'clip') bar.start(event.clip.frameCount ?? 0, 0);
      if (event.type !== 'findings') return;
      measured += event.findings.length;
      bar.update(measured);
    },
    end: () => bar.stop(),
  };
}

async function write(target: string, finished: FinishedAnswer, options: RunOptions): Promise<void> {
  const { report, timeline } = finished;
  const body = finished.body({
    challenge_id: target,
    processing_time: Math.round(report.totalMs) / 1000,
    ...wireFacts(report),
  });
  if (options.json && options.json !== '-') await writeFile(options.json, body);
  else if (options.json === '-' || !(options.annotate || options.timeline))
    process.stdout.write(`${Buffer.from(body).toString()}\n`);
  if (options.timeline) await writeFile(options.timeline, JSON.stringify(toChromeTrace(timeline)));
  if (options.annotate) await drawAnswer(target, finished.answer, options.annotate);
  if (!options.quiet) process.stderr.write(`${waterfall(timeline)}\n`);
}
