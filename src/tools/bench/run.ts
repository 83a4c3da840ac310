import { TikitakaError } from '../../../operators/index.js';
import { median } from '../../challenge/quantile.js';
import { type Cell, cellsOf, fastestFair, type Measured, type Run, type Steadiness, steadinessOf } from './cell.js';
import { CONFIRM_ROUNDS, confirm } from './confirm.js';
import { sameBatch } from './grid.js';
import type { BenchProcess } from './process.js';
import { type Recommendation, recommend } from './ranking.js';
import type { Baseline, Confirmation } from './result.js';
import { isSame, type Setting } from './setting.js';

export interface BenchPlan {
  readonly reference: Setting;
  /** In the order of measuring; the reference among them. */
  readonly grid: readonly Setting[];
  /** Answers of each cell, each followed by one of the reference. */
  readonly repetitions: number;
  readonly baselineLimitS: number;
  /** Nothing is begun that would end later, ms on `now`'s clock. Default: no limit. */
  readonly deadlineMs?: number | undefined;
  readonly fastestS?: number | undefined;
}

export interface BenchProgress {
  readonly doing: string;
  readonly doneS: number;
  readonly leftS: number;
}

export interface BenchPorts {
  /** Starts and warms a process. Errors: ERR_MODEL_*, ERR_CONFIG, ERR_SOURCE_*, ERR_INTERRUPTED. */
  open(setting: Setting): Promise<BenchProcess>;
  readonly signal: AbortSignal;
  now(): number;
  onProgress?(progress: BenchProgress): void;
  onCell?(cell: Cell): void;
}

export interface BenchOutcome {
  readonly interrupted: boolean;
  readonly device: string;
  readonly references: readonly Run[];
  readonly cells: readonly Cell[];
  readonly steadiness: Steadiness;
  readonly failed: readonly Unmeasured[];
  readonly cut: readonly Unmeasured[];
  readonly baseline: Baseline | undefined;
  readonly recommendation: Recommendation | undefined;
  readonly confirmation: Confirmation | undefined;
}

export interface Unmeasured {
  readonly setting: Setting;
  readonly reason: string;
}

/** A process is not expected to start and warm up faster, s. Chosen; the figure of this run takes its place. */
const START_S = 4;
/** The warm-up answer ends at the latest after so many s (`bench-child`). */
export const WARM_UP_S = 2;

/**
 * Measures the grid, each cell in a process of its own, its answers between those of the reference, whose process stays; then
 * the recommended setting once more beside the reference. An interruption keeps what was measured; nothing before the
 * first answer is an error (ERR_INTERRUPTED). A cell that fails is noted; where the reference fails, all does.
 */
export async function runBench(plan: BenchPlan, ports: BenchPorts): Promise<BenchOutcome> {
  const bench = new Bench(plan, ports);
  try {
    await bench.start();
    await bench.measureAll();
    await bench.confirm();
  } catch (error) {
    if (!ports.signal.aborted || bench.references.length === 0) throw error;
  } finally {
    await bench.close();
  }
  return bench.outcome(ports.signal.aborted);
}

class Bench {
  readonly references: Run[] = [];
  private readonly measured: Measured[] = [];
  private readonly failed: Unmeasured[] = [];
  private readonly cut: Unmeasured[] = [];
  private readonly open = new Set<BenchProcess>();
  /** Largest batch by model and width, as far as known. */
  private readonly largest = new Map<string, number>();
  private readonly beganMs: number;
  private readonly startsS: number[] = [];
  private reference: BenchProcess | undefined;
  private baseline: Baseline | undefined;
  private confirmation: Confirmation | undefined;
  private readonly todo: Setting[];

  constructor(
    private readonly plan: BenchPlan,
    private readonly ports: BenchPorts,
  ) {
    this.todo = plan.grid.filter((setting) => !isSame(setting, plan.reference));
    this.beganMs = ports.now();
  }

  async start(): Promise<void> {
    const { reference } = this.plan;
    this.tell('the reference');
    this.reference = await this.openProcess(reference);
    this.learnLargest(reference, this.reference.maxBatch);
    await this.answerReference();
    this.tell('the sequential baseline');
    const process = await this.openProcess({ ...reference, batch: 1 });
    this.baseline = { ...(await process.baseline(this.plan.baselineLimitS)), ...peak(process) };
    await this.closeProcess(process);
    await this.answerReference();
  }

  async measureAll(): Promise<void> {
    for (let [setting] = this.todo; setting; [setting] = this.todo) {
      const reason = this.reasonToCut(setting);
      if (reason) this.cut.push({ setting, reason });
      else await this.measure(setting);
      this.todo.shift();
    }
  }

  private reasonToCut(setting: Setting): string | undefined {
    const largest = this.largest.get(sizeOf(setting)) ?? Number.POSITIVE_INFINITY;
    const same = sameBatch(setting, [this.plan.reference, ...this.measured.map((one) => one.setting)], largest);
    if (same) return `batches end at ${largest} here: as batch ${same.batch}`;
    const { deadlineMs = Number.POSITIVE_INFINITY } = this.plan;
    const endMs = this.ports.now() + (this.costS(setting) + this.confirmS()) * 1000;
    return endMs > deadlineMs ? 'no time left' : undefined;
  }

