import { TikitakaError } from '../../operators/index.js';

/**
 * Which status a caller sees for an error's code: every code that the program knows, so that one added later is decided on too. What is
 * 500 keeps its text to itself.
 */
const statuses: Readonly<Record<string, number>> = {
  // What was asked
  ERR_REQUEST: 400,
  ERR_NO_VIDEO_URL: 400,
  ERR_SOURCE_REFUSED: 400,
  ERR_UNAUTHENTICATED: 401,
  ERR_FORBIDDEN: 403,
  ERR_NOT_FOUND: 404,
  ERR_METHOD: 405,
  ERR_HEAD_TIMEOUT: 408,
  ERR_BODY_TIMEOUT: 408,
  ERR_BODY_TOO_LARGE: 413,
  ERR_HEADERS_MISSING: 422,
  ERR_HEAD_TOO_LARGE: 431,
  /** Nobody is left to read it; nginx's number, for logs and metrics. */
  ERR_ABORTED: 499,

  // What the link leads to
  ERR_LIMIT: 413,
  ERR_SOURCE_TOO_LARGE: 413,
  ERR_CONTAINER: 422,
  ERR_DECODE: 422,
  ERR_NOT_VIDEO: 422,
  ERR_SOURCE_EMPTY: 422,
  ERR_SOURCE_CHANGED: 502,
  ERR_SOURCE_CONNECT: 502,
  ERR_SOURCE_STATUS: 502,
  ERR_SOURCE_TRUNCATED: 502,
  ERR_SOURCE_STALLED: 504,

  // What there is no time or room for now
  ERR_BUSY: 503,
  ERR_CHAIN_UNAVAILABLE: 503,
  ERR_CLIENTS: 503,
  ERR_OVERFLOW: 503,
  ERR_SHUTDOWN: 503,
  ERR_BUDGET_EMPTY: 504,
  ERR_TEMP_STORAGE: 507,

  // Our own faults
  ERR_DECODER_UNAVAILABLE: 500,
  ERR_INFERENCE: 500,
  ERR_INTERNAL: 500,
  ERR_OPTION: 500,
  ERR_RELEASED: 500,

  // At the start, in the background or on the command line: no caller meets them
  ERR_ANSWER: 500,
  ERR_BENCH: 500,
  ERR_CACHE: 500,
  ERR_CHAIN_ANSWER: 500,
  ERR_CHAIN_CALL: 500,
  ERR_CHAIN_CONNECT: 500,
  ERR_CHAIN_LOST: 500,
  ERR_CHAIN_METADATA: 500,
  ERR_CHAIN_NETUID: 500,
  ERR_CHAIN_REFUSED: 500,
  ERR_CHAIN_RPC: 500,
  ERR_CHAIN_SNAPSHOT: 500,
  ERR_CHAIN_TIMEOUT: 500,
  ERR_CHALLENGE_REFUSED: 500,
  ERR_CONFIG: 500,
  ERR_CRYPTO: 500,
  ERR_DEMO_SERVER: 500,
  ERR_DOCTOR: 500,
  ERR_ENCODE: 500,
  ERR_HOTKEY: 500,
  ERR_INSTALL: 500,
  ERR_INTERRUPTED: 500,
  ERR_KEYFILE: 500,
  ERR_LABELS: 500,
  ERR_LISTEN: 500,
  ERR_MODEL_DESCRIPTION: 500,
  ERR_MODEL_LOAD: 500,
  ERR_MODEL_SHAPE: 500,
  ERR_OUTPUT: 500,
  ERR_RENDER: 500,
  ERR_SERVER_CONNECT: 500,
  ERR_SERVER_TIMEOUT: 500,
  ERR_STAGE_TIMEOUT: 500,
  ERR_START: 500,
};

/** Every code that has a status. */
export const knownCodes: readonly string[] = Object.keys(statuses);

/** Answers whose bodies callers know from FastAPI (docs/protocol.md §1): `detail` and nothing else. */
const bare = new Set([
  'ERR_UNAUTHENTICATED',
  'ERR_FORBIDDEN',
  'ERR_HEADERS_MISSING',
  'ERR_NO_VIDEO_URL',
  'ERR_NOT_FOUND',
  'ERR_METHOD',
]);

const retryLater = new Set(['ERR_BUSY', 'ERR_CLIENTS', 'ERR_SHUTDOWN']);

export function statusOf(code: string): number {
  return Object.hasOwn(statuses, code) ? (statuses[code] ?? 500) : 500;
}

export interface ErrorResponse {
  readonly status: number;
  readonly code: string;
  readonly body: { readonly detail: unknown; readonly code?: string };
  readonly headers: Readonly<Record<string, string>>;
}

/** What a caller is told about `error`. The text of an unexpected error stays here: it may name files, keys or addresses. */
export function errorResponse(error: unknown): ErrorResponse {
  const known = error instanceof TikitakaError ? error : undefined;
  const status = statusOf(known?.code ?? '');
  if (!known || status === 500) {
    const code = known?.code ?? 'ERR_INTERNAL';
    return { status, code, body: { detail: 'Internal Server Error', code }, headers: {} };
  }
  const { code, message } = known;
  return {
    status,
    code,
    body: bare.has(code) ? { detail: fastApiDetail(known) } : { detail: message, code },
    headers: headersFor(known),
  };
}

function fastApiDetail({ code, message, details }: TikitakaError): unknown {
  if (code !== 'ERR_HEADERS_MISSING' || !Array.isArray(details.missing)) return message;
  return details.missing.map((name: unknown) => ({
    type: 'missing',
    loc: ['header', name],
    msg: message,
    input: null,
  }));
}

function headersFor({ code, details }: TikitakaError): Readonly<Record<string, string>> {
  if (code === 'ERR_METHOD' && typeof details.allow === 'string') return { Allow: details.allow };
  return retryLater.has(code) ? { 'Retry-After': '1' } : {};
}
