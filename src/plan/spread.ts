import { lossBetween, lossHeld } from './fill.js';

/** A frame that can be read on its own. */
export interface KeyPlace {
  readonly frame: number;
  readonly visited: boolean;
}

/** Frames `[firstFrame, endFrame)` that show one camera's view, with their keyframes in order. */
export interface Shot {
  readonly firstFrame: number;
  readonly endFrame: number;
  readonly keys: readonly KeyPlace[];
}

/** For each number of further keyframes the least loss, and which ones they are. */
interface Choices {
  readonly losses: readonly number[];
  readonly frames: readonly (readonly number[])[];
}

/**
 * Which keyframes to read so that filling all other frames costs least, for every number of them: a frame is filled from
 * both sides within its shot, never across its ends. Returns frame numbers, ascending; fewer where there are no more.
 * Exact (dynamic programming over the keyframes of a shot, then over the shots).
 */
export function spreadOver(shots: readonly Shot[]): (count: number) => readonly number[] {
  let all: Choices = { losses: [0], frames: [[]] };
  for (const shot of shots) all = combine(all, choicesIn(shot));
  return (count) => all.frames[Math.min(count, all.frames.length - 1)] ?? [];
}

function choicesIn({ firstFrame, endFrame, keys }: Shot): Choices {
  const free = keys.filter(({ visited }) => !visited).length;
  /** `best[i][n]`: least loss of the frames before key i, if it is the last one read and n of those read are new. */
  const best: { loss: number; before: number }[][] = [];
  const lossAt = (i: number, n: number) => best[i]?.[n]?.loss ?? Number.POSITIVE_INFINITY;
  for (const [i, { frame, visited }] of keys.entries()) {
    const own = visited ? 0 : 1;
    const row = Array.from({ length: free + 1 }, () => ({ loss: Number.POSITIVE_INFINITY, before: -1 }));
    best.push(row);
    // What has been visited cannot be left out.
    for (let before = i - 1; before >= -1; before--) {
      const from = before < 0 ? firstFrame : (keys[before]?.frame ?? 0) + 1;
      const gap = (before < 0 ? lossHeld : lossBetween)(frame - from);
      for (let n = own; n <= free; n++) {
        const reached = (before < 0 ? (n === own ? 0 : Number.POSITIVE_INFINITY) : lossAt(before, n - own)) + gap;
        if (reached < (row[n]?.loss ?? 0)) row[n] = { loss: reached, before };
      }
      if (keys[before]?.visited) break;
    }
  }

  const lastVisited = keys.findLastIndex(({ visited }) => visited);
  const losses: number[] = [];
  const frames: number[][] = [];
  for (let n = 0; n <= free; n++) {
    let least = n === 0 && lastVisited < 0 ? endFrame - firstFrame : Number.POSITIVE_INFINITY;
    let last = -1;
    for (let i = Math.max(0, lastVisited); i < keys.length; i++) {
      const total = lossAt(i, n) + lossHeld(endFrame - 1 - (keys[i]?.frame ?? 0));
      if (total < least) [least, last] = [total, i];
    }
    const chosen: number[] = [];
    for (let i = last, left = n; i >= 0; ) {
      const { frame = 0, visited = false } = keys[i] ?? {};
      const before = best[i]?.[left]?.before ?? -1;
      if (!visited) {
        chosen.unshift(frame);
        left--;
      }
      i = before;
    }
    losses.push(least);
    frames.push(chosen);
  }
  return { losses, frames };
}

function combine(a: Choices, b: Choices): Choices {
  const most = a.losses.length + b.losses.length - 2;
  const losses: number[] = [];
  const frames: number[][] = [];
  for (let count = 0; count <= most; count++) {
    let least = Number.POSITIVE_INFINITY;
    let ofA = 0;
    for (let n = Math.max(0, count - b.losses.length + 1); n <= Math.min(count, a.losses.length - 1); n++) {
      const loss = (a.losses[n] ?? 0) + (b.losses[count - n] ?? 0);
      if (loss < least) [least, ofA] = [loss, n];
    }
    losses.push(least);
    frames.push([...(a.frames[ofA] ?? []), ...(b.frames[count - ofA] ?? [])]);
  }
  return { losses, frames };
}

/**
 * The same keyframes, those first without which filling would lose most: wherever reading stops, what was read is about as
 * good a choice of so many as there is. Found from behind: always the one goes that is missed least.
 */
export function mostMissedFirst(shots: readonly Shot[], chosen: readonly number[]): readonly number[] {
  const left = new Set(chosen);
  const reads = shots.map(({ keys }) =>
    keys.filter(({ frame, visited }) => visited || left.has(frame)).map(({ frame }) => frame),
  );
  const order: number[] = [];
  while (left.size > 0) {
    let least = { loss: Number.POSITIVE_INFINITY, shot: 0, place: 0 };
    for (const [shot, read] of reads.entries()) {
      for (const [place, frame] of read.entries()) {
        if (!left.has(frame)) continue;
        const [before, after] = [read[place - 1], read[place + 1]];
        const within = shots[shot] ?? { firstFrame: 0, endFrame: 0 };
        const loss = lossOf(within, before, after) - lossOf(within, before, frame) - lossOf(within, frame, after);
        if (loss < least.loss) least = { loss, shot, place };
      }
    }
    const [dropped = -1] = reads[least.shot]?.splice(least.place, 1) ?? [];
    left.delete(dropped);
    order.unshift(dropped);
  }
  return order;
}

/** What filling costs between two keyframes that are read; undefined = none before, or behind, within the shot. */
function lossOf(
  { firstFrame, endFrame }: Pick<Shot, 'firstFrame' | 'endFrame'>,
  before: number | undefined,
  after: number | undefined,
): number {
  if (before !== undefined && after !== undefined) return lossBetween(after - before - 1);
  if (before !== undefined) return lossHeld(endFrame - 1 - before);
  return after === undefined ? endFrame - firstFrame : lossHeld(after - firstFrame);
}
