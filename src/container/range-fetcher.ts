import { TikitakaError } from '../../operators/index.js';
import type { ByteSource } from '../net/index.js';
import { type Segment, Segments } from './segments.js';

/** How far a stream without ranges is read ahead of its consumer. Chosen: the chunk size of F4. */
const STREAM_CHUNK_BYTES = 1 << 18;

interface Waiter {
  readonly start: number;
  readonly end: number;
  resolve(bytes: Uint8Array): void;
  reject(error: unknown): void;
}

interface Failure {
  readonly start: number;
  readonly end: number;
  readonly error: unknown;
}

/** The one read of a source that takes no ranges. */
interface Forward {
  readonly iterator: AsyncIterator<Uint8Array>;
  position: number;
  wantTo: number;
  running: boolean;
}

/**
 * What is known of a file's bytes: closed ranges on their way, bytes that are here (a bounded, least-recently-used
 * cache), and those who wait for them. It asks for nothing by itself. A source that takes no ranges is read as one
 * stream in file order, no further than was asked for.
 */
export class RangeFetcher {
  /** Called after every arrival, failure or end of a read. */
  onProgress: () => void = () => undefined;
  /** Reads in flight. */
  inFlight = 0;
  /** Asked for and not yet here. */
  outstandingBytes = 0;

  readonly #segments = new Segments();
  readonly #waiters = new Set<Waiter>();
  #failures: Failure[] = [];
  readonly #abort = new AbortController();
  #forward: Forward | undefined;

  constructor(
    readonly source: ByteSource,
    readonly cacheBytes: number,
  ) {}

  /** No range is read any more. */
  get closed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Memory held, reads in flight included. */
  get cachedBytes(): number {
    return this.#segments.cachedBytes;
  }

  /** End of the stretch from `offset` on that is here or on its way (or has failed and not been reported); `offset` where none is. */
  coveredTo(offset: number): number {
    const forward = this.#forward;
    const segment = this.#segments.at(offset);
    if (segment) return segment.end;
    if (forward && offset >= forward.position) return Math.max(offset, forward.wantTo);
    const failure = this.#failures.find(({ start, end }) => start <= offset && offset < end);
    return failure ? failure.end : offset;
  }

  /** Start of the first stretch behind `offset` that is here or on its way; Infinity where none is. */
  nextCovered(offset: number): number {
    return this.#segments.nextStart(offset);
  }

  /** The bytes if all of them are here: a view where one read brought them, else a copy. */
  peek(start: number, end: number): Uint8Array | undefined {
    return this.#segments.peek(start, end);
  }

  /** End of the bytes that are here without a gap from `offset` on. */
  heldTo(offset: number): number {
    return this.#segments.heldTo(offset);
  }

