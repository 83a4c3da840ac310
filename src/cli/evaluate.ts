import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { OptionError, TikitakaError } from '../../operators/index.js';
import {
  type BoxQuality,
  type Comparison,
  compareWithTruth,
  estimateScore,
  parseAnswer,
  parseTruth,
  type ScoreEstimate,
} from '../scene/index.js';

interface EvaluateOptions {
  readonly json?: boolean;
  readonly time?: string;
  readonly fastest?: string;
}

/** `tikitaka evaluate ANSWER TRUTH`: how good an answer is, and what a caller would give for it. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('Hold an answer against the truth of its clip and estimate the score that a caller would give.')
    .argument('<answer>', 'JSON file: an answer in the form of POST /soccer/challenge')
    .argument('<truth>', 'JSON file: what is really in the clip, in the same form')
    .option('--time <seconds>', 'time to the answer; default: its processing_time')
    .option('--fastest <seconds>', 'time of the fastest server; default: the same')
    .option('--json', 'print JSON instead of a table')
    .action(async (answerPath: string, truthPath: string, options: EvaluateOptions) => {
      const answer = parseAnswer(await readJson(answerPath));
      const truth = parseTruth(await readJson(truthPath));
      const comparison = compareWithTruth(answer, truth);
      const score = estimateScore(answer, truth, {
        timeS: seconds('--time', options.time),
        fastestS: seconds('--fastest', options.fastest),
      });
      const text = options.json ? JSON.stringify({ ...comparison, score }) : table(comparison, score);
      process.stdout.write(`${text}\n`);
    });
}

function seconds(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value >= 0)) throw new OptionError(`${name} must be seconds, not ${text}`, { [name]: text });
  return value;
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TikitakaError('ERR_OPTION', `cannot read ${path}`, { cause, details: { path } });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TikitakaError('ERR_ANSWER', `${path} is not JSON`, { cause, details: { path } });
  }
}

const CLASSES = ['ball', 'goalkeeper', 'player', 'referee', 'person'] as const;

function table(comparison: Comparison, score: ScoreEstimate): string {
  const { keypoints } = comparison;
  return [
    ['class', 'precision', 'recall', 'F1', 'mean IoU'].map(pad).join(''),
    ...CLASSES.map((name) => row(name, comparison[name])),
    '',
    `coverage    ${share(comparison.coverage)}  ${comparison.answered} of ${comparison.frames} frames`,
    `identity    IDF1 ${share(comparison.idf1)}  switches ${comparison.idSwitchesPer100.toFixed(2)} per 100  class right ${share(comparison.classAccuracy)}`,
    `            ids twice in a frame ${comparison.duplicateIds}`,
    `key points  recall ${share(keypoints.recall)}  mean error ${keypoints.meanErrorPct.toFixed(3)} % of the diagonal`,
    `            extra ${share(keypoints.extra)}  jitter ${keypoints.jitterPx.toFixed(2)} px`,
    '',
    `estimated score ${share(score.total)}: speed ${share(score.speed)} at ${score.timeS} s, quality ${share(score.quality)}`,
    `            boxes ${share(score.boxes)}  key points ${share(score.keypoints.score)}`,
    ...(score.skipped ? [`callers skip clips with fewer than 75 frames of pitch; here ${score.validFrames}`] : []),
  ].join('\n');
}

function row(name: string, { precision, recall, f1, meanIou }: BoxQuality): string {
  return [name, ...[precision, recall, f1, meanIou].map(share)].map(pad).join('');
}

const pad = (text: string): string => text.padEnd(12);
const share = (value: number): string => value.toFixed(3);
