import type { Config } from '../../app/config.js';

/** What the verdict has to know of the configuration and of this machine. */
export interface Settings {
  /** `TIME_BUDGET_S`. */
  readonly budgetMs: number;
  /** `FRAME_STRIDE`; undefined = auto. */
  readonly stride: number | undefined;
  /** `USE_CONNECTION_POOL`. */
  readonly pooled: boolean;
  readonly prewarmOrigins: readonly string[];
  readonly keepAliveS: number;
  /** `STREAMING_DOWNLOAD=0` or `CHUNKED_STREAMING=0`: the whole file is read before anything is decoded. */
  readonly downloadFirst: boolean;
  readonly decoder: Config['DECODER'];
  readonly decodeThreads: number;
  readonly batchSize: number;
  /** Input widths of the chosen model's family, pixels. */
  readonly widths: readonly number[];
  readonly cores: number;
  readonly dropUnscored: boolean;
}

export interface SettingsFacts {
  readonly widths: readonly number[];
  readonly cores: number;
}

export function settingsOf(config: Config, { widths, cores }: SettingsFacts): Settings {
  return {
    budgetMs: config.TIME_BUDGET_S * 1000,
    stride: config.FRAME_STRIDE === 'auto' ? undefined : config.FRAME_STRIDE,
    pooled: config.USE_CONNECTION_POOL,
    prewarmOrigins: config.PREWARM_ORIGINS,
    keepAliveS: config.KEEP_ALIVE_S,
    downloadFirst: !config.STREAMING_DOWNLOAD || !config.CHUNKED_STREAMING,
    decoder: config.DECODER,
    decodeThreads: config.DECODE_THREADS,
    batchSize: config.BATCH_SIZE,
    widths,
    cores,
    dropUnscored: config.DROP_UNSCORED,
  };
}

/** The variables that the verdict rests on, as they would stand in `.env`. */
export function settingLines(settings: Settings): Record<string, string> {
  const flag = (on: boolean) => (on ? '1' : '0');
  return {
    TIME_BUDGET_S: String(settings.budgetMs / 1000),
    FRAME_STRIDE: String(settings.stride ?? 'auto'),
    USE_CONNECTION_POOL: flag(settings.pooled),
    PREWARM_ORIGINS: settings.prewarmOrigins.join(','),
    KEEP_ALIVE_S: String(settings.keepAliveS),
    STREAMING_DOWNLOAD: flag(!settings.downloadFirst),
    DECODER: settings.decoder,
    DECODE_THREADS: String(settings.decodeThreads),
    BATCH_SIZE: String(settings.batchSize),
    DROP_UNSCORED: flag(settings.dropUnscored),
  };
}
