import { type Box, childBox, containerError, requireRoom } from './mp4-boxes.js';

/** Chosen: 4.8 h at 60 frames/s; bounds what a file of a few bytes can make us allocate (about 45 bytes a sample). */
export const MAX_SAMPLES = 1 << 20;
/** Chosen: no coded frame of a playable clip comes near it. */
const MAX_SAMPLE_BYTES = 1 << 27;

/** The sample tables of one track, expanded: one entry per sample in decode order; times in ticks of `mdhd`'s timescale. */
export interface SampleTables {
  readonly count: number;
  readonly offset: Float64Array;
  readonly sizeBytes: Uint32Array;
  readonly dts: Float64Array;
  readonly pts: Float64Array;
  readonly sync: Uint8Array;
  readonly disposable: Uint8Array;
  /** Duration of the last sample. */
  readonly lastDelta: number;
}

/** Expands `stbl`. Counts are checked against the bytes that carry them; samples that no chunk places are left out. */
export function readSampleTables(view: DataView, stbl: Box): SampleTables {
  const sizes = readSizes(view, stbl);
  const offset = new Float64Array(sizes.length);
  const count = placeSamples(view, stbl, sizes, offset);
  const sizeBytes = sizes.subarray(0, count);
  const dts = new Float64Array(count);
  const lastDelta = readDecodeTimes(view, stbl, dts);
  const pts = dts.slice();
  addCompositionOffsets(view, stbl, pts);
  return {
    count,
    offset: offset.subarray(0, count),
    sizeBytes,
    dts,
    pts,
    sync: readSync(view, stbl, count),
    disposable: readDisposable(view, stbl, count),
    lastDelta,
  };
}

function readSizes(view: DataView, stbl: Box): Uint32Array {
  const box = childBox(view, stbl, 'stsz') ?? childBox(view, stbl, 'stz2');
  if (!box) throw containerError('the track has no sample sizes', { missing: 'stsz' });
  requireRoom(box, box.body, 12);
  const count = view.getUint32(box.body + 8);
  if (count > MAX_SAMPLES) throw containerError('the track claims too many samples', { count, max: MAX_SAMPLES });
  const sizes = new Uint32Array(count);
  const first = box.body + 12;
  if (box.type === 'stz2') {
    const bits = view.getUint8(box.body + 7);
    if (bits !== 4 && bits !== 8 && bits !== 16) throw containerError('stz2 has an unknown field size', { bits });
    requireRoom(box, first, Math.ceil((count * bits) / 8));
    for (let i = 0; i < count; i++) {
      if (bits === 16) sizes[i] = view.getUint16(first + 2 * i);
      else if (bits === 8) sizes[i] = view.getUint8(first + i);
      else sizes[i] = (view.getUint8(first + (i >> 1)) >> (i & 1 ? 0 : 4)) & 15;
    }
    return sizes;
  }
  const uniform = view.getUint32(box.body + 4);
  if (uniform === 0) requireRoom(box, first, 4 * count);
  for (let i = 0; i < count; i++) {
    const size = uniform || view.getUint32(first + 4 * i);
    if (size > MAX_SAMPLE_BYTES) throw containerError('a sample claims an impossible size', { sample: i, size });
    sizes[i] = size;
  }
  return sizes;
}

