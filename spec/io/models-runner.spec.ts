import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { firstValueFrom, lastValueFrom, toArray, VirtualTimeScheduler } from 'rxjs';
import {
  type ModelNotice,
  type ModelRunnerOptions,
  openModelRunner,
  type ProcessModelRunner,
} from '../../models/index.js';
import { flat, isAlive, modelFolder, slowDescription, slowFile } from '../support/models.js';

const black = flat(0);

describe('model runner: processes', () => {
  const folder = modelFolder();
  const file = folder.write('slow.onnx', slowFile());
  let runner: ProcessModelRunner | undefined;
  const notices: string[] = [];
  let spareIsWarm = resolvers();

  async function open(options: Partial<ModelRunnerOptions> = {}): Promise<ProcessModelRunner> {
    notices.length = 0;
    spareIsWarm = resolvers();
    runner = await openModelRunner({
      file,
      description: slowDescription,
      device: 'cpu',
      batchSize: 4,
      spare: false,
      // Time stands still: however busy the machine is, nothing is taken for hung.
      scheduler: new VirtualTimeScheduler(),
      onNotice({ level, message }) {
        notices.push(message);
        assert.equal(level, message === 'the spare model process is warm' ? 'info' : 'warn');
        if (message === 'the spare model process is warm') spareIsWarm.resolve();
      },
      ...options,
    });
    return runner;
  }
  afterEach(async () => {
    const pids = runner?.pids() ?? [];
    await runner?.close();
    assert.deepEqual(pids.filter(isAlive), [], 'no process outlives its runner');
    runner = undefined;
  });

  /** Runs one batch and writes down what happens, in order. */
  function watch(open: ProcessModelRunner, brightness: number, pictures = 1) {
    const events: string[] = [];
    const done = resolvers();
    const subscription = open
      .run(
        Array.from({ length: pictures }, () => flat(brightness)),
        () => {
          events.push('returned');
          done.resolve();
        },
      )
      .subscribe({
        next: (findings) => events.push(`findings of ${findings.length}`),
        error: ({ code, retryable }) => events.push(`${code}${retryable ? ' retryable' : ''}`),
        complete: () => events.push('complete'),
      });
    return { events, subscription, returned: done.promise };
  }

  it('answers batches of every size, pictures returned once, results in order', async () => {
    const open4 = await open();
    assert.equal(open4.maxBatch, 4);
    for (const size of [1, 2, 3, 4]) {
      const { events, returned } = watch(open4, 0, size);
      await returned;
      assert.deepEqual(events, ['returned', `findings of ${size}`, 'complete']);
    }
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map((n) =>
        lastValueFrom(
          open4.run(
            Array.from({ length: n }, () => black),
            () => undefined,
          ),
        ),
      ),
    );
    assert.deepEqual([first?.length, second?.length, third?.length], [1, 2, 3]);
    assert.ok(open4.predictMs(1) > 0);
  });

  it('starts a run for each subscription, and none without', async () => {
    const open4 = await open();
    let returns = 0;
    const run$ = open4.run([black], () => returns++);
    assert.equal(returns, 0);
    await lastValueFrom(run$);
    assert.deepEqual((await firstValueFrom(run$.pipe(toArray()))).length, 1);
    assert.equal(returns, 2);
  });

  it('refuses batches and pictures that do not fit, and returns them at once', async () => {
    const open4 = await open();
    for (const [pictures, code] of [
      [[], 'ERR_OPTION'],
      [Array.from({ length: 5 }, () => black), 'ERR_OPTION'],
      [[flat(0, { width: 15, height: 16 })], 'ERR_MODEL_SHAPE'],
    ] as const) {
      let returns = 0;
      await assert.rejects(lastValueFrom(open4.run(pictures, () => returns++)), { code });
      assert.equal(returns, 1);
    }
  });

  it('killed during a run: that run fails as retryable, the one behind it and the next work on the spare', async () => {
    const open4 = await open({ spare: true });
    await spareIsWarm.promise;
    notices.length = 0;
    const [pid = 0, sparePid] = open4.pids();
    const running = watch(open4, 255);
    const behind = watch(open4, 0);
    process.kill(pid, 'SIGKILL');
    await running.returned;
    assert.deepEqual(running.events, ['returned', 'ERR_INFERENCE retryable']);
    await behind.returned;
    assert.deepEqual(behind.events, ['returned', 'findings of 1', 'complete']);
    const next = watch(open4, 0);
    await next.returned;
    assert.deepEqual(next.events, ['returned', 'findings of 1', 'complete']);
    assert.equal(open4.pids()[0], sparePid);
    assert.equal(notices[0], 'a model process ended');
  });

  it('killed without a spare: the next run waits for a new process', async () => {
    const open4 = await open();
    const [pid = 0] = open4.pids();
    const running = watch(open4, 255);
    process.kill(pid, 'SIGKILL');
    await running.returned;
    const next = watch(open4, 0, 4);
    await next.returned;
    assert.deepEqual(next.events, ['returned', 'findings of 4', 'complete']);
    assert.notEqual(open4.pids()[0], pid);
  });

  it('abandoned: nothing is emitted, pictures come back when the process is gone, not before', async () => {
    const open4 = await open();
    const [pid = 0] = open4.pids();
    const running = watch(open4, 255);
    const queued = watch(open4, 0);
    const waiting = watch(open4, 0);
    running.subscription.unsubscribe();
    waiting.subscription.unsubscribe();
    assert.deepEqual(running.events, [], 'the process still reads them');
    assert.deepEqual(waiting.events, ['returned'], 'never started');
    queued.subscription.unsubscribe();
    assert.deepEqual(queued.events, [], 'handed over already');
    process.kill(pid, 'SIGKILL');
    await Promise.all([running.returned, queued.returned]);
    assert.deepEqual([running.events, queued.events], [['returned'], ['returned']]);
  });

  it('hung: the process is killed after the limit and replaced', async () => {
    const scheduler = new VirtualTimeScheduler();
    const open4 = await open({ scheduler });
    const [pid = 0] = open4.pids();
    const hung = watch(open4, 255);
    scheduler.flush();
    await hung.returned;
    assert.deepEqual(hung.events, ['returned', 'ERR_INFERENCE retryable']);
    assert.equal(isAlive(pid), false);
    assert.equal(notices[0], 'a model process hangs and is killed');
    assert.ok(scheduler.frame >= 5000, 'ms, the least that a hung run gets');
    const next = watch(open4, 0);
    await next.returned;
    assert.deepEqual(next.events, ['returned', 'findings of 1', 'complete']);
  });

  it('no watchdog outlives what it watches', async () => {
    const scheduler = new VirtualTimeScheduler();
    const open4 = await open({ scheduler });
    const done = watch(open4, 0);
    await done.returned;
    scheduler.flush();
    assert.deepEqual(notices, []);
    const next = watch(open4, 0);
    await next.returned;
    assert.deepEqual(next.events, ['returned', 'findings of 1', 'complete']);
  });

  it('closed while a replacement loads: what waits for it fails, and its process goes too', async () => {
    const open4 = await open();
    const running = watch(open4, 255);
    process.kill(open4.pids()[0] ?? 0, 'SIGKILL');
    await running.returned;
    const waiting = watch(open4, 0);
    const [loading = 0] = open4.pids();
    await open4.close();
    assert.deepEqual(waiting.events, ['returned', 'ERR_RELEASED']);
    assert.equal(isAlive(loading), false);
  });

  it('without a replacement that loads: what waits fails, and the next run tries again', async () => {
    const gone = folder.write('gone.onnx', slowFile());
    const open4 = await open({ file: gone });
    rmSync(gone);
    const running = watch(open4, 255);
    process.kill(open4.pids()[0] ?? 0, 'SIGKILL');
    await running.returned;
    const waiting = watch(open4, 0);
    await waiting.returned;
    assert.deepEqual(waiting.events, ['returned', 'ERR_INFERENCE retryable']);
    folder.write('gone.onnx', slowFile());
    const next = watch(open4, 0);
    await next.returned;
    assert.deepEqual(next.events, ['returned', 'findings of 1', 'complete']);
  });

  it('says whether a process lives, and starts one again of itself where none could be started', async () => {
    const gone = folder.write('gone-again.onnx', slowFile());
    const scheduler = new VirtualTimeScheduler();
    const notStarted = resolvers();
    const onNotice = ({ message }: ModelNotice) => {
      notices.push(message);
      if (message === 'a model process could not be started') notStarted.resolve();
    };
    const open4 = await open({ file: gone, scheduler, onNotice });
    assert.equal(open4.isAlive, true);
    rmSync(gone);
    const [pid = 0] = open4.pids();
    process.kill(pid, 'SIGKILL');
    await notStarted.promise;
    assert.equal(open4.isAlive, false);
    folder.write('gone-again.onnx', slowFile());
    // As far as the first retry; the new process has all the time that it needs.
    scheduler.maxFrames = 1_000;
    scheduler.flush();
    assert.equal(open4.pids().length, 1);
    await open4.warmSpare();
    assert.equal(open4.isAlive, true);
  });

  it('closed during a run: the run fails, its pictures come back, later runs are refused', async () => {
    const open4 = await open();
    const running = watch(open4, 255);
    const queued = [watch(open4, 0), watch(open4, 0)];
    await open4.close();
    await open4.close();
    assert.deepEqual(running.events, ['returned', 'ERR_RELEASED']);
    for (const { events } of queued) assert.deepEqual(events, ['returned', 'ERR_RELEASED']);
    const late = watch(open4, 0);
    assert.deepEqual(late.events, ['returned', 'ERR_RELEASED']);
    await assert.rejects(open4.swap(), { code: 'ERR_RELEASED' });
  });

  it('replaces a process that holds too much memory, between runs', async () => {
    const open4 = await open({ maxRssBytes: 1 });
    const [pid] = open4.pids();
    const first = watch(open4, 0);
    await first.returned;
    const second = watch(open4, 0);
    await second.returned;
    assert.deepEqual([first.events, second.events], Array(2).fill(['returned', 'findings of 1', 'complete']));
    assert.notEqual(open4.pids()[0], pid);
    assert.match(notices[0] ?? '', /too much memory/);
  });
});

function resolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