  /**
   * Waits for bytes that were requested. Errors: what the read failed with; ERR_SOURCE_TRUNCATED where the file ends
   * before; ERR_ABORTED by `signal` or `close`.
   */
  bytes(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    const here = this.peek(start, end);
    if (here) return Promise.resolve(here);
    return new Promise((resolve, reject) => {
      const onAbort = () => waiter.reject(aborted(signal?.reason));
      const settle = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        start,
        end,
        resolve: (bytes) => {
          settle();
          resolve(bytes);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      if (this.closed || signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort);
      this.#settleWaiters();
    });
  }

  /** Starts one closed read; the range must not be covered. With a source that takes no ranges: reads on to `end`. */
  request(start: number, end: number): void {
    if (this.closed) return;
    if (!this.source.acceptsRanges) {
      this.#readOn(start, end);
      return;
    }
    const segment = this.#segments.insert({ start, end, bytes: new Uint8Array(end - start), filled: 0 });
    this.inFlight++;
    this.outstandingBytes += end - start;
    void this.#read(segment);
  }

  /**
   * The whole file in order, from the bytes that are here into one read to its end; pull-driven. For containers that
   * need a demuxer. Errors: those of the source; ERR_ABORTED.
   */
  async *stream(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    let at = 0;
    for (;;) {
      if (!this.source.acceptsRanges) this.request(at, at + STREAM_CHUNK_BYTES);
      if (this.coveredTo(at) === at) break;
      try {
        await this.bytes(at, at + 1, signal);
      } catch (error) {
        if (isEnd(error) && at >= (this.source.sizeBytes ?? at)) return;
        throw error;
      }
      const end = this.heldTo(at);
      const bytes = this.peek(at, end);
      if (!bytes) throw aborted();
      at = end;
      yield bytes;
    }
    if (at >= (this.source.sizeBytes ?? Number.POSITIVE_INFINITY)) return;
    const signals = signal ? AbortSignal.any([signal, this.#abort.signal]) : this.#abort.signal;
    yield* this.source.read({ start: at }, signals);
  }

  /** Ends every read and waiter with ERR_ABORTED and lets go of the memory. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.#abort.abort();
    void this.#forward?.iterator.return?.().catch(() => undefined);
    for (const waiter of [...this.#waiters]) waiter.reject(aborted());
    this.#segments.clear();
  }

  async #read(segment: Segment): Promise<void> {
    let failure: unknown;
    try {
      for await (const chunk of this.source.read(segment, this.#abort.signal)) {
        const part = chunk.subarray(0, segment.end - segment.start - segment.filled);
        segment.bytes.set(part, segment.filled);
        segment.filled += part.length;
        this.outstandingBytes -= part.length;
        this.#progress();
        if (segment.start + segment.filled === segment.end) break;
      }
    } catch (error) {
      failure = error;
    }
    this.inFlight--;
    const reached = segment.start + segment.filled;
    if (reached < segment.end) {
      this.outstandingBytes -= segment.end - reached;
      this.#fail(reached, segment.end, failure ?? this.#truncated(reached));
      this.#segments.shorten(segment);
    }
    this.#evict();
    this.#progress();
  }

  #readOn(start: number, end: number): void {
    this.#forward ??= {
      iterator: this.source.read({ start: 0 }, this.#abort.signal)[Symbol.asyncIterator](),
      position: 0,
      wantTo: 0,
      running: false,
    };
    const forward = this.#forward;
    if (start < forward.position) {
      const error = new TikitakaError('ERR_SOURCE_STATUS', 'the server takes no ranges and these bytes have gone by', {
        details: { start, position: forward.position },
      });
      this.#fail(start, Math.min(end, forward.position), error);
      this.#settleWaiters();
      return;
    }
    if (end <= forward.wantTo) return;
    this.outstandingBytes += end - Math.max(forward.wantTo, forward.position);
    forward.wantTo = end;
    if (!forward.running) void this.#runForward(forward);
  }

  async #runForward(forward: Forward): Promise<void> {
    forward.running = true;
    this.inFlight++;
    try {
      while (forward.position < forward.wantTo) {
        const next = await forward.iterator.next();
        if (this.closed) break;
        if (next.done) throw this.#truncated(forward.position);
        const start = forward.position;
        const end = start + next.value.length;
        if (end === start) continue;
        forward.position = end;
        this.outstandingBytes = Math.max(0, forward.wantTo - end);
        this.#segments.append(start, next.value);
        this.#evict();
        this.#progress();
      }
    } catch (error) {
      this.#fail(forward.position, Number.POSITIVE_INFINITY, error);
      this.outstandingBytes = 0;
    }
    this.inFlight--;
    forward.running = false;
    this.#progress();
  }

  /** What somebody waits for stays: a range larger than the cache would otherwise never be here as a whole. */
  #evict(): void {
    const waiters = [...this.#waiters];
    this.#segments.evict(this.cacheBytes, (segment) =>
      waiters.some(({ start, end }) => segment.start < end && start < segment.end),
    );
  }

  #truncated(offset: number): TikitakaError {
    return new TikitakaError('ERR_SOURCE_TRUNCATED', 'the file ends before its index says', { details: { offset } });
  }

  #fail(start: number, end: number, error: unknown): void {
    if (!this.closed) this.#failures.push({ start, end, error });
  }

  #progress(): void {
    this.#settleWaiters();
    if (!this.closed) this.onProgress();
  }

  #settleWaiters(): void {
    for (const waiter of [...this.#waiters]) {
      const bytes = this.peek(waiter.start, waiter.end);
      if (bytes) {
        waiter.resolve(bytes);
        continue;
      }
      const failure = this.#failures.find(({ start, end }) => start < waiter.end && waiter.start < end);
      if (!failure) continue;
      // Told once, with what else failed meanwhile: whoever asks again may try again. Only the end of a stream stays.
      this.#failures = this.#failures.filter(({ end }) => end === Number.POSITIVE_INFINITY);
      waiter.reject(failure.error);
    }
  }
}

/** ERR_ABORTED, or the typed error that the signal carries. */
export const aborted = (reason?: unknown): TikitakaError =>
  reason instanceof TikitakaError
    ? reason
    : new TikitakaError('ERR_ABORTED', 'reading was cancelled', { cause: reason });

const isEnd = (error: unknown): boolean => error instanceof TikitakaError && error.code === 'ERR_SOURCE_TRUNCATED';
