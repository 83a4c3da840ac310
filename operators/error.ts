export interface TikitakaErrorOptions {
  readonly cause?: unknown;
  /** Whether the same call may succeed later without any change. Default false. */
  readonly retryable?: boolean;
  /** Small plain facts for logs and JSON answers; never secrets, never buffers. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The one error type that leaves any part of Tikitaka: callers branch on `code`, which never changes, not on the text. */
export class TikitakaError extends Error {
  override readonly name: string = 'TikitakaError';
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: string,
    message: string,
    { cause, retryable = false, details = {} }: TikitakaErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryable = retryable;
    this.details = details;
  }
}

/** Thrown when an operator or factory is *called* with an option outside its range. Code `ERR_OPTION`. */
export class OptionError extends TikitakaError {
  override readonly name = 'OptionError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super('ERR_OPTION', message, { details });
  }
}
