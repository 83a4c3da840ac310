import assert from 'node:assert/strict';
import { TikitakaError } from '../../../../operators/index.js';
import type { BenchProcess } from '../../../../src/tools/bench/process.js';
import { type BenchPlan, type BenchPorts, type BenchProgress, runBench } from '../../../../src/tools/bench/run.js';
import type { Setting } from '../../../../src/tools/bench/setting.js';
import { reference, runOf } from './cells.js';

const small: Setting = { ...reference, widthPx: 576 };
const short: Setting = { ...reference, budgetS: 1 };
const interrupted = () => new TikitakaError('ERR_INTERRUPTED', 'interrupted');

interface Fakes {
  /** Code of the error that answers of a setting end with. */
  readonly fail?: (setting: Setting) => string | undefined;
  readonly maxBatch?: number;
  /** Interrupts at the n-th thing that happens. */
  readonly leaveAt?: number;
}

/** Processes that take no time but on a clock of their own, and a log of what happened. */
function fakes({ fail, maxBatch = 64, leaveAt = Infinity }: Fakes = {}) {
  const log: string[] = [];
  const leave = new AbortController();
  let nowMs = 0;
  let opened = 0;
  const nameOf = ({ widthPx, batch, budgetS }: Setting) => `${widthPx}/${batch}/${budgetS}`;
  const step = (what: string) => {
    log.push(what);
    if (log.length >= leaveAt) leave.abort(interrupted());
    if (leave.signal.aborted) throw interrupted();
  };
  const ports: BenchPorts = {
    signal: leave.signal,
    now: () => nowMs,
    async open(setting) {
      const name = nameOf(setting);
      step(`open ${name}`);
      opened++;
      nowMs += 3000 + Math.min(2, setting.budgetS) * 1000;
      const process: BenchProcess = {
        maxBatch: Math.min(maxBatch, setting.batch),
        device: 'cpu',
        peakBytes: 5e8,
        async answer() {
          step(`answer ${name}`);
          const code = fail?.(setting);
          if (code) throw new TikitakaError(code, 'no');
          nowMs += setting.budgetS * 1000;
          return runOf({ timeMs: setting.budgetS * 1000, measured: (30_000 / setting.widthPx) * setting.budgetS });
        },
        async baseline(limitS) {
          step(`baseline ${name} ${limitS}`);
          nowMs += 15_000;
          return { measured: 150, frameCount: 750, isCut: true, downloadS: 3, totalS: 63, fps: 12.5 };
        },
        async close() {
          opened--;
        },
      };
      return process;
    },
  };
  return { ports, log, open: () => opened };
}

const planOf = (more: Partial<BenchPlan> = {}): BenchPlan => ({
  reference,
  grid: [reference, small],
  repetitions: 2,
  baselineLimitS: 20,
  ...more,
});

describe('runBench', () => {
  it('measures each cell in turn with the reference, and confirms at the end', async () => {
    const { ports, log, open } = fakes();
    const { cells, confirmation, references } = await runBench(planOf(), ports);
    const ref = 'answer 768/32/2';
    assert.deepEqual(log.slice(0, 11), [
      'open 768/32/2',
      ref,
      'open 768/1/2',
      'baseline 768/1/2 20',
      ref,
      'open 576/32/2',
      'answer 576/32/2',
      ref,
      'answer 576/32/2',
      ref,
      'open 768/32/2',
    ]);
    assert.equal(references.length, 4);
    assert.deepEqual(
      cells.map(({ setting, ratio }) => [setting.widthPx, Math.round(ratio * 100)]),
      [
        [768, 100],
        [576, 133],
      ],
    );
    assert.equal(confirmation?.kept, true);
    assert.equal(open(), 0);
  });

  it('notes a cell that fails and goes on', async () => {
    const { ports } = fakes({ fail: ({ budgetS }: Setting) => (budgetS === 1 ? 'ERR_BUDGET_EMPTY' : undefined) });
    const { cells, failed } = await runBench(planOf({ grid: [reference, short, small] }), ports);
    assert.deepEqual(failed, [{ setting: short, reason: 'ERR_BUDGET_EMPTY: no' }]);
    assert.equal(cells.length, 2);
  });

  it('fails where the reference fails', async () => {
    const { ports, open } = fakes({ fail: () => 'ERR_SOURCE_STATUS' });
    await assert.rejects(runBench(planOf(), ports), { code: 'ERR_SOURCE_STATUS' });
    assert.equal(open(), 0);
  });

  it('leaves out batches that the device does not take', async () => {
    const { ports } = fakes({ maxBatch: 4 });
    const batches = [1, 8, 64].map((batch) => ({ ...reference, batch }));
    const { cells, cut } = await runBench(planOf({ grid: [reference, ...batches] }), ports);
    assert.deepEqual(
      cells.map(({ setting, batch }) => [setting.batch, batch]),
      [
        [32, 4],
        [1, 1],
      ],
    );
    assert.deepEqual(
      cut.map(({ setting, reason }) => [setting.batch, reason]),
      [8, 64].map((batch) => [batch, 'batches end at 4 here: as batch 32']),
    );
  });

  it('begins nothing that would end behind the deadline, with the confirmation', async () => {
    const { ports } = fakes();
    const many = [4, 1, 0.5].flatMap((budgetS) => [576, 960].map((widthPx) => ({ ...reference, budgetS, widthPx })));
    const { cut, cells, confirmation } = await runBench(
      planOf({ grid: [reference, ...many], deadlineMs: 90_000 }),
      ports,
    );
    assert.ok(ports.now() <= 90_000, `${ports.now()} ms`);
    assert.ok(cut.length > 0 && cut.every(({ reason }) => reason === 'no time left'));
    assert.equal(cells.length + cut.length, 1 + many.length);
    assert.ok(confirmation);
  });

  it('keeps what was measured when interrupted, at whatever moment, and closes every process', async () => {
    const whole = fakes();
    await runBench(planOf(), whole.ports);
    for (let leaveAt = 1; leaveAt <= whole.log.length; leaveAt++) {
      const { ports, open } = fakes({ leaveAt });
      const run = runBench(planOf(), ports);
      if (leaveAt <= 2) await assert.rejects(run, { code: 'ERR_INTERRUPTED' });
      else {
        const { interrupted: isInterrupted, cells, cut } = await run;
        assert.equal(isInterrupted, true);
        // Cell 2 is complete with the reference's answer behind it.
        assert.equal(cells.length, leaveAt > 10 ? 2 : 1);
        assert.equal(cut.length, leaveAt > 10 ? 0 : 1);
      }
      assert.equal(open(), 0);
    }
  });

  it('tells the time left, falling to what the confirmation takes', async () => {
    const { ports } = fakes();
    const told: BenchProgress[] = [];
    await runBench(planOf({ grid: [reference, small, short] }), { ...ports, onProgress: (one) => told.push(one) });
    const left = told.map(({ leftS }) => leftS);
    assert.deepEqual(
      left,
      [...left].sort((a, b) => b - a),
    );
    assert.equal(told.at(-1)?.doing, 'the recommended setting again');
  });
});
