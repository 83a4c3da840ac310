import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { lastValueFrom } from 'rxjs';
import type { Config } from '../app/config.js';
import { createEngine, type Engine, type FinishedAnswer } from '../app/engine.js';
import { createLogger } from '../app/log.js';
import { reportLine, showLateness } from '../challenge/report.js';
import { toChromeTrace, waterfall } from '../challenge/timeline.js';
import { createFarServer } from '../tools/demo/far-server.js';
import { CDN, DEMO_CLIP } from '../tools/demo/situation.js';
import { textTable } from '../tools/text-table.js';
import { demoClip } from './demo-clip.js';
import { drawAnswer } from './draw-answer.js';
import { makeFolder, writeOutput } from './outputs.js';
import { configOf, withSettings } from './settings.js';

/** `tikitaka demo`: the main job on a clip of our own, over a link like the CDN's, once cold and once warm. */
export function demoCommand(): Command {
  const command = new Command('demo')
    .description('Generate a 30 s match (cached), serve it like the CDN does, and answer it once cold and once warm.')
    .option('--out <folder>', 'where the picture and the timeline go', 'demo-out')
    .option('--seed <n>', 'another match', String(DEMO_CLIP.seed));
  return withSettings(command).action(async (options: { readonly out: string; readonly seed: string }) => {
    const config = configOf(options);
    const out = resolve(options.out);
    await makeFolder('--out', out);
    const closers: (() => Promise<void>)[] = [];
    try {
      const clip = await demoClip({ seed: Number(options.seed) });
      const server = await createFarServer({ files: { '/match.mp4': clip.path }, link: CDN });
      closers.unshift(server.close);
      const target = `${server.url}/match.mp4`;
      const log = createLogger(config);
      const engine = await createEngine({
        config,
        log,
        ca: server.ca,
        allowPrivate: true,
        spare: false,
      });
      closers.unshift(engine.close);

      const cold = await answer(engine, target);
      log.info({ report: cold.report }, reportLine(cold.report));
      const warm = await answer(engine, target);
      log.info({ report: warm.report }, reportLine(warm.report));
      process.stderr.write(`\n${waterfall(warm.timeline)}\n`);
      process.stdout.write(`${table({ cold, warm })}\n${budgetLine(config)}\n${lateLines({ cold, warm })}`);
      await writeOutput(join(out, 'timeline.json'), JSON.stringify(toChromeTrace(warm.timeline)));
      await writeOutput(
        join(out, 'answer.json'),
        warm.body({ challenge_id: 'demo', processing_time: warm.report.totalMs / 1000 }),
      );
      await drawAnswer(clip.path, warm.answer, join(out, 'annotated.png'));
      process.stdout.write(`annotated picture, answer and timeline: ${out}\n`);
    } finally {
      for (const close of closers) await close();
    }
  });
}

async function answer(engine: Engine, target: string): Promise<FinishedAnswer> {
  const last = await lastValueFrom(engine.answer({ target }));
  return last.type === 'answer' ? last.answer : Promise.reject(last);
}

function budgetLine({ TIME_BUDGET_S, START_BUDGET_AFTER_FIRST_FRAME }: Config): string {
  const from = START_BUDGET_AFTER_FIRST_FRAME ? 'first decoded frame' : 'request';
  return `TIME_BUDGET_S=${TIME_BUDGET_S}, counted from the ${from}; nothing is set for this demo`;
}

function lateLines(runs: Readonly<Record<string, FinishedAnswer>>): string {
  return Object.entries(runs)
    .flatMap(([name, { report }]) => (report.late ? [`${name}: ${showLateness(report.late)}\n`] : []))
    .join('');
}

function table(runs: Readonly<Record<string, FinishedAnswer>>): string {
  const head = ['run', 'first touch', 'total', 'bytes', 'frames answered', 'measured', 'HTTP', 'connection'];
  const rows = Object.entries(runs).map(([name, { report }]) => [
    name,
    `${(report.firstTouchMs / 1000).toFixed(2)} s`,
    `${(report.totalMs / 1000).toFixed(2)} s`,
    `${(report.bytesRead / 1e6).toFixed(1)} MB`,
    `${report.frames.answered}/${report.frames.total}`,
    `${report.frames.measured}`,
    report.httpVersion,
    report.connectionReused ? 'reused' : 'new',
  ]);
  return textTable({ head, rows });
}
