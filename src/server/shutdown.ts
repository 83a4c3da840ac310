/** The part of `process` that shutting down needs. */
export interface SignalTarget {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * The first SIGTERM or SIGINT starts `close` and then exits 0 (1 where it rejects, which `onError` is told); the second exits 1 at
 * once. Returns a function that takes the listeners away again.
 */
export function shutdownOnSignals(
  close: () => Promise<void>,
  { target = process, onError }: { readonly target?: SignalTarget; readonly onError: (error: unknown) => void },
): () => void {
  let closing = false;
  const listener = () => {
    if (closing) return target.exit(1);
    closing = true;
    close().then(
      () => target.exit(0),
      (error: unknown) => {
        onError(error);
        target.exit(1);
      },
    );
  };
  for (const signal of signals) target.on(signal, listener);
  return () => {
    for (const signal of signals) target.off(signal, listener);
  };
}
