import { readFile } from 'node:fs/promises';
import { lastValueFrom, takeUntil, timer } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import { type Config, loadConfig } from '../app/config.js';
import { createEngine, type Engine } from '../app/engine.js';
import { createLogger } from '../app/log.js';
import { wireFacts } from '../challenge/report.js';
import {
  type ClipTruth,
  compareWithTruth,
  estimateScore,
  parseAnswer,
  parseTruth,
} from '../questions/football/index.js';
import { type Quality, type Run, WARM_UP_S } from '../tools/bench/index.js';
import { answerSequentially } from '../tools/sequential.js';
import type { BenchLoad, FromBenchChild, ToBenchChild } from './bench-process.js';

/*
 * One engine under one setting, in a process of its own: its memory is its own, and no cell inherits another's warmth.
 * A terminal sends SIGINT to all processes; the parent alone decides when this one ends.
 */
process.on('SIGINT', () => undefined);
process.once('disconnect', () => process.exit());

interface Opened {
  readonly load: BenchLoad;
  readonly config: Config;
  readonly engine: Engine;
  readonly truth: ClipTruth | undefined;
}

/** Models go on with what a warm-up that was left had begun, ms. Chosen: one run, which is capped at 150 ms. */
const SETTLE_MS = 200;

async function open(load: BenchLoad): Promise<Opened> {
  const config = loadConfig({ overrides: load.overrides });
  const engine = await createEngine({ config, log: createLogger(config), ca: load.ca, allowPrivate: true });
  const truth = load.truthPath ? parseTruth(JSON.parse(await readFile(load.truthPath, 'utf8'))) : undefined;
  const warmUp$ = engine.answer({ target: load.target }).pipe(takeUntil(timer(WARM_UP_S * 1000)));
  await lastValueFrom(warmUp$, { defaultValue: undefined }).catch(passBudget);
  await lastValueFrom(timer(SETTLE_MS));
  return { load, config, engine, truth };
}

/** A first answer, on a new connection, may be too late where the next is not. */
function passBudget(error: unknown): void {
  if (!(error instanceof TikitakaError) || error.code !== 'ERR_BUDGET_EMPTY') throw error;
}

async function answer({ load, engine, truth }: Opened): Promise<Run> {
  const startMs = performance.now();
  const last = await lastValueFrom(engine.answer({ target: load.target }));
  if (last.type !== 'answer') throw new TikitakaError('ERR_BENCH', `no answer but ${last.type}`);
  const { report, body } = last.answer;
  const bytes = body({ challenge_id: 'bench', processing_time: 0, ...wireFacts(report) });
  const timeMs = performance.now() - startMs;
  const { stoppedBy, frames, firstTouchMs } = report;
  const quality = truth && judge(bytes, truth);
  return { timeMs, measured: frames.measured, frames: frames.answered, firstTouchMs, stoppedBy, quality };
}

function judge(body: Uint8Array, truth: ClipTruth): Quality {
  const wire = parseAnswer(JSON.parse(Buffer.from(body).toString()));
  const { person, idf1, keypoints } = compareWithTruth(wire, truth);
  const { boxes, keypoints: points, quality } = estimateScore(wire, truth, { timeS: 0 });
  return {
    personF1: person.f1,
    idf1,
    keyPointRecall: keypoints.recall,
    boxes,
    keyPoints: points.score,
    quality,
  };
}

async function baseline({ load, config, engine, truth }: Opened, limitS: number): Promise<FromBenchChild> {
  const { pool, runner } = engine;
  const run = await answerSequentially({ config, pool, runner, target: load.target, limitMs: limitS * 1000 });
  const { measured, frameCount, downloadMs, totalMs, isCut, body } = run;
  const [downloadS, workS] = [downloadMs / 1000, (totalMs - downloadMs) / 1000];
  const totalS = downloadS + (isCut ? (workS / measured) * frameCount : workS);
  const quality = truth && !isCut ? { quality: judge(body, truth) } : {};
  return {
    type: 'baseline',
    baseline: { measured, frameCount, isCut, downloadS, totalS, fps: frameCount / totalS, ...quality },
  };
}

let opened: Opened | undefined;

async function obey(message: ToBenchChild): Promise<FromBenchChild | undefined> {
  if (message.type === 'load') {
    opened = await open(message);
    const { maxBatch, device } = opened.engine.runner;
    return { type: 'ready', maxBatch, device };
  }
  if (message.type === 'answer' && opened) return { type: 'answered', run: await answer(opened) };
  if (message.type === 'baseline' && opened) return baseline(opened, message.limitS);
  await opened?.engine.close();
  process.exit();
}

process.on('message', (message: ToBenchChild) => {
  obey(message).then(
    (reply) => reply && process.send?.(reply),
    (error: unknown) => {
      const { code, message: text } =
        error instanceof TikitakaError ? error : { code: 'ERR_INTERNAL', message: String(error) };
      process.send?.({ type: 'failed', code, message: text } satisfies FromBenchChild);
    },
  );
});
