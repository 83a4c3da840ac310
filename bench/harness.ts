import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { quantile as exactQuantile } from '../src/challenge/quantile.js';
import { machine } from '../src/tools/machine.js';

export { machine };

const root = join(import.meta.dirname, '..');

/** One of the things that are compared. */
export interface Contender {
  readonly name: string;
  /** One run. What it returns is the figure in ms where it measures itself, else its wall time counts. */
  run(): unknown;
}

export interface Figures {
  readonly name: string;
  readonly medianMs: number;
  readonly p95Ms: number;
  /** CPU time of this process, user + system, all threads: steadier than wall time where others use the machine too. */
  readonly medianCpuMs: number;
  readonly runsMs: readonly number[];
}

export interface RaceOptions {
  /** Interleaved: a b a b …, so that a change of the machine's load meets all alike. */
  readonly contenders: readonly Contender[];
  /** Counted runs of each. Default 5. */
  readonly rounds?: number;
  /** Uncounted runs of each before. Default 1. */
  readonly warmups?: number;
}

/** Runs contenders in turn and gives the figures of each, in their order. */
export async function race({ contenders, rounds = 5, warmups = 1 }: RaceOptions): Promise<Figures[]> {
  const runs = contenders.map(({ name }) => ({ name, wallMs: [] as number[], cpuMs: [] as number[] }));
  for (let round = -warmups; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      globalThis.gc?.();
      const cpuBefore = process.cpuUsage();
      const startMs = performance.now();
      const own = await contender.run();
      const wallMs = performance.now() - startMs;
      const cpu = process.cpuUsage(cpuBefore);
      if (round < 0) continue;
      runs[i]?.wallMs.push(typeof own === 'number' ? own : wallMs);
      runs[i]?.cpuMs.push((cpu.user + cpu.system) / 1000);
    }
  }
  return runs.map(({ name, wallMs, cpuMs }) => ({
    name,
    medianMs: quantile(wallMs, 0.5),
    p95Ms: quantile(wallMs, 0.95),
    medianCpuMs: quantile(cpuMs, 0.5),
    runsMs: wallMs.map((ms) => round2(ms)),
  }));
}

/** `quantile` to two decimals: for ms. */
export function quantile(values: readonly number[], q: number): number {
  return round2(exactQuantile(values, q));
}

export interface Report {
  /** Which benchmark, e.g. `operators/stride`. */
  readonly bench: string;
  readonly figures: readonly Figures[];
  /** What the figures say, e.g. `{ ratio: 0.93 }`; printed and kept. */
  readonly facts: Readonly<Record<string, number | string | boolean>>;
}

/** Prints one benchmark's figures and appends them, with machine and revision, as one line to `bench-history.jsonl`. */
export function report({ bench, figures, facts }: Report): void {
  console.log(`\n${bench}`);
  for (const { name, medianMs, p95Ms, medianCpuMs } of figures) {
    const [median, p95, cpu] = [medianMs, p95Ms, medianCpuMs].map((ms) => ms.toFixed(1).padStart(9));
    console.log(`  ${name.padEnd(34)} median ${median} ms   p95 ${p95} ms   cpu ${cpu} ms`);
  }
  console.log(
    `  ${Object.entries(facts)
      .map(([key, value]) => `${key} ${value}`)
      .join('   ')}`,
  );
  const line = { at: new Date().toISOString(), bench, ...facts, figures, machine: machine(), revision: revision() };
  appendFileSync(join(root, 'bench-history.jsonl'), `${JSON.stringify(line)}\n`);
}

/** Short git revision, with `+` where the tree has changes; `unknown` outside a checkout. */
export function revision(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '-uno') === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
