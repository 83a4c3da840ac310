import { type SchedulerLike, type Subscription, timer } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import type { ModelPicture } from '../contract.js';
import type { Predictor } from './predictor.js';
import { type RunEnd, runsInFlight, type SessionProcess, startSession } from './process.js';
import type { LoadMessage } from './protocol.js';
import { type Job, type Worker, warmWorker } from './worker.js';

/** What an operator should read in the log; `warn` where something went wrong. */
export interface ModelNotice {
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface SessionPairOptions {
  /** How a replacement is loaded. */
  readonly load: LoadMessage;
  readonly first: Worker;
  readonly spare: boolean;
  readonly maxRssBytes: number;
  readonly hangFactor: number;
  readonly minHangMs: number;
  readonly loadTimeoutMs: number;
  readonly onNotice: (notice: ModelNotice) => void;
  readonly scheduler: SchedulerLike;
}

/** From one failed start to the next where no process is left, ms: doubled each time (chosen; loading takes about a second). */
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

/**
 * One working process and a warm spare behind one queue. Whatever happens to a process, each job's pictures are returned
 * exactly once, the job at its head fails, the others move to the spare. The queue holds only what subscribers hold, who
 * own the pictures: they bound it.
 */
export class SessionPair {
  readonly #options: SessionPairOptions;
  readonly #sessions = new Set<SessionProcess>();
  readonly #queue: Job[] = [];
  #load: LoadMessage;
  #active: Worker | undefined;
  #spare: Worker | undefined;
  #starting: Promise<void> | undefined;
  #retry: Subscription | undefined;
  #retryMs = firstRetryMs;
  #closed = false;
  #swaps: Promise<void> = Promise.resolve();
  #lastPredictor: Predictor;

  constructor(options: SessionPairOptions) {
    this.#options = options;
    this.#load = options.load;
    this.#lastPredictor = options.first.predictor;
    this.#adopt(options.first);
    this.#active = options.first;
    this.#refill();
  }

