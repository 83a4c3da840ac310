import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  exhaustMap,
  finalize,
  firstValueFrom,
  merge,
  type Observable,
  ReplaySubject,
  retry,
  type SchedulerLike,
  Subscription,
  switchMap,
  tap,
  throwError,
  throwIfEmpty,
  timeout,
  timer,
} from 'rxjs';
import { OptionError, TikitakaError } from '../../operators/index.js';
import type { Metagraph } from './fetch-metagraph.js';
import type { Neuron } from './metagraph.js';
import { identify, type MetagraphSnapshot } from './snapshot-file.js';

export interface MetagraphViewOptions {
  readonly netuid: number;
  /** Of the node; only its host is told to anybody. */
  readonly url: string;
  /** Cold: emits, once connected, a function that asks for the metagraph; errors when the connection is lost. Not subscribed to without `refresh`. */
  readonly connect: () => Observable<() => Promise<Metagraph>>;
  /** `REFRESH_NODES`: false = the saved snapshot is all there is, and its age does not matter. Default true. */
  readonly refresh?: boolean;
  /** Where snapshots are kept between runs. Default nowhere. */
  readonly store?: {
    /** Called once at the start, where `LOAD_OLD_NODES` or no `refresh` ask for it. */
    readonly load: () => Promise<MetagraphSnapshot | undefined>;
    readonly save: (snapshot: MetagraphSnapshot) => Promise<void>;
  };
  /** `LOAD_OLD_NODES`: start from the saved snapshot until the chain answers. Default true. */
  readonly loadSaved?: boolean;
  /** From one answer to the next question, ms. Default 300,000 (docs/protocol.md §4). */
  readonly refreshMs?: number;
  /** From a fault to the next attempt, ms; doubled with each further one up to a minute. Default 1,000. */
  readonly firstRetryMs?: number;
  /** Up to this age the view counts as fresh (`/readyz`), ms. Default 3,600,000 (chosen: a dozen missed refreshes). */
  readonly freshMs?: number;
  /** Beyond this age nobody is let in on its word, ms. Default 86,400,000 (chosen: stakes hardly move in a day, an attacker's could). */
  readonly maxAgeMs?: number;
  /** Told of what goes wrong in the background, and of what gets well again. */
  readonly log?: { warn(facts: object, text: string): unknown; info(facts: object, text: string): unknown };
  /** Default `asyncScheduler`; its `now` is the wall clock in ms. */
  readonly scheduler?: SchedulerLike;
}

/** What is known of the subnet's members, kept up to date in the background. Reading never waits for the chain. */
export interface MetagraphView {
  /** Every snapshot from now on, the latest one first. Never errors; completes on `close`. */
  readonly snapshots$: Observable<MetagraphSnapshot>;
  readonly current: MetagraphSnapshot | undefined;
  /** ms since the current snapshot was fetched. */
  readonly ageMs: number | undefined;
  /** For `/readyz`: whether there is a snapshot that is young enough, and otherwise the code of what is wrong. */
  readonly health: { readonly ok: boolean; readonly detail: string };
  /** The member with this ss58 address. Throws ERR_CHAIN_UNAVAILABLE where there is no snapshot or it is too old; its text is for callers. */
  find(hotkey: string): Neuron | undefined;
  /** Resolves with the first snapshot. Errors: ERR_CHAIN_UNAVAILABLE after `timeoutMs`, with the last fault as its cause. */
  ready(timeoutMs: number): Promise<MetagraphSnapshot>;
  /** Ends the connection and every timer at once; resolves when the last snapshot is on disk. Idempotent. */
  close(): Promise<void>;
}

const longestRetryMs = 60_000;

