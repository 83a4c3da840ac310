import { createHash, randomInt } from 'node:crypto';

/** The four things that a signed request says of itself. */
export type SignedField = 'caller' | 'addressed' | 'nonce' | 'signature';

/**
 * How callers sign: one value for those who check (`createAuth`) and those who sign (`signRequest`). Another protocol is another value:
 * its header names, its nonce, its message.
 */
export interface SigningScheme {
  /** Names of the header of each field, lower case; where there are several, all of them are sent and the first that is there is read. */
  readonly headers: Readonly<Record<SignedField, readonly [string, ...string[]]>>;
  /** A nonce that nobody has used yet, for a moment in ms since 1970. */
  newNonce(nowMs: number): string;
  /** The bytes that are signed; `body` undefined: a request without one. */
  message(parts: SignedParts): Uint8Array;
}

export interface SignedParts {
  readonly nonce: string;
  /** ss58 address of the server that is meant. */
  readonly addressed: string;
  readonly body: Uint8Array | undefined;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Of `POST /soccer/challenge` (docs/protocol.md §1): `nonce:miner_hotkey[:sha256 of the body]` as UTF-8. */
export const soccerSigning: SigningScheme = {
  headers: {
    caller: ['validator-hotkey'],
    addressed: ['miner-hotkey'],
    nonce: ['nonce'],
    signature: ['signature'],
  },
  newNonce(nowMs) {
    const random = Array.from({ length: 10 }, () => letters[randomInt(letters.length)]).join('');
    return `${BigInt(Math.round(nowMs * 1000)) * 1000n}_${random}`;
  },
  message({ nonce, addressed, body }) {
    const parts = body ? [nonce, addressed, createHash('sha256').update(body).digest('hex')] : [nonce, addressed];
    return Buffer.from(parts.join(':'));
  },
};

export interface SignRequestOptions {
  readonly scheme: SigningScheme;
  /** ss58 address of who signs. */
  readonly caller: string;
  readonly addressed: string;
  /** Exactly the bytes that are sent. */
  readonly body: Uint8Array | undefined;
  /** ms since 1970. */
  readonly nowMs: number;
  /** sr25519 with context `substrate` over raw bytes; 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** The headers that make a request a signed one. */
export function signRequest({
  scheme,
  caller,
  addressed,
  body,
  nowMs,
  sign,
}: SignRequestOptions): Record<string, string> {
  const nonce = scheme.newNonce(nowMs);
  const signature = `0x${Buffer.from(sign(scheme.message({ nonce, addressed, body }))).toString('hex')}`;
  const values: Readonly<Record<SignedField, string>> = { caller, addressed, nonce, signature };
  const fields = ['caller', 'addressed', 'nonce', 'signature'] as const;
  return Object.fromEntries(fields.flatMap((field) => scheme.headers[field].map((name) => [name, values[field]])));
}