  predictMs(batchSize: number): number {
    return (this.#active?.predictor ?? this.#lastPredictor).predictMs(batchSize);
  }

  /** Whether a process is loaded and warm. */
  get isAlive(): boolean {
    return this.#active !== undefined;
  }

  pids(): number[] {
    const sessions = new Set([...(this.#active ? [this.#active.session] : []), ...this.#sessions]);
    return [...sessions].map(({ pid }) => pid).filter((pid) => pid !== undefined);
  }

  /** Returns what abandons the job. */
  enqueue(pictures: readonly ModelPicture[], onReturn: () => void, onEnd: (end: RunEnd) => void): () => void {
    const job: Job = { pictures, onReturn, onEnd };
    if (this.#closed) {
      onReturn();
      onEnd({ error: released() });
      return () => undefined;
    }
    this.#queue.push(job);
    this.#refill();
    this.#pump();
    return () => {
      job.onEnd = undefined;
      const waiting = this.#queue.indexOf(job);
      if (waiting === -1) return;
      this.#queue.splice(waiting, 1);
      onReturn();
    };
  }

  /** Starts the spare, where there is to be one; resolves when it is warm, or is known not to start. */
  async warmSpare(): Promise<void> {
    this.#refill();
    await this.#starting;
  }

  swap(file: string): Promise<void> {
    const swapped = this.#swaps.then(() => this.#swap(file));
    this.#swaps = swapped.catch(() => undefined);
    return swapped;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.unsubscribe();
    for (const job of this.#queue.splice(0)) fail(job, released());
    for (const session of this.#sessions) session.kill();
    await Promise.all([...this.#sessions].map(({ gone }) => gone));
  }

  async #swap(file: string): Promise<void> {
    const load = { ...this.#load, file };
    const worker = await this.#start(load);
    if (worker.lost) throw new TikitakaError('ERR_MODEL_LOAD', `${file}: the model process ended before its first run`);
    this.#load = load;
    const old = [this.#active, this.#spare];
    this.#active = worker;
    this.#spare = undefined;
    for (const before of old) if (before) this.#retire(before);
    this.#refill();
    this.#pump();
  }

  /** Errors: ERR_MODEL_LOAD, ERR_MODEL_SHAPE; ERR_RELEASED where the pair was closed meanwhile. */
  async #start(load: LoadMessage): Promise<Worker> {
    if (this.#closed) throw released();
    const session = startSession(load);
    this.#sessions.add(session);
    void session.gone.then(() => this.#sessions.delete(session));
    try {
      const worker = await warmWorker(session, this.#options.loadTimeoutMs, this.#options.scheduler);
      this.#adopt(worker);
      return worker;
    } catch (error) {
      await session.gone;
      throw this.#closed ? released() : error;
    }
  }

  #adopt(worker: Worker): void {
    this.#sessions.add(worker.session);
    void worker.session.gone.then((reason) => {
      this.#sessions.delete(worker.session);
      this.#lost(worker, reason);
    });
  }

  #notice(level: ModelNotice['level'], message: string, details: ModelNotice['details']): void {
    this.#options.onNotice({ level, message, details });
  }

  /** Starts what is missing, one process at a time: a working one first, then the spare. */
  #refill(): void {
    if (this.#closed || this.#starting || (this.#active && (this.#spare || !this.#options.spare))) return;
    const load = this.#load;
    this.#retry?.unsubscribe();
    this.#starting = this.#start(load).then(
      (worker) => {
        if (load !== this.#load) this.#retire(worker);
        else if (!worker.lost) this.#take(worker);
        this.#starting = undefined;
        this.#refill();
        this.#pump();
      },
      (error: unknown) => this.#notStarted(error),
    );
  }

  #take(worker: Worker): void {
    if (this.#active) {
      this.#spare = worker;
      this.#notice('info', 'the spare model process is warm', { pid: worker.session.pid });
    } else this.#active = worker;
    this.#retryMs = firstRetryMs;
  }

  /** Without a working process nobody could answer: the waiting jobs fail; the next job, or some time, tries to start one again. */
  #notStarted(error: unknown): void {
    this.#starting = undefined;
    if (this.#closed) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#notice('warn', 'a model process could not be started', { file: this.#load.file, message });
    if (this.#active) return;
    const failure = new TikitakaError('ERR_INFERENCE', `no model process: ${message}`, {
      cause: error,
      retryable: true,
    });
    for (const job of this.#queue.splice(0)) fail(job, failure);
    // Who asks first whether we are ready never sends the job that would start one.
    this.#retry = timer(this.#retryMs, this.#options.scheduler).subscribe(() => this.#refill());
    this.#retryMs = Math.min(longestRetryMs, 2 * this.#retryMs);
  }

  #pump(): void {
    const worker = this.#active;
    while (worker && worker.jobs.length < runsInFlight) {
      const job = this.#queue.shift();
      if (!job) return;
      try {
        worker.session.run(job.pictures, (end) => this.#ended(worker, job, end));
      } catch (error) {
        fail(
          job,
          error instanceof TikitakaError ? error : new TikitakaError('ERR_INFERENCE', String(error), { cause: error }),
        );
        continue;
      }
      worker.jobs.push(job);
      if (worker.jobs.length === 1) this.#watch(worker);
    }
  }

  #ended(worker: Worker, job: Job, end: RunEnd): void {
    worker.jobs.shift();
    this.#watch(worker);
    if ('findings' in end) {
      worker.predictor.observe(job.pictures.length, end.ms);
      if (end.rssBytes > this.#options.maxRssBytes && worker === this.#active) this.#replace(worker, end.rssBytes);
    }
    if (worker.retired && worker.jobs.length === 0) worker.session.kill();
    this.#pump();
    job.onReturn();
    job.onEnd?.(end);
  }

  /** A process that holds too much memory makes room for the spare, after its last run. */
  #replace(worker: Worker, rssBytes: number): void {
    const { pid } = worker.session;
    this.#notice('warn', 'a model process is replaced: it holds too much memory', { pid, rssBytes });
    this.#active = this.#spare;
    this.#spare = undefined;
    worker.retired = true;
    this.#refill();
  }

  #retire(worker: Worker): void {
    worker.retired = true;
    if (worker.jobs.length === 0) worker.session.kill();
  }

  /** The head of the process's jobs must be answered in good time. */
  #watch(worker: Worker): void {
    worker.watchdog?.unsubscribe();
    const [head] = worker.jobs;
    if (!head) return;
    const { hangFactor, minHangMs, scheduler } = this.#options;
    const limitMs = Math.max(minHangMs, hangFactor * worker.predictor.predictMs(head.pictures.length));
    worker.watchdog = timer(limitMs, scheduler).subscribe(() => {
      this.#notice('warn', 'a model process hangs and is killed', { pid: worker.session.pid, limitMs });
      worker.session.kill();
    });
  }

  #lost(worker: Worker, reason: string): void {
    worker.watchdog?.unsubscribe();
    worker.lost = true;
    if (worker === this.#active) {
      this.#lastPredictor = worker.predictor;
      this.#active = this.#spare;
      this.#spare = undefined;
    }
    if (worker === this.#spare) this.#spare = undefined;
    const [head, ...waiting] = worker.jobs.splice(0);
    if (!this.#closed && !worker.retired) {
      this.#notice('warn', 'a model process ended', { pid: worker.session.pid, reason });
    }
    for (const job of waiting) if (!job.onEnd) job.onReturn();
    this.#queue.unshift(...waiting.filter(({ onEnd }) => onEnd));
    if (this.#closed) for (const job of this.#queue.splice(0)) fail(job, released());
    this.#refill();
    this.#pump();
    if (!head) return;
    fail(
      head,
      this.#closed
        ? released()
        : new TikitakaError('ERR_INFERENCE', `the model process ended during a run (${reason})`, {
            retryable: true,
            details: { reason },
          }),
    );
  }
}

function fail(job: Job, error: TikitakaError): void {
  job.onReturn();
  job.onEnd?.({ error });
}

const released = () => new TikitakaError('ERR_RELEASED', 'the model runner is closed');
