import { createSecureContext } from 'node:tls';
import { TikitakaError } from '../../../operators/index.js';
import {
  createTransport,
  type DialStep,
  dial,
  directLink,
  type LinkPolicy,
  linkSignals,
  type RangeAnswer,
  readRangeAnswer,
  systemResolve,
  type TransportResponse,
} from '../../net/index.js';
import { StageError } from './run-stage.js';
import type { Stage } from './schema.js';

export interface LinkProbeOptions {
  readonly target: string;
  readonly policy: LinkPolicy;
  /** PEM certificates trusted instead of the usual ones. */
  readonly ca?: string | undefined;
  readonly connectTimeoutMs: number;
  /** Longest wait for the peer's next byte, ms. */
  readonly readTimeoutMs: number;
}

/** One connection of its own, outside of any pool, with what setting it up took. */
export interface ProbedLink {
  readonly httpVersion: '1.1' | '2';
  readonly tls?: { readonly version: string; readonly alpn: string | undefined };
  readonly steps: ReadonlyMap<DialStep, number>;
  readonly closed: boolean;
  /** We broke a body off, which ends a connection of HTTP/1.1: that it is closed says nothing about the server. */
  readonly brokenOff: boolean;
  /** How long it has been idle, or had been when it was closed, ms. */
  readonly idleMs: number;
  /** Sends a ranged GET for the first `bytes` of the file. Errors: ERR_SOURCE_*. */
  ask(bytes: number, signal: AbortSignal): Promise<ProbedAnswer>;
  close(): Promise<void>;
}

export interface ProbedAnswer {
  readonly firstByteMs: number;
  /** Where the server sent us on to; nothing else is known then. */
  readonly redirect: URL | undefined;
  readonly range: RangeAnswer | undefined;
  readonly keepAliveS: number | undefined;
  /** Takes the body up to the bytes that were asked for; the answer is how many came, and in which time from the headers on. */
  read(): Promise<{ readonly bytes: number; readonly ms: number }>;
  cancel(): void;
}

/** A body behind the wanted bytes is read away up to this size, which saves a connection of HTTP/1.1. Chosen. */
const READ_AWAY_BYTES = 8_000_000;

export interface LinkProbe {
  readonly url: URL;
  /** Connects anew. A step that fails is a StageError; `onStep` has heard of those before it. */
  connect(url: URL, signal: AbortSignal, onStep: (step: DialStep, ms: number) => void): Promise<ProbedLink>;
}

/** Throws ERR_SOURCE_REFUSED for what is no http(s) link. */
export function createLinkProbe(options: LinkProbeOptions): LinkProbe {
  const { target, policy, ca, connectTimeoutMs, readTimeoutMs } = options;
  const secureContext = ca === undefined ? undefined : createSecureContext({ ca });
  return {
    url: directLink(policy.checkUrl(target)),
    async connect(link, signal, onStep) {
      const url = policy.checkUrl(link);
      const steps = new Map<DialStep, number>();
      let failing: Stage = 'DNS look-up';
      const dialled = await dial(url, {
        policy,
        resolve: systemResolve,
        secureContext,
        connectTimeoutMs,
        readTimeoutMs,
        signal,
        onStep(step, ms) {
          steps.set(step, ms);
          failing = step === 'DNS look-up' ? 'TCP connection' : 'TLS handshake';
          onStep(step, ms);
        },
      }).catch((error: unknown) => {
        throw error instanceof TikitakaError ? new StageError(failing, error.code, error.message, error) : error;
      });
      let usedAtMs = performance.now();
      let closedAtMs: number | undefined;
      let brokenOff = false;
      const transport = createTransport(url, dialled, () => {
        closedAtMs ??= performance.now();
      });
      return {
        httpVersion: dialled.httpVersion,
        ...(dialled.tls ? { tls: dialled.tls } : {}),
        steps,
        get closed() {
          return transport.closed;
        },
        get brokenOff() {
          return brokenOff;
        },
        get idleMs() {
          return (closedAtMs ?? performance.now()) - usedAtMs;
        },
        async ask(bytes, asking) {
          const stop = linkSignals(asking);
          const headers = { 'user-agent': 'tikitaka', 'accept-encoding': 'identity', range: `bytes=0-${bytes - 1}` };
          const request = { path: url.pathname + url.search, headers, stop, readTimeoutMs };
          const response = await transport.get(request, () => {
            usedAtMs = performance.now();
            stop.unlink();
          });
          return probedAnswer(response, {
            url,
            wanted: bytes,
            onBreak: () => {
              brokenOff = true;
            },
          });
        },
        close: () => transport.close(),
      };
    },
  };
}

interface Asked {
  readonly url: URL;
  /** Bytes from the start of the file. */
  readonly wanted: number;
  readonly onBreak: () => void;
}

function probedAnswer(response: TransportResponse, { url, wanted, onBreak }: Asked): ProbedAnswer {
  const { status, headers, firstByteMs, body, cancel } = response;
  const { location } = headers;
  const redirects = [301, 302, 303, 307, 308].includes(status) && location !== undefined;
  let range: RangeAnswer | undefined;
  try {
    range = redirects ? undefined : readRangeAnswer(status, headers);
  } catch (error) {
    cancel();
    throw error;
  }
  const announced = /timeout=(\d+)/.exec(String(headers['keep-alive'] ?? ''))?.[1];
  return {
    firstByteMs,
    redirect: redirects && URL.canParse(location, url.href) ? new URL(location, url) : undefined,
    range,
    keepAliveS: announced === undefined ? undefined : Number(announced),
    cancel,
    async read() {
      const startMs = performance.now();
      const readAway = (range?.sizeBytes ?? Number.POSITIVE_INFINITY) <= READ_AWAY_BYTES;
      let bytes = 0;
      let ms = 0;
      for await (const chunk of body) {
        if (bytes < wanted) ms = performance.now() - startMs;
        bytes += chunk.length;
        if (bytes < wanted || readAway || bytes >= (range?.end ?? Number.POSITIVE_INFINITY)) continue;
        onBreak();
        break;
      }
      return { bytes: Math.min(bytes, wanted), ms };
    },
  };
}
