import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { lastValueFrom, tap } from 'rxjs';
import { createEngine, type EngineEvent, type FinishedAnswer } from '../app/engine.js';
import { createLogger } from '../app/log.js';
import { reportLine, wireFacts } from '../challenge/report.js';
import { toChromeTrace, waterfall } from '../challenge/timeline.js';
import { partialWarning } from '../questions/football/index.js';
import { loadFor } from './check-target.js';
import { drawAnswer, drawingEndings } from './draw-answer.js';
import { checkOutputs, writeOutput } from './outputs.js';
import { configOf, withSettings } from './settings.js';

interface RunOptions {
  readonly json?: string;
  readonly annotate?: string;
  readonly timeline?: string;
  readonly provenance?: boolean;
  readonly quiet?: boolean;
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
    const config = configOf(options);
    await checkOutputs({
      '--json': { path: options.json },
      '--annotate': { path: options.annotate, endings: drawingEndings },
      '--timeline': { path: options.timeline },
    });
    const log = createLogger(config);
    const load = () => createEngine({ config, log, allowPrivate: true, spare: false });
    const engine = await loadFor(target, { config, log, load });
    const leave = new AbortController();
    const interrupt = () => leave.abort();
    process.once('SIGINT', interrupt);
    try {
      const progress = options.quiet || !process.stderr.isTTY ? undefined : progressBar();
      const events$ = engine.answer({ target, provenance: options.provenance });
      const last = await lastValueFrom(events$.pipe(tap({ next: progress?.show, finalize: progress?.end })));
      if (last.type !== 'answer') return;
      const { report } = last.answer;
      log.info({ report }, reportLine(report));
      const partial = partialWarning(report);
      if (partial) log.warn(partial);
      await write(target, last.answer, options);
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
      if (event.type !== 'findings') return;
      if (event.first) bar.start(event.clip.frameCount ?? 0, 0);
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
  if (options.json && options.json !== '-') await writeOutput(options.json, body);
  else if (options.json === '-' || !(options.annotate || options.timeline))
    process.stdout.write(`${Buffer.from(body).toString()}\n`);
  if (options.timeline) await writeOutput(options.timeline, JSON.stringify(toChromeTrace(timeline)));
  if (options.annotate) await drawAnswer(target, finished.answer, options.annotate);
  if (!options.quiet) process.stderr.write(`${waterfall(timeline)}\n`);
}
