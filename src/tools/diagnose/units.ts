/** A duration with its unit, at most 8 columns: `0.4 ms`, `63 ms`, `2.28 s`. */
export function showMs(ms: number | undefined): string {
  if (ms === undefined) return '–';
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 9999.5 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(ms < 999_950 ? 1 : 0)} s`;
}

/** Decimal units, as `PARTIAL_DOWNLOAD_MB` counts them. */
export function showBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 999_500 ? `${(bytes / 1000).toFixed(0)} KB` : `${(bytes / 1e6).toFixed(bytes < 9.95e6 ? 1 : 0)} MB`;
}

export const showRate = (bytesPerSecond: number): string => `${(bytesPerSecond / 1e6).toFixed(2)} MB/s`;

export const showFps = (framesPerSecond: number): string =>
  `${framesPerSecond.toFixed(framesPerSecond < 99.5 ? 1 : 0)} frames/s`;

export const showCount = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;
