import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { TikitakaError } from '../../operators/index.js';

export interface PutChallengeOptions {
  readonly url: URL;
  /** Exactly these bytes are sent. */
  readonly body: Uint8Array;
  /** Besides what every caller sends: signature, `Accept`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Told of the body as it comes, unpacked, with its type. */
  readonly onText?: (text: string, atMs: number, type: string) => void;
}

/** One request and its answer as the caller saw them; times in ms since before it was sent. */
export interface Exchange {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** First byte of the answer's head, and last byte of its body: what callers measure. */
  readonly firstByteMs: number;
  readonly totalMs: number;
  /** Of the body as it travelled. */
  readonly wireBytes: number;
  /** Unpacked. */
  readonly body: Buffer;
}

/** Callers give up after so long (docs/protocol.md §1), ms. */
const CALLER_TIMEOUT_MS = 240_000;
const AVAILABILITY_TIMEOUT_MS = 5_000;
/** What callers' HTTP client sends of itself (docs/protocol.md §1). */
const callerHeaders = { Accept: '*/*', 'Accept-Encoding': 'gzip, deflate', Connection: 'keep-alive' };

/** Puts a challenge as a caller does: plain HTTP, no redirects, no second try. Errors: ERR_SERVER_CONNECT, ERR_SERVER_TIMEOUT. */
export function putChallenge({ url, body, headers, onText }: PutChallengeOptions): Promise<Exchange> {
  const all = {
    ...callerHeaders,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    ...headers,
  };
  return exchange(url, { timeoutMs: CALLER_TIMEOUT_MS, onText }, (signal) =>
    request(url, { method: 'POST', headers: all, agent: false, signal }).end(body),
  );
}

/** Asks `GET /availability` as callers do before. Errors as `putChallenge`. */
export function askAvailability(server: URL): Promise<Exchange> {
  const url = new URL('/availability', server);
  return exchange(url, { timeoutMs: AVAILABILITY_TIMEOUT_MS }, (signal) =>
    request(url, { headers: callerHeaders, agent: false, signal }).end(),
  );
}

async function exchange(
  url: URL,
  { timeoutMs, onText }: { readonly timeoutMs: number; readonly onText?: PutChallengeOptions['onText'] },
  send: (signal: AbortSignal) => ClientRequest,
): Promise<Exchange> {
  const signal = AbortSignal.timeout(timeoutMs);
  const startMs = performance.now();
  const elapsedMs = () => performance.now() - startMs;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      send(signal).once('response', resolve).on('error', reject);
    });
    const firstByteMs = elapsedMs();
    let wireBytes = 0;
    response.on('data', (chunk: Buffer) => {
      wireBytes += chunk.length;
    });
    const decoder = new TextDecoder();
    const chunks: Buffer[] = [];
    for await (const chunk of unpacked(response)) {
      chunks.push(chunk);
      onText?.(decoder.decode(chunk, { stream: true }), elapsedMs(), response.headers['content-type'] ?? '');
    }
    const { statusCode: status = 0, headers } = response;
    return { status, headers, firstByteMs, totalMs: elapsedMs(), wireBytes, body: Buffer.concat(chunks) };
  } catch (cause) {
    const place = `${url.origin} (${url.pathname})`;
    if (signal.aborted) {
      throw new TikitakaError('ERR_SERVER_TIMEOUT', `${place} did not answer within ${timeoutMs / 1000} s`, { cause });
    }
    const why = cause instanceof Error ? cause.message || String('code' in cause ? cause.code : cause) : String(cause);
    throw new TikitakaError('ERR_SERVER_CONNECT', `${place} does not answer: ${why}`, { cause });
  }
}

function unpacked(response: IncomingMessage): Readable {
  const coding = response.headers['content-encoding'];
  const unpack = coding === 'gzip' ? createGunzip() : coding === 'deflate' ? createInflate() : undefined;
  // The iteration over its end throws what went wrong on the way.
  return unpack ? pipeline(response, unpack, () => undefined) : response;
}
