/** What tells persons apart beside their place. */
export interface Looks {
  /** P(goalkeeper), P(player), P(referee). */
  readonly roles: readonly [number, number, number];
  /** Shirt colour as in `Bodies.kits`; undefined where not known. */
  readonly kit: readonly [number, number, number] | undefined;
  /** Height of the box in metres. */
  readonly heightM: number;
}

/** How often each role is seen: goalkeeper, player, referee. From the labels of data/football. */
const ROLE_SHARE = [0.04, 0.86, 0.1] as const;
/** Spread of one shirt's colour from sample to sample. Measured on rendered and labelled clips: half of the pairs below 12. */
const KIT_SPREAD = 14;
/** Spread of a box's height, log: runners bend and stretch. */
const HEIGHT_SPREAD = 0.2;

/** What `likeness` gives at most. */
export const MOST_LIKENESS = 2.4;

/** Log odds that two sights show one person, from role, shirt and size; bounded, so that they tip the balance but bridge no distance. */
export function likeness(a: Looks, b: Looks): number {
  let same = 1e-6;
  for (let r = 0; r < 3; r++) same += (a.roles[r] * b.roles[r]) / ROLE_SHARE[r];
  const role = Math.min(1.5, Math.max(-2, Math.log(same)));
  const size = Math.log(a.heightM / b.heightM) / HEIGHT_SPREAD;
  return role + kitOdds(a.kit, b.kit) - Math.min(2, (size * size) / 2);
}

function kitOdds(a: Looks['kit'], b: Looks['kit']): number {
  if (!a || !b) return 0;
  const square = (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
  return Math.max(-4, 0.9 - 1.2 * Math.log(1 + square / KIT_SPREAD ** 2));
}
