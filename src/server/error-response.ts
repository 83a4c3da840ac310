import { TikitakaError } from '../../operators/index.js';

/** Which status a caller sees for an error's code; what is not listed is our own fault: 500. */
const statuses: Readonly<Record<string, number>> = {
  ERR_REQUEST: 400,
  ERR_NO_VIDEO_URL: 400,
  ERR_SOURCE_REFUSED: 400,
  ERR_UNAUTHENTICATED: 401,
  ERR_FORBIDDEN: 403,
  ERR_NOT_FOUND: 404,
  ERR_METHOD: 405,
  ERR_BODY_TIMEOUT: 408,
  ERR_BODY_TOO_LARGE: 413,
  ERR_SOURCE_TOO_LARGE: 413,
  ERR_HEADERS_MISSING: 422,
  ERR_DECODE: 422,
  ERR_NOT_VIDEO: 422,
  /** Nobody is left to read it; nginx's number, for logs and metrics. */
  ERR_ABORTED: 499,
  ERR_SOURCE_CONNECT: 502,
  ERR_SOURCE_STATUS: 502,
  ERR_SOURCE_TRUNCATED: 502,
  ERR_SOURCE_CHANGED: 502,
  ERR_SOURCE_TIMEOUT: 502,
  ERR_BUSY: 503,
  ERR_OVERFLOW: 503,
  ERR_SHUTDOWN: 503,
  ERR_CHAIN_UNAVAILABLE: 503,
  ERR_BUDGET_EMPTY: 504,
};

/** Answers whose bodies callers know from FastAPI (PROTOCOL §1): `detail` and nothing else. */
const bare = new Set([
  'ERR_UNAUTHENTICATED',
  'ERR_FORBIDDEN',
  'ERR_HEADERS_MISSING',
  'ERR_NO_VIDEO_URL',
  'ERR_NOT_FOUND',
  'ERR_METHOD',
]);

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
  return code === 'ERR_BUSY' || code === 'ERR_SHUTDOWN' ? { 'Retry-After': '1' } : {};
}
