import { type Machine, machine } from '../machine.js';
import { fpsOf } from './cell.js';
import { paretoFront, rank, rankingRule } from './ranking.js';
import type { BenchResult } from './result.js';
import type { BenchOutcome } from './run.js';
import { type Setting, variablesOf } from './setting.js';

export interface ResultFacts {
  readonly version: string;
  /** As it may be shown: without credentials and query. */
  readonly target: string;
  readonly truth: boolean;
  readonly mode: BenchResult['mode'];
  readonly reference: Setting;
}

/** The outcome in the published form. */
export function resultOf(outcome: BenchOutcome, { reference, truth, ...facts }: ResultFacts): BenchResult {
  const { cells, references, steadiness, baseline, confirmation, recommendation, failed, cut } = outcome;
  const host: Machine = machine();
  return {
    tool: 'tikitaka bench',
    ...facts,
    at: new Date().toISOString(),
    machine: { ...host },
    device: outcome.device,
    truth,
    interrupted: outcome.interrupted,
    ranking: rankingRule(truth),
    reference: {
      setting: reference,
      ...steadiness,
      fpsOfRuns: references.map((run) => Math.round(fpsOf(run) * 100) / 100),
    },
    cells: rank(cells),
    failed: [...failed],
    cut: [...cut],
    front: paretoFront(cells).map(({ setting }) => setting),
    ...(baseline ? { baseline } : {}),
    ...(recommendation ? { recommended: recommended(recommendation, baseline) } : {}),
    ...(confirmation ? { confirmation } : {}),
  };
}

function recommended(
  { cell, reason }: NonNullable<BenchOutcome['recommendation']>,
  baseline: BenchOutcome['baseline'],
): NonNullable<BenchResult['recommended']> {
  const speedUp = baseline && { time: baseline.totalS / cell.timeS, fps: cell.fps / baseline.fps };
  return { setting: cell.setting, variables: variablesOf(cell.setting), reason, ...(speedUp ? { speedUp } : {}) };
}
