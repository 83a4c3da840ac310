import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { TikitakaError } from '../../operators/index.js';
import { bareHost, type LinkPolicy, openWith } from './link-policy.js';
import { within } from './within.js';

/** What setting a connection up has cost, ms; 0 for a step that was not needed. */
export interface SetUpTimes {
  readonly dnsMs: number;
  readonly tcpMs: number;
  readonly tlsMs: number;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Name → addresses. Default: the system's resolver (`getaddrinfo`, so `/etc/hosts` counts). */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface DialOptions {
  readonly policy: LinkPolicy;
  readonly resolve: Resolve;
  readonly secureContext: SecureContext | undefined;
  /** Bound on the look-up, and again on the TCP connection, ms. */
  readonly connectTimeoutMs: number;
  /** Bound on the TLS handshake, ms: the peer answers by then, so this is reading, and a cold CDN may take seconds. */
  readonly readTimeoutMs: number;
  readonly signal: AbortSignal;
  /** Hears of each step when it is done: a dial that fails later does not tell what it took until then. */
  readonly onStep?: (step: DialStep, ms: number) => void;
}

export type DialStep = 'DNS look-up' | 'TCP connection' | 'TLS handshake';

/** An open socket and the protocol that ALPN agreed upon. */
export interface Dialled {
  readonly socket: Socket | TLSSocket;
  readonly httpVersion: '1.1' | '2';
  readonly setUp: SetUpTimes;
  /** Absent on plain http. `alpn`: what the server chose, where it chose at all. */
  readonly tls?: { readonly version: string; readonly alpn: string | undefined };
}

export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

/**
 * Opens one connection to an origin. The addresses are resolved once, judged by the policy and dialled as judged, so that a
 * name which resolves differently a moment later (DNS rebinding) gains nothing.
 * Errors: ERR_SOURCE_REFUSED, ERR_SOURCE_CONNECT, ERR_ABORTED.
 */
export async function dial(origin: URL, options: DialOptions): Promise<Dialled> {
  const { policy, resolve, secureContext, connectTimeoutMs, readTimeoutMs, signal, onStep } = options;
  const host = bareHost(origin);
  const begun = performance.now();
  const addresses = (await look()).filter(({ address }) => policy.allowsAddress(address));
  if (addresses.length === 0) {
    throw new TikitakaError('ERR_SOURCE_REFUSED', `Refused link: ${host} has no public address${openWith}`, {
      details: { reason: 'no public address', host },
    });
  }
  const resolved = performance.now();
  onStep?.('DNS look-up', resolved - begun);
  const socket = connectTcp({
    host,
    port: Number(origin.port) || (origin.protocol === 'https:' ? 443 : 80),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
    lookup: fixedLookup(addresses),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.max(250, connectTimeoutMs / 4),
  });
  await ready(socket, 'connect', 'TCP connection', connectTimeoutMs);
  const connected = performance.now();
  onStep?.('TCP connection', connected - resolved);
  const setUp = { dnsMs: resolved - begun, tcpMs: connected - resolved, tlsMs: 0 };
  if (origin.protocol === 'http:') return { socket, httpVersion: '1.1', setUp };

  const secure = connectTls({
    socket,
    host,
    ...(isIP(host) ? {} : { servername: host }),
    ALPNProtocols: ['h2', 'http/1.1'],
    ...(secureContext ? { secureContext } : {}),
  });
  await ready(secure, 'secureConnect', 'TLS handshake', readTimeoutMs);
  const tlsMs = performance.now() - connected;
  onStep?.('TLS handshake', tlsMs);
  const httpVersion = secure.alpnProtocol === 'h2' ? '2' : '1.1';
  const tls = { version: secure.getProtocol() ?? 'unknown', alpn: secure.alpnProtocol || undefined };
  return { socket: secure, httpVersion, setUp: { ...setUp, tlsMs }, tls };

  function look(): Promise<readonly ResolvedAddress[]> {
    if (isIP(host)) return Promise.resolve([{ address: host, family: isIP(host) }]);
    return bounded(resolve(host), 'DNS look-up', connectTimeoutMs);
  }

  /** Settles with the socket's event, its error, the time limit or the signal; in all but the first case the socket is gone. */
  async function ready(socket: Socket, event: 'connect' | 'secureConnect', step: DialStep, timeoutMs: number) {
    const opened = new Promise<void>((resolve, reject) => {
      socket.once(event, resolve).once('error', reject).once('close', reject);
    });
    try {
      await bounded(opened, step, timeoutMs);
    } catch (error) {
      socket.on('error', () => {}).destroy();
      throw error;
    }
  }

  async function bounded<T>(work: Promise<T>, step: DialStep, timeoutMs: number): Promise<T> {
    const what = `${step} to ${host}`;
    const late = () =>
      new TikitakaError('ERR_SOURCE_CONNECT', `${what} took longer than ${timeoutMs} ms`, {
        retryable: true,
        details: { step, timeoutMs },
      });
    try {
      return await within(work, { signal, limit: { timeoutMs, late } });
    } catch (error) {
      throw error instanceof TikitakaError ? error : connectError(what, step, error);
    }
  }
}

/** Names and certificates do not mend themselves within a challenge; everything else may pass. */
const LASTING = /^(ENOTFOUND|CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

function connectError(what: string, step: string, cause: unknown): TikitakaError {
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : 'closed by the other side';
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return new TikitakaError('ERR_SOURCE_CONNECT', `${what} failed: ${reason}`, {
    cause,
    retryable: code === undefined || !LASTING.test(code),
    details: { step, ...(code === undefined ? {} : { code }) },
  });
}

function fixedLookup(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, { all }, callback) => {
    const [first] = addresses;
    if (all || first === undefined) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}