/** Starts a view at once. Throws ERR_OPTION where there is nothing that it could learn from. */
export function createMetagraphView(options: MetagraphViewOptions): MetagraphView {
  const { netuid, url, connect, refresh = true, store, loadSaved = true, log, scheduler = asyncScheduler } = options;
  const { refreshMs = 300_000, firstRetryMs = 1_000, freshMs = 3_600_000, maxAgeMs = 86_400_000 } = options;
  if (!refresh && !store) throw new OptionError('Without refresh a view needs a store');
  const { node } = identify(url);
  const snapshots$ = new ReplaySubject<MetagraphSnapshot>(1);
  let current: MetagraphSnapshot | undefined;
  let members: ReadonlyMap<string, Neuron> = new Map();
  let fault: unknown;
  let saving = Promise.resolve();
  /** Completes when the saved snapshot was read, or is known not to be there. */
  const loaded$ = new ReplaySubject<never>();

  const accept = (snapshot: MetagraphSnapshot) => {
    current = Object.freeze(snapshot);
    members = new Map(snapshot.neurons.map((neuron) => [neuron.hotkey, Object.freeze(neuron)]));
    snapshots$.next(snapshot);
  };
  const note = (error: unknown, text: string) => {
    // A node that is gone for a day would else fill the log with one line a minute.
    if (!isSameFault(error, fault)) log?.warn({ err: error, node }, text);
    fault = error;
  };
  const saved$ = defer(() => (store && (loadSaved || !refresh) ? store.load() : EMPTY)).pipe(
    catchError((error: unknown) => {
      note(error, 'the saved metagraph is not used');
      return EMPTY;
    }),
    tap((snapshot) => {
      // The chain may have been quicker.
      if (snapshot && !current) accept(snapshot);
    }),
    finalize(() => loaded$.complete()),
  );
  const live$ = defer(connect).pipe(
    switchMap((ask) => timer(0, refreshMs, scheduler).pipe(exhaustMap(ask))),
    tap((metagraph) => {
      if (fault !== undefined) log?.info({ node }, 'the chain answers again');
      fault = undefined;
      const snapshot = { ...metagraph, netuid, ...identify(url), fetchedAtMs: scheduler.now() };
      accept(snapshot);
      saving = saving
        .then(() => store?.save(snapshot))
        .catch((error: unknown) => void log?.warn({ err: error }, 'the metagraph could not be saved'));
    }),
    retry({
      resetOnSuccess: true,
      delay: (error: unknown, count) => {
        note(error, 'the chain does not answer');
        return timer(Math.min(longestRetryMs, firstRetryMs * 2 ** (count - 1)), scheduler);
      },
    }),
  );
  const ageMs = () => (current ? Math.max(0, scheduler.now() - current.fetchedAtMs) : undefined);
  const tooOld = (limitMs: number) => refresh && (ageMs() ?? Number.POSITIVE_INFINITY) > limitMs;
  const missing = refresh ? 'it has not answered yet' : 'none was saved';
  /** For strangers: no word of where we ask. */
  const code = () => (fault instanceof TikitakaError ? fault.code : fault === undefined ? missing : 'ERR_INTERNAL');
  const unavailable = (detail: string) =>
    new TikitakaError('ERR_CHAIN_UNAVAILABLE', `No metagraph of subnet ${netuid}: ${detail}`, {
      cause: fault,
      retryable: true,
    });
  const missing$ = throwError(() => unavailable(fault instanceof Error ? fault.message : missing));

  const subscription = new Subscription();
  subscription.add(saved$.subscribe());
  if (refresh) subscription.add(live$.subscribe());
  return {
    snapshots$: snapshots$.asObservable(),
    get current() {
      return current;
    },
    get ageMs() {
      return ageMs();
    },
    get health() {
      if (!current) return { ok: false, detail: code() };
      const age = `${Math.round((ageMs() ?? 0) / 1000)} s old`;
      return tooOld(freshMs) ? { ok: false, detail: `${age}: ${code()}` } : { ok: true, detail: age };
    },
    find(hotkey) {
      if (!current) throw unavailable(code());
      if (tooOld(maxAgeMs)) throw unavailable(`the last one is too old, ${code()}`);
      return members.get(hotkey);
    },
    ready: (timeoutMs) =>
      firstValueFrom(
        // Without refresh nothing more can come once the file was read.
        merge(snapshots$, refresh ? EMPTY : concat(loaded$, missing$)).pipe(
          timeout({ first: timeoutMs, scheduler, with: () => missing$ }),
          throwIfEmpty(() => unavailable('the view is closed')),
        ),
      ),
    close() {
      subscription.unsubscribe();
      snapshots$.complete();
      return saving;
    },
  };
}

function isSameFault(one: unknown, other: unknown): boolean {
  return one instanceof Error && other instanceof Error && one.message === other.message;
}
