import { Command } from 'commander';
import { OptionError } from '../../operators/index.js';
import {
  type BoxQuality,
  type Comparison,
  compareWithTruth,
  estimateScore,
  findMismatches,
  hasFairBoxes,
  parseAnswer,
  parseTruth,
  type ScoreEstimate,
} from '../questions/football/index.js';
import { readJson } from './read-json.js';

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
    .option('--time <seconds>', 'time to the answer as the caller measured it; default: its own processing_time')
    .option('--fastest <seconds>', 'time of the fastest server; without it speed counts in full')
    .option('--json', 'print JSON instead of a table')
    .action(async (answerPath: string, truthPath: string, options: EvaluateOptions) => {
      const answer = parseAnswer(await readJson(answerPath));
      const truth = parseTruth(await readJson(truthPath));
      const comparison = compareWithTruth(answer, truth);
      const score = estimateScore(answer, truth, {
        timeS: seconds('--time', options.time),
        fastestS: seconds('--fastest', options.fastest),
      });
      const mismatches = findMismatches(answer, truth, comparison);
      for (const text of mismatches) process.stderr.write(`the answer to another clip? ${text}\n`);
      const text = options.json ? JSON.stringify({ ...comparison, score, mismatches }) : table(comparison, score);
      process.stdout.write(`${text}\n`);
    });
}

/** A time that an option gives. Throws ERR_OPTION. */
export function seconds(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw new OptionError(`${name} must be seconds, not ${text}`, { [name]: text });
  return value;
}

const CLASSES = ['ball', 'goalkeeper', 'player', 'referee', 'person'] as const;

function table(comparison: Comparison, score: ScoreEstimate): string {
  const { keypoints } = comparison;
  return [
    ['class', 'precision', 'recall', 'F1', 'mean IoU'].map(pad).join(''),
    ...CLASSES.map((name) => row(name, comparison[name])),
    '',
    `coverage    ${share(comparison.coverage)}  ${comparison.answered} of ${comparison.frames} frames`,
    ...(comparison.labelled < comparison.frames
      ? [`            boxes judged in the ${comparison.labelled} frames whose objects the truth has`]
      : []),
    `identity    IDF1 ${share(comparison.idf1)}  switches ${comparison.idSwitchesPer100.toFixed(2)} per 100  class right ${share(comparison.classAccuracy)}`,
    `            ids twice in a frame ${comparison.duplicateIds}`,
    `key points  recall ${share(keypoints.recall)}  mean error ${keypoints.meanErrorPct.toFixed(3)} % of the diagonal`,
    `            extra ${share(keypoints.extra)}  jitter ${keypoints.jitterPx.toFixed(2)} px`,
    '',
    `estimated score ${share(score.total)}: quality ${share(score.quality)}, ${speedOf(score)}`,
    `            boxes ${share(score.boxes)}${hasFairBoxes(score.boxes) ? '' : ' (too poor for any points for speed)'}  key points ${share(score.keypoints.score)}`,
    ...(score.skipped ? [`callers skip clips with fewer than 75 frames of pitch; here ${score.validFrames}`] : []),
  ].join('\n');
}

/** A speed of 1 is either earned or nothing but the default: which of them, and what would tell. */
export function speedOf({ speed, timeS, fastestS }: Pick<ScoreEstimate, 'speed' | 'timeS' | 'fastestS'>): string {
  if (timeS === undefined) return `speed ${share(speed)} by default: no time is known (--time)`;
  if (fastestS === undefined) return `speed ${share(speed)} at ${timeS} s as if none were faster (--fastest)`;
  return `speed ${share(speed)} at ${timeS} s, the fastest at ${fastestS} s`;
}

function row(name: string, { precision, recall, f1, meanIou }: BoxQuality): string {
  return [name, ...[precision, recall, f1, meanIou].map(share)].map(pad).join('');
}

const pad = (text: string): string => text.padEnd(12);
export const share = (value: number): string => value.toFixed(3);