/** Fills `offset`; returns how many samples the chunk tables place. */
function placeSamples(view: DataView, stbl: Box, sizes: Uint32Array, offset: Float64Array): number {
  const stsc = childBox(view, stbl, 'stsc');
  const stco = childBox(view, stbl, 'stco') ?? childBox(view, stbl, 'co64');
  if (!stsc || !stco) throw containerError('the track has no chunk tables', { missing: stsc ? 'stco' : 'stsc' });
  requireRoom(stsc, stsc.body, 8);
  requireRoom(stco, stco.body, 8);
  const runs = view.getUint32(stsc.body + 4);
  const chunks = view.getUint32(stco.body + 4);
  const wide = stco.type === 'co64';
  requireRoom(stsc, stsc.body + 8, 12 * runs);
  requireRoom(stco, stco.body + 8, (wide ? 8 : 4) * chunks);

  let sample = 0;
  for (let run = 0; run < runs && sample < sizes.length; run++) {
    const at = stsc.body + 8 + 12 * run;
    const first = view.getUint32(at);
    const perChunk = view.getUint32(at + 4);
    const next = run + 1 < runs ? view.getUint32(at + 12) : chunks + 1;
    if (first < 1 || next <= first) throw containerError('the chunk runs of stsc do not ascend', { run, first, next });
    if (view.getUint32(at + 8) > 1)
      throw containerError('the track changes its sample description midway', { unsupported: 'several stsd entries' });
    if (perChunk === 0) continue;
    for (let chunk = first; chunk < next && chunk <= chunks && sample < sizes.length; chunk++) {
      const entry = stco.body + 8 + (chunk - 1) * (wide ? 8 : 4);
      let place = wide ? view.getUint32(entry) * 2 ** 32 + view.getUint32(entry + 4) : view.getUint32(entry);
      for (let i = 0; i < perChunk && sample < sizes.length; i++) {
        if (!Number.isSafeInteger(place)) throw containerError('a sample lies beyond any file', { sample });
        offset[sample] = place;
        place += sizes[sample] ?? 0;
        sample++;
      }
    }
  }
  return sample;
}

/** Fills `dts`; returns the duration of the last sample. Where `stts` is short its last duration goes on, as in libav. */
function readDecodeTimes(view: DataView, stbl: Box, dts: Float64Array): number {
  const stts = childBox(view, stbl, 'stts');
  if (!stts) throw containerError('the track has no decode times', { missing: 'stts' });
  requireRoom(stts, stts.body, 8);
  const runs = view.getUint32(stts.body + 4);
  requireRoom(stts, stts.body + 8, 8 * runs);
  let time = 0;
  let delta = 1;
  let sample = 0;
  for (let run = 0; run <= runs && sample < dts.length; run++) {
    const at = stts.body + 8 + 8 * run;
    const length = run < runs ? Math.min(view.getUint32(at), dts.length - sample) : dts.length - sample;
    if (run < runs) delta = view.getInt32(at + 4) < 0 ? 1 : view.getInt32(at + 4);
    for (let i = 0; i < length; i++) {
      dts[sample++] = time;
      time += delta;
    }
  }
  return delta;
}

/** `ctts`: offsets are read as signed in both versions, since writers of version 0 store negative ones too (libav does the same). */
function addCompositionOffsets(view: DataView, stbl: Box, pts: Float64Array): void {
  const ctts = childBox(view, stbl, 'ctts');
  if (!ctts) return;
  requireRoom(ctts, ctts.body, 8);
  const runs = view.getUint32(ctts.body + 4);
  requireRoom(ctts, ctts.body + 8, 8 * runs);
  let sample = 0;
  for (let run = 0; run < runs && sample < pts.length; run++) {
    const at = ctts.body + 8 + 8 * run;
    const end = Math.min(pts.length, sample + view.getUint32(at));
    const shift = view.getInt32(at + 4);
    for (; sample < end; sample++) pts[sample] = (pts[sample] ?? 0) + shift;
  }
}

function readSync(view: DataView, stbl: Box, count: number): Uint8Array {
  const sync = new Uint8Array(count);
  const stss = childBox(view, stbl, 'stss');
  if (!stss) return sync.fill(1);
  requireRoom(stss, stss.body, 8);
  const entries = view.getUint32(stss.body + 4);
  requireRoom(stss, stss.body + 8, 4 * entries);
  for (let i = 0; i < entries; i++) {
    const sample = view.getUint32(stss.body + 8 + 4 * i) - 1;
    if (sample >= 0 && sample < count) sync[sample] = 1;
  }
  // Decoding has to begin somewhere, also in a clip whose table names no keyframe (intra refresh).
  if (count > 0 && !sync.includes(1)) sync[0] = 1;
  return sync;
}

/** `sdtp`: sample_is_depended_on = 2 says that nothing refers to the sample (ISO/IEC 14496-12 §8.6.4). */
function readDisposable(view: DataView, stbl: Box, count: number): Uint8Array {
  const disposable = new Uint8Array(count);
  const sdtp = childBox(view, stbl, 'sdtp');
  if (!sdtp) return disposable;
  const known = Math.min(count, sdtp.end - sdtp.body - 4);
  for (let i = 0; i < known; i++) if (((view.getUint8(sdtp.body + 4 + i) >> 2) & 3) === 2) disposable[i] = 1;
  return disposable;
}
