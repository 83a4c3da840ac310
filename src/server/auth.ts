import type { IncomingHttpHeaders } from 'node:http';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { type PythonJsonStyle, toPythonJson } from './canonical-json.js';
import { decodeJson } from './json-body.js';
import { createNonceStore, type NonceStore } from './nonce-store.js';
import { type SignedField, type SigningScheme, soccerSigning } from './signing.js';

/** Someone who may call: as the metagraph or the allow-list has it. */
export interface Member {
  /** sr25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Root stake in TAO, unweighted. Only read in mode `chain`. */
  readonly taoStake: number;
}

export interface SignedAuthOptions {
  /** `chain`: members are judged by stake too; `static`: being on the list is enough. */
  readonly mode: 'chain' | 'static';
  /** ss58 address (prefix 42) that callers must have addressed. */
  readonly ownHotkey: string;
  /** Looks a caller's ss58 address up, exactly as written (so another prefix of the same key is unknown). May throw ERR_CHAIN_UNAVAILABLE. */
  readonly findMember: (hotkey: string) => Member | undefined;
  /** sr25519 with context `substrate` over raw bytes; `signature` has 64 bytes. May throw on malformed input: that counts as false. */
  readonly verifySignature: (message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) => boolean;
  /** Mode `chain`: least root stake in TAO. Default 1000 (docs/protocol.md §4). */
  readonly minStakeTao?: number;
  /** Default a new store on the wall clock. */
  readonly nonces?: NonceStore;
  /** How callers sign. Default that of `POST /soccer/challenge`. */
  readonly scheme?: SigningScheme;
}

export type AuthOptions = SignedAuthOptions | { readonly mode: 'off' };

/** One request on its way through the checks. */
export interface AuthSession {
  /** The caller's hot key; `anonymous` in mode `off`. */
  readonly caller: string;
  /** Checks the signature over `body` (undefined: a request without one), takes the nonce, checks that we are meant. Throws ERR_UNAUTHENTICATED. */
  verify(body: Uint8Array | undefined): void;
}

/** Who may put a challenge (docs/protocol.md §1). Replace it as a whole where callers sign in another way. */
export interface Auth {
  readonly mode: 'chain' | 'static' | 'off';
  /**
   * The checks that need no body, cheapest first: headers, membership, stake, nonce. Throws ERR_HEADERS_MISSING,
   * ERR_FORBIDDEN, ERR_UNAUTHENTICATED, ERR_CHAIN_UNAVAILABLE; the message is the `detail` that callers expect.
   */
  open(headers: IncomingHttpHeaders): AuthSession;
}

const fields = ['caller', 'addressed', 'nonce', 'signature'] as const;
const signatureForm = /^0x[0-9a-fA-F]{128}$/;
/** Longest body of which other forms are tried (chosen: ids and dates are short, a link may take 8 KiB; real bodies are below 1 KiB). */
const maxRestyledBytes = 12_288;
const restyled: readonly PythonJsonStyle[] = ['default', 'compact'];

/** Throws ERR_OPTION when called with an own hot key or least stake that cannot be. */
export function createAuth(options: AuthOptions): Auth {
  if (options.mode === 'off') {
    return { mode: 'off', open: () => ({ caller: 'anonymous', verify: () => undefined }) };
  }
  const { mode, ownHotkey, findMember, verifySignature, minStakeTao = 1000 } = options;
  const { nonces = createNonceStore(), scheme = soccerSigning } = options;
  if (ownHotkey === '') throw new OptionError('ownHotkey must be an ss58 address');
  if (!(minStakeTao >= 0)) throw new OptionError('minStakeTao must be 0 or more', { minStakeTao });

  const judgeCaller = (hotkey: string): Member => {
    const member = findMember(hotkey);
    if (!member) throw forbidden('Hotkey not found in metagraph', 'unknown hot key');
    if (mode === 'chain' && !(member.taoStake >= minStakeTao)) {
      const text = `Insufficient stake of ${pythonFloat(member.taoStake)} - minimum is ${minStakeTao}  `;
      throw forbidden(text, 'stake');
    }
    return member;
  };
  return {
    mode,
    open(headers) {
      const { caller, addressed, nonce, signature } = readHeaders(headers, scheme);
      const { publicKey } = judgeCaller(caller);
      if (!nonces.accepts(nonce)) throw badNonce();
      const isSigned = (body: Uint8Array | undefined) => {
        if (!signatureForm.test(signature)) return false;
        const bytes = Buffer.from(signature.slice(2), 'hex');
        for (const form of signedForms(body)) {
          const message = scheme.message({ nonce, addressed, body: form });
          if (safely(() => verifySignature(message, bytes, publicKey))) return true;
        }
        return false;
      };
      return {
        caller,
        verify(body) {
          if (!isSigned(body)) {
            throw unauthenticated("Oi, invalid signature, you're not who you said you were!", 'signature');
          }
          // Only now, and in the same tick: a stranger must not be able to fill the store or to burn a caller's nonce.
          const taken = nonces.use(nonce);
          if (taken === 'full') throw new TikitakaError('ERR_BUSY', 'Too many requests', { retryable: true });
          if (taken === 'invalid') throw badNonce();
          if (addressed !== ownHotkey)
            throw unauthenticated("Oi, invalid miner hotkey - that's not me!", 'another miner meant');
        },
      };
    },
  };
}

/** What the caller may have signed for this body, most likely first and made only when asked for (httpx ≥ 0.28 rewrites what it sends). */
function* signedForms(body: Uint8Array | undefined): Generator<Uint8Array | undefined> {
  yield body;
  // No caller's challenge is that long, and forging one must not cost us more than sending it costs.
  const text = body && body.length <= maxRestyledBytes && safely(() => decodeJson(body).text);
  if (!text) return;
  for (const style of restyled) {
    const other = toPythonJson(text, style);
    if (other !== text) yield Buffer.from(other);
  }
}

function readHeaders(headers: IncomingHttpHeaders, scheme: SigningScheme): Record<SignedField, string> {
  const read = (field: SignedField) =>
    scheme.headers[field].map((name) => headers[name]).find((value) => typeof value === 'string');
  const [caller, addressed, nonce, signature] = fields.map(read);
  if (caller !== undefined && addressed !== undefined && nonce !== undefined && signature !== undefined) {
    return { caller, addressed, nonce, signature };
  }
  const missing = fields.filter((field) => read(field) === undefined).map((field) => scheme.headers[field][0]);
  throw new TikitakaError('ERR_HEADERS_MISSING', 'Field required', { details: { missing } });
}

function badNonce(): TikitakaError {
  return unauthenticated('Oi, that nonce is not valid!', 'nonce');
}

/** `reason` is for our own log and page: the callers' words are fixed by the protocol. */
function unauthenticated(detail: string, reason: string): TikitakaError {
  return new TikitakaError('ERR_UNAUTHENTICATED', detail, { details: { reason } });
}

function forbidden(detail: string, reason: string): TikitakaError {
  return new TikitakaError('ERR_FORBIDDEN', detail, { details: { reason } });
}

/** A throw means "does not verify", never a 500: implementations differ in what they throw on malformed points. */
function safely<T>(attempt: () => T): T | false {
  try {
    return attempt();
  } catch {
    return false;
  }
}

/** As Python's `str(float)`: what callers' logs show for a stake (5000.0, 1e-05). */
export function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
