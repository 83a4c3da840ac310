import { OptionError } from '../../operators/index.js';

export interface NonceStoreOptions {
  /** Wall clock, ms since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /** Bound on remembered nonces; 1 or more. Default 100,000 (chosen: about 25 MB, 400 verified requests a second for the whole window). */
  readonly maxEntries?: number;
}

/** Remembers which nonces were used, for exactly as long as their time stamp could still be accepted. */
export interface NonceStore {
  /** Whether `nonce` has the right form, lies inside the window and was not used. Changes nothing: strangers may call it. */
  accepts(nonce: string): boolean;
  /**
   * `used`: it was valid and is now taken; `invalid`: as `accepts` says, for instance because another request took it in the
   * meantime; `full`: no room to remember it (the caller must refuse, since forgetting would allow a replay). To be called
   * in the same tick in which the signature verified.
   */
  use(nonce: string): 'used' | 'invalid' | 'full';
  readonly size: number;
}

/** |now − time stamp| allowed, ns (docs/protocol.md §1). */
const windowNs = 120_000_000_000n;
/** `time_ns` as up to 20 digits, then anything after an underscore (docs/protocol.md §1); the length bound keeps the store small. */
const form = /^(\d{1,20})(?:_.*)?$/;
const maxNonceLength = 64;
const sweepEveryMs = 10_000;

export function createNonceStore({ now = Date.now, maxEntries = 100_000 }: NonceStoreOptions = {}): NonceStore {
  if (!(maxEntries >= 1)) throw new OptionError('maxEntries must be 1 or more', { maxEntries });
  /** Nonce → last moment (ns) at which its time stamp is inside the window. */
  const usedUntilNs = new Map<string, bigint>();
  let nextSweepMs = Number.NEGATIVE_INFINITY;

  const sweep = (nowMs: number, nowNs: bigint) => {
    if (nowMs < nextSweepMs && usedUntilNs.size < maxEntries) return;
    nextSweepMs = nowMs + sweepEveryMs;
    for (const [nonce, untilNs] of usedUntilNs) if (untilNs < nowNs) usedUntilNs.delete(nonce);
  };
  const stampOf = (nonce: string, nowNs: bigint): bigint | undefined => {
    const digits = nonce.length <= maxNonceLength ? form.exec(nonce)?.[1] : undefined;
    if (digits === undefined || usedUntilNs.has(nonce)) return undefined;
    // BigInt: a Number would lose the last digits of a time in ns.
    const stampNs = BigInt(digits);
    const offNs = nowNs > stampNs ? nowNs - stampNs : stampNs - nowNs;
    return offNs <= windowNs ? stampNs : undefined;
  };
  return {
    accepts: (nonce) => stampOf(nonce, nanoseconds(now())) !== undefined,
    use(nonce) {
      const nowMs = now();
      const nowNs = nanoseconds(nowMs);
      const stampNs = stampOf(nonce, nowNs);
      if (stampNs === undefined) return 'invalid';
      sweep(nowMs, nowNs);
      if (usedUntilNs.size >= maxEntries) return 'full';
      // Until ts + window, not now + window: a nonce stamped in the future stays acceptable for longer than one window from now.
      usedUntilNs.set(nonce, stampNs + windowNs);
      return 'used';
    },
    get size() {
      return usedUntilNs.size;
    },
  };
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.floor(ms)) * 1_000_000n;
}
