/**
 * How near a foreign name must come to one of ours before it is taken for a slip: `file`, whatever resembles it, since what stands in
 * a `.env` was meant for us; `environment`, only what can hardly be anything else, since a shell holds names of many programs.
 */
export type Closeness = 'file' | 'environment';

/** Names that begin so mean a wallet or a chain, whatever follows: none of them may be passed over. */
const identityPrefixes = ['NETUID', 'SUBTENSOR', 'WALLET', 'HOTKEY', 'BITTENSOR'] as const;

/** Letters that a slip may cost at most, by the length of the shorter name. Chosen: less than another word in the place of one (WALLET_PATH, WALLET_NAME: 3). */
const fileSlips = (length: number) => (length < 6 ? 1 : length < 12 ? 2 : 3);
const environmentSlips = (length: number) => (length < 6 ? 0 : length < 12 ? 1 : 2);

export interface Slip<K extends string> {
  /** The one of ours that was probably meant. */
  readonly nearest: K;
  /** For people. Tells no value: it may be a secret. */
  readonly text: string;
}

/** Names with a value that were probably meant to be one of `ours`: of a `.env` where `path` names one, else of the environment. */
export function slipsIn<K extends string>(
  record: Readonly<Record<string, string | undefined>>,
  ours: readonly K[],
  { path }: { readonly path?: string | undefined } = {},
): Slip<K>[] {
  const place = path ?? 'the environment';
  return Object.keys(record).flatMap((name) => {
    const nearest = record[name]?.trim() ? nearestName(name, ours, path ? 'file' : 'environment') : undefined;
    return nearest
      ? [{ nearest, text: `${name} in ${place} is no variable of ours, ${nearest} is: rename or remove it` }]
      : [];
  });
}

/** The one of `ours` that `name` was probably meant to be; undefined where it resembles none, or is one. */
export function nearestName<K extends string>(
  name: string,
  ours: readonly K[],
  closeness: Closeness = 'file',
): K | undefined {
  if ((ours as readonly string[]).includes(name)) return undefined;
  const upper = closeness === 'file' ? name.toUpperCase() : name;
  const slips = closeness === 'file' ? fileSlips : environmentSlips;
  const byDistance = ours
    .map((own) => ({ own, distance: slipsBetween(upper, own) }))
    .sort((a, b) => a.distance - b.distance);
  const [nearest] = byDistance;
  if (nearest && nearest.distance <= slips(Math.min(upper.length, nearest.own.length))) return nearest.own;
  if (closeness === 'environment') return undefined;
  const related = byDistance.filter(({ own }) => areRelated(upper, own)).map(({ own }) => own);
  const family = identityPrefixes.find((prefix) => upper.startsWith(`${prefix}_`));
  return related[0] ?? byDistance.find(({ own }) => family && own.startsWith(family))?.own;
}

/** `TIME_BUDGET` begins like TIME_BUDGET_S; `BT_WALLET_NAME` and `WALLET_PATH` hold, or are held by, two words or more of one of ours. */
function areRelated(name: string, own: string): boolean {
  if (own.startsWith(`${name}_`)) return true;
  const [words, ownWords] = [name.split('_'), own.split('_')];
  const [fewer, more] = words.length < ownWords.length ? [words, ownWords] : [ownWords, words];
  return fewer.length > 1 && fewer.every((word) => more.includes(word));
}

/** Letters changed, left out, added or exchanged with their neighbour (optimal string alignment distance). */
function slipsBetween(a: string, b: string): number {
  let twoBefore: number[] = [];
  let before = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (before[j - 1] ?? 0) + (same ? 0 : 1));
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (exchanged) least = Math.min(least, (twoBefore[j - 2] ?? 0) + 1);
      row.push(least);
    }
    twoBefore = before;
    before = row;
  }
  return before[b.length] ?? 0;
}
