import { availableParallelism, cpus, loadavg, release } from 'node:os';

/** Where figures come from; the load says how far wall times can be trusted. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly node: string;
  /** Mean number of runnable threads over the last minute. */
  readonly load1m: number;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    os: `${process.platform} ${release()}`,
    node: process.version,
    load1m: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
