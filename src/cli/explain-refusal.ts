/** An answer that was none, as far as a caller sees it. */
export interface Refusal {
  readonly status: number;
  /** Stable code, where the server gives one. */
  readonly code?: string | undefined;
  readonly detail: string;
  /** Who signed; undefined: nobody. */
  readonly caller: string | undefined;
  readonly addressed: string | undefined;
  /** The server's clock against ours, where it tells it, s. */
  readonly clockOffS: number | undefined;
}

type Explanation = readonly [applies: (refusal: Refusal) => boolean, text: (refusal: Refusal) => string];

/** A server's `Date` has whole seconds; beyond this the clocks differ. Callers' nonces may be off by 120 s (docs/protocol.md §1). */
const NOTABLE_S = 5;

/** In words that name the cure; the callers' texts are those of docs/protocol.md §1. The first that applies counts. */
const explanations: readonly Explanation[] = [
  [
    ({ status, caller }) => status === 422 && caller === undefined,
    () =>
      'the server wants signed challenges: sign with --wallet and --hotkey, or --key (or start the server with AUTH=off)',
  ],
  [
    ({ detail }) => detail.includes('not found in metagraph'),
    ({ caller }) =>
      `the server does not know ${caller}: AUTH=static takes who is in ALLOWED_HOTKEYS, AUTH=chain who is registered in its subnet`,
  ],
  [
    ({ detail }) => detail.startsWith('Insufficient stake'),
    () => 'the server wants more stake of callers (MIN_STAKE_THRESHOLD)',
  ],
  [
    ({ detail }) => detail.includes('nonce'),
    ({ clockOffS: off }) =>
      off !== undefined && Math.abs(off) > NOTABLE_S
        ? `the clocks differ: the server's is ${Math.abs(off).toFixed(0)} s ${off > 0 ? 'ahead' : 'behind'}, and 120 s are allowed`
        : 'the nonce was used before or is older than 120 s on the server’s clock',
  ],
  [
    ({ detail }) => detail.includes("that's not me"),
    ({ addressed }) =>
      `the challenge was for ${addressed}, which is not the server's own hot key (its log and \`tikitaka doctor\` name it): --miner-hotkey`,
  ],
  [
    ({ detail }) => detail.includes('invalid signature'),
    () => 'the signature does not fit: another key than the address says, or the body was changed on the way (a proxy)',
  ],
  [
    ({ code }) => code === 'ERR_BUSY',
    () => 'it answers another challenge (MAX_CONCURRENT_CHALLENGES); callers do not ask twice',
  ],
  [
    ({ code }) => code === 'ERR_CHAIN_UNAVAILABLE',
    () => 'the server has no view of the metagraph yet: who may call is not known',
  ],
  [
    ({ code }) => code === 'ERR_BUDGET_EMPTY',
    () =>
      'nothing was found within TIME_BUDGET_S: connect beforehand (PREWARM_ORIGINS), or `tikitaka diagnose` the link',
  ],
  [
    ({ code = '' }) => /^ERR_SOURCE_/.test(code),
    () => 'the server could not read the link: `tikitaka diagnose` it from there',
  ],
  [
    ({ status }) => status === 404 || status === 405,
    () => 'no such route: is this a Tikitaka server, and the path right (--to)?',
  ],
  [({ status }) => status >= 300 && status < 400, () => 'a redirect, which callers do not follow'],
];

/** Why a challenge was refused and what would change that; empty where nothing is known. */
export function explainRefusal(refusal: Refusal): string {
  return explanations.find(([applies]) => applies(refusal))?.[1](refusal) ?? '';
}
