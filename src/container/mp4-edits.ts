import { type Box, childBox, descend, requireRoom } from './mp4-boxes.js';

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

/**
 * Edits of a track without its empty ones (`media_time` −1: they only delay the start). Durations are rescaled with
 * rounding to nearest, as libav does (`av_rescale` in mov.c's `get_edit_list_entry`), so that the same last frame is kept.
 */
export function readEdits(view: DataView, trak: Box, movieTimescale: number, trackTimescale: number): Edit[] {
  const elst = descend(view, trak, 'edts', 'elst');
  if (!elst) return [];
  requireRoom(elst, elst.body, 8);
  const wide = view.getUint8(elst.body) === 1;
  const count = view.getUint32(elst.body + 4);
  const size = wide ? 20 : 12;
  requireRoom(elst, elst.body + 8, size * count);
  const edits: Edit[] = [];
  for (let i = 0; i < count; i++) {
    const at = elst.body + 8 + size * i;
    const duration = wide ? view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4) : view.getUint32(at);
    const start = wide ? view.getInt32(at + 8) * 2 ** 32 + view.getUint32(at + 12) : view.getInt32(at + 4);
    if (start < 0) continue;
    // A duration of 0 says "to the end" (fragmented and still growing files write it).
    const ticks = duration === 0 ? Number.POSITIVE_INFINITY : Math.round((duration * trackTimescale) / movieTimescale);
    edits.push({ start, duration: ticks });
  }
  return edits;
}

/** Movie timescale, by which edit durations are counted; 0 where `mvhd` is missing. */
export function readMovieTimescale(view: DataView, moov: Pick<Box, 'body' | 'end'>): number {
  const mvhd = childBox(view, moov, 'mvhd');
  if (!mvhd) return 0;
  const at = mvhd.body + (view.getUint8(mvhd.body) === 1 ? 20 : 12);
  requireRoom(mvhd, at, 4);
  return view.getUint32(at);
}

/**
 * Which samples a player shows, in which order: those whose presentation time lies in [start, start + duration) of an
 * edit, which is what ffmpeg and cv2 count (mov.c, `mov_fix_index`). A sample that several edits show counts once, in the
 * first. Edits that show nothing at all are taken for damage and ignored.
 */
export function presentationOf(pts: Float64Array, edits: readonly Edit[]): Presentation {
  const byTime = Int32Array.from(pts.keys()).sort((a, b) => (pts[a] ?? 0) - (pts[b] ?? 0) || a - b);
  const order = new Int32Array(pts.length);
  const ticks = new Float64Array(pts.length);
  const taken = new Uint8Array(pts.length);
  let shown = 0;
  let elapsed = 0;
  for (const edit of edits.length > 0
    ? edits
    : [{ start: Number.NEGATIVE_INFINITY, duration: Number.POSITIVE_INFINITY }]) {
    const offset = Number.isFinite(edit.start) ? edit.start : 0;
    const end = edit.start === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : edit.start + edit.duration;
    for (const sample of byTime) {
      const time = pts[sample] ?? 0;
      if (time < edit.start || time >= end || taken[sample]) continue;
      taken[sample] = 1;
      order[shown] = sample;
      ticks[shown] = elapsed + time - offset;
      shown++;
    }
    elapsed += edit.duration;
  }
  if (shown === 0 && edits.length > 0) return presentationOf(pts, []);
  const first = ticks[0] ?? 0;
  return { order: order.slice(0, shown), ticks: ticks.slice(0, shown).map((tick) => tick - first) };
}