  private async measure(setting: Setting): Promise<void> {
    this.tell(`${setting.widthPx} px, batch ${setting.batch}, stride ${setting.stride}, ${setting.budgetS} s`);
    let process: BenchProcess | undefined;
    const runs: Run[] = [];
    try {
      process = await this.openProcess(setting);
      this.learnLargest(setting, process.maxBatch);
      while (runs.length < this.plan.repetitions) {
        if (runs.length > 0) await this.answerReference();
        runs.push(await process.answer());
      }
    } catch (error) {
      if (this.ports.signal.aborted || !(error instanceof TikitakaError)) throw error;
      this.failed.push({ setting, reason: `${error.code}: ${error.message}` });
    }
    const facts = process && { batch: Math.min(setting.batch, process.maxBatch), ...peak(process) };
    if (process) await this.closeProcess(process);
    await this.answerReference();
    if (!facts || runs.length < this.plan.repetitions) return;
    this.measured.push({ setting, runs, neighbours: this.references.slice(-runs.length - 1), ...facts });
    const cell = this.cells().find((one) => one.setting === setting);
    if (cell) this.ports.onCell?.(cell);
  }

  /** Runs the recommended setting again, in a new process, in turn with the reference. */
  async confirm(): Promise<void> {
    const { cell } = this.recommendation() ?? {};
    if (!cell || !this.reference) return;
    this.tell('the recommended setting again');
    const now = this.cells().find(({ setting }) => isSame(setting, this.plan.reference)) ?? cell;
    const process = await this.openProcess(cell.setting);
    this.confirmation = await confirm({ cell, now, reference: this.reference, process });
    await this.closeProcess(process);
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((process) => process.close()));
  }

  outcome(interrupted: boolean): BenchOutcome {
    const { references, failed, baseline, confirmation } = this;
    const left = this.todo.map((setting) => ({ setting, reason: 'interrupted' }));
    return {
      interrupted,
      device: this.reference?.device ?? '',
      references,
      cells: this.cells(),
      steadiness: this.steadiness(),
      failed,
      cut: [...this.cut, ...(interrupted ? left : [])],
      baseline,
      recommendation: this.recommendation(),
      confirmation,
    };
  }

  private cells(): Cell[] {
    const { reference, fastestS } = this.plan;
    const batch = Math.min(reference.batch, this.reference?.maxBatch ?? reference.batch);
    const itself = { setting: reference, batch, runs: this.references, neighbours: [], ...peak(this.reference) };
    return cellsOf({ measured: [itself, ...this.measured], references: this.references, fastestS });
  }

  private steadiness(): Steadiness {
    return steadinessOf(this.references, this.plan.fastestS ?? fastestFair(this.cells()));
  }

  private recommendation(): Recommendation | undefined {
    const { reference } = this.plan;
    return recommend({ cells: this.cells(), reference, steadiness: this.steadiness() });
  }

  private async answerReference(): Promise<void> {
    if (this.reference) this.references.push(await this.reference.answer());
  }

  private async openProcess(setting: Setting): Promise<BenchProcess> {
    const beganMs = this.ports.now();
    const process = await this.ports.open(setting);
    this.open.add(process);
    this.startsS.push((this.ports.now() - beganMs) / 1000 - Math.min(setting.budgetS, WARM_UP_S));
    return process;
  }

  private async closeProcess(process: BenchProcess): Promise<void> {
    await process.close();
    this.open.delete(process);
  }

  /** Each process chooses anew at warm-up, smaller where the machine is busy: the largest counts. */
  private learnLargest(setting: Setting, maxBatch: number): void {
    if (maxBatch >= setting.batch) return;
    const size = sizeOf(setting);
    this.largest.set(size, Math.max(maxBatch, this.largest.get(size) ?? 0));
  }

  private startS(): number {
    return this.startsS.length > 0 ? Math.max(0.1, median(this.startsS)) : START_S;
  }

  /** An answer takes its budget, or where the reference comes to the end of the clip earlier, hardly twice as long as that. */
  private answerS(budgetS: number): number {
    const last = this.references.at(-1);
    return last?.stoppedBy === 'end' ? Math.min(budgetS, (2 * last.timeMs) / 1000) : budgetS;
  }

  /** What a cell takes at most: start, warm-up, answers, and the reference behind each. */
  private costS({ budgetS }: Setting): number {
    const { repetitions, reference } = this.plan;
    const answersS = this.answerS(budgetS) + this.answerS(reference.budgetS);
    return this.startS() + Math.min(budgetS, WARM_UP_S) + repetitions * answersS;
  }

  private confirmS(): number {
    const budgetS = Math.max(...this.measured.map(({ setting }) => setting.budgetS), this.plan.reference.budgetS);
    return (
      this.startS() +
      Math.min(budgetS, WARM_UP_S) +
      CONFIRM_ROUNDS * (this.answerS(budgetS) + this.answerS(this.plan.reference.budgetS))
    );
  }

  private tell(doing: string): void {
    const doneS = (this.ports.now() - this.beganMs) / 1000;
    const baselineS = this.baseline ? 0 : this.plan.baselineLimitS + this.startS();
    const cellsS = this.todo.reduce((sum, setting) => sum + (this.reasonToCut(setting) ? 0 : this.costS(setting)), 0);
    const { deadlineMs = Number.POSITIVE_INFINITY } = this.plan;
    const untilDeadlineS = Math.max(0, (deadlineMs - this.ports.now()) / 1000);
    this.ports.onProgress?.({ doing, doneS, leftS: Math.min(untilDeadlineS, baselineS + cellsS + this.confirmS()) });
  }
}

const sizeOf = ({ model, widthPx }: Setting): string => `${model} ${widthPx}`;

function peak(process: BenchProcess | undefined): { readonly peakBytes?: number } {
  return process?.peakBytes === undefined ? {} : { peakBytes: process.peakBytes };
}
