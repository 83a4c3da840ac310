import { type ClipLimits, limitError, type Slices } from '../limits/index.js';
import { type Box, requireRoom } from './mp4-boxes.js';
import type { SampleTables } from './mp4-tables.js';
import { countUp, orderByTime } from './presentation-order.js';

/** One entry of an edit list, both times in ticks of the track. */
export interface Edit {
  readonly start: number;
  readonly duration: number;
}

export interface Presentation {
  /** Sample rows in presentation order. */
  readonly order: Int32Array;
  /** Presentation ticks of each, counted from the first. */
  readonly ticks: Float64Array;
}

export interface Timescales {
  readonly movie: number;
  readonly track: number;
}

/**
 * Edits of a track without its empty ones (`media_time` −1: they only delay the start). Durations are rescaled with
 * rounding to nearest, as libav does (`av_rescale` in mov.c's `get_edit_list_entry`), so that the same last frame is kept.
 */
export function readEdits(view: DataView, elst: Box, { movie, track }: Timescales, { maxEdits }: ClipLimits): Edit[] {
  requireRoom(elst, elst.body, 8);
  const wide = view.getUint8(elst.body) === 1;
  const count = view.getUint32(elst.body + 4);
  const size = wide ? 20 : 12;
  requireRoom(elst, elst.body + 8, size * count);
  if (count > maxEdits) throw limitError('maxEdits', count, maxEdits);
  const edits: Edit[] = [];
  for (let i = 0; i < count; i++) {
    const at = elst.body + 8 + size * i;
    const duration = wide ? view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4) : view.getUint32(at);
    const start = wide ? view.getInt32(at + 8) * 2 ** 32 + view.getUint32(at + 12) : view.getInt32(at + 4);
    if (start < 0) continue;
    // A duration of 0 says "to the end" (fragmented and still growing files write it).
    edits.push({ start, duration: duration === 0 ? Number.POSITIVE_INFINITY : Math.round((duration * track) / movie) });
  }
  return edits;
}

/**
 * Which samples a player shows, in which order: those whose presentation time lies in [start, start + duration) of an
 * edit, which is what ffmpeg and cv2 count (mov.c, `mov_fix_index`). A sample that several edits show counts once, in the
 * first. Edits that show nothing at all are taken for damage and ignored. Costs edits + samples, not one times the other.
 */
export async function presentationOf(
  { pts, lastDelta }: Pick<SampleTables, 'pts' | 'lastDelta'>,
  edits: readonly Edit[],
  slices: Slices,
): Promise<Presentation> {
  const count = pts.length;
  const byTime = await orderByTime(pts, slices);
  const timeAt = (place: number) => pts[byTime[place]];
  const mediaEnd = timeAt(count - 1) + lastDelta;
  const order = new Int32Array(count);
  const ticks = new Float64Array(count);
  let shown = 0;
  let elapsed = 0;
  const show = async ({ start, duration }: Edit, free: FreePlaces) => {
    const end = start + duration;
    for (let place = free.from(firstNotBefore(start, count, timeAt)); place < count; place = free.take(place)) {
      if (timeAt(place) >= end) break;
      order[shown] = byTime[place];
      ticks[shown] = elapsed + timeAt(place) - start;
      if (++shown % STEPS === 0) await slices.pause(STEPS);
    }
    elapsed += Number.isFinite(duration) ? duration : Math.max(0, mediaEnd - start);
    await slices.pause();
  };
  const free = await freePlaces(count, slices);
  for (const edit of edits) await show(edit, free);
  if (shown === 0) await show({ start: timeAt(0), duration: Number.POSITIVE_INFINITY }, free);
  const first = ticks[0];
  await slices.blocks(shown, (from, end) => {
    for (let frame = from; frame < end; frame++) ticks[frame] -= first;
  });
  return { order: order.subarray(0, shown), ticks: ticks.subarray(0, shown) };
}

/** Samples between two pauses. Chosen: some tens of microseconds. */
const STEPS = 4096;

/** The first place whose time is not before `time`; times ascend. */
function firstNotBefore(time: number, count: number, timeAt: (place: number) => number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeAt(middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface FreePlaces {
  /** The first free place at or behind `place`; the count of places where none is. */
  from(place: number): number;
  /** Takes a free place; returns the next free one behind it. */
  take(place: number): number;
}

/** Places 0 … count − 1 that go one by one; each walk over those that are gone shortens the next one (disjoint sets). */
async function freePlaces(count: number, slices: Slices): Promise<FreePlaces> {
  const next = await countUp(count + 1, slices);
  function from(place: number): number {
    let at = place;
    while (next[at] !== at) {
      next[at] = next[next[at]];
      at = next[at];
    }
    return at;
  }
  return {
    from,
    take(place) {
      next[place] = place + 1;
      return from(place + 1);
    },
  };
}
