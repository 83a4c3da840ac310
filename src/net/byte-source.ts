/** Half-open range of file offsets in bytes: `start` is read, `end` is not. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** One remote (or local) file that can be read in pieces. The consumer's pace is the sender's pace: a chunk is taken from the socket only when it is asked for. */
export interface ByteSource {
  readonly url: string;
  /** Origins that answered on the way to it, redirects included; none for a file of this machine. */
  readonly origins: ReadonlySet<string>;
  /** Whole size, undefined where the server does not say. */
  readonly sizeBytes: number | undefined;
  /** False where the server answered 200 to a ranged request: then only one `read` from 0 exists. */
  readonly acceptsRanges: boolean;
  readonly connection: {
    readonly httpVersion: '1.1' | '2' | 'file';
    readonly reused: boolean;
    readonly etag?: string;
    /** Request sent → first header byte, ms. */
    readonly firstByteMs: number;
    /** What setting the connection up cost, ms; absent where an existing one was used. */
    readonly setUp?: { readonly dnsMs: number; readonly tcpMs: number; readonly tlsMs: number };
  };
  /** Bytes received so far over all reads, dead ones included. */
  readonly bytesRead: number;
  /** Reads that have begun so far, retries and resumptions included. */
  readonly requests: number;
  /** The longest that readers have waited so far with nothing coming, ms; see `stallIn`. */
  readonly longestSilenceMs: number;
  /**
   * Reads from `start` to `end` (or the end of the file). The first read that begins at 0 uses the response that opened
   * the source. Leaving the loop early resets that stream only. Chunks may be views of kept memory: do not write to them.
   * Errors: ERR_SOURCE_CONNECT, ERR_SOURCE_STATUS, ERR_SOURCE_STALLED, ERR_SOURCE_TOO_LARGE, ERR_SOURCE_TRUNCATED,
   * ERR_SOURCE_CHANGED; ERR_ABORTED when `signal` fires or the source is closed.
   */
  read(range: { readonly start: number; readonly end?: number }, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Cancels whatever still runs. Idempotent; the pooled connection survives. */
  close(): void;
}
