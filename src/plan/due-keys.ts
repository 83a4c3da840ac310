import { bisectionOrder, evenly, type Gop, splitIntoShots } from './gops.js';
import type { Ledger, Spacing, Stretch } from './ledger.js';
import { loadOf, type Means } from './round.js';
import { mostMissedFirst, spreadOver } from './spread.js';

/** Load at which all keyframes can be paid for with ease. Chosen. */
const EASE = 0.5;
/** Keyframes up to which the best choice of some is computed; of more, an even one is as good. Chosen: some 5 ms. */
const MOST_WEIGHED = 64;
/** Keyframes that are spread over the clip before the others are read in order. Chosen: 33 halve the clip five times. */
const SPREAD_KEYS = 33;

export interface Keyframes {
  readonly gops: readonly Gop[];
  /** One per GOP. */
  readonly stretches: readonly Stretch[];
  readonly ledger: Ledger;
  /** Only frames whose number is a multiple of it are wanted. */
  readonly step: number;
  /** The spacing that takes of each GOP its first wanted frame. */
  readonly keyOnly: Spacing;
}

/**
 * Keyframes that come next: as many of those still to be seen as can be paid for, spread so that filling loses least. Where all
 * can be with ease they are read in the order of the file, once a few are spread over the clip; else those most missed first.
 */
export function dueKeys(keyframes: Keyframes, means: Means): Stretch[] {
  const { stretches, ledger, keyOnly } = keyframes;
  const pending = stretches.filter((stretch) => ledger.visitOf(stretch, keyOnly).keep.length > 0);
  if (ledger.visitedCount === 0) return pending.slice(0, 1);
  const { choose, inOrder } = choiceOf(pending, keyframes);
  const loadOfKeys = (count: number) => loadOf(ledger.workOfAll(choose(count), keyOnly), means);
  let low = 0;
  let high = pending.length;
  for (let count = high; low < high; count = (low + high + 1) >> 1) {
    if (loadOfKeys(count) <= 1) low = count;
    else high = count - 1;
  }
  const hasEase = low === pending.length && loadOfKeys(low) <= EASE;
  if (hasEase && ledger.visitedCount > SPREAD_KEYS) return pending;
  return inOrder(choose(hasEase ? Math.min(low, SPREAD_KEYS) : low));
}

interface Choice {
  /** So many of the keyframes still to be seen. */
  choose(count: number): readonly Stretch[];
  inOrder(due: readonly Stretch[]): Stretch[];
}

function choiceOf(pending: readonly Stretch[], { gops, ledger, step, keyOnly }: Keyframes): Choice {
  if (gops.length > MOST_WEIGHED) {
    return {
      choose: (count) => evenly(pending, count),
      inOrder: (due) => bisectionOrder(due.length).flatMap((place) => due[place] ?? []),
    };
  }
  const frameOf = (stretch: Stretch) => ledger.visitOf(stretch, keyOnly).keep[0] ?? -1;
  const byFrame = new Map(pending.map((stretch) => [frameOf(stretch), stretch]));
  const stretchesOf = (frames: readonly number[]) => frames.flatMap((frame) => byFrame.get(frame) ?? []);
  const shots = splitIntoShots(gops).map((shot) => ({
    firstFrame: shot[0]?.firstFrame ?? 0,
    endFrame: shot.at(-1)?.endFrame ?? 0,
    keys: shot
      .map(({ firstFrame }) => Math.ceil(firstFrame / step) * step)
      .map((frame) => ({ frame, visited: ledger.isVisited(frame) }))
      .filter(({ frame, visited }) => visited || byFrame.has(frame)),
  }));
  const spread = spreadOver(shots);
  return {
    choose: (count) => stretchesOf(spread(count)),
    inOrder: (due) => stretchesOf(mostMissedFirst(shots, due.map(frameOf))),
  };
}
