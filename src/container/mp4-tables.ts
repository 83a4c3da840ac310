import { TikitakaError } from '../../operators/index.js';
import { type ClipLimits, limitError, type Slices } from '../limits/index.js';
import { type Box, boxOf, containerError, requireRoom } from './mp4-boxes.js';

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

export interface TableOptions {
  readonly view: DataView;
  /** What lies inside `stbl`. */
  readonly boxes: readonly Box[];
  readonly limits: ClipLimits;
  readonly slices: Slices;
  /** Size of the whole file, where it is known. */
  readonly fileBytes: number | undefined;
}

/**
 * Expands `stbl`. Counts are checked against the bytes that carry them and against the limits (ERR_LIMIT); samples that no
 * chunk places are left out.
 */
export async function readSampleTables(options: TableOptions): Promise<SampleTables> {
  const sizes = await readSizes(options);
  const offset = new Float64Array(sizes.length);
  const count = await placeSamples(options, sizes, offset);
  const sizeBytes = sizes.subarray(0, count);
  await checkSizes(options, offset, sizeBytes);
  const { dts, lastDelta } = await readDecodeTimes(options, count);
  return {
    count,
    offset: offset.subarray(0, count),
    sizeBytes,
    dts,
    pts: await addCompositionOffsets(options, dts),
    sync: await readSync(options, count),
    disposable: await readDisposable(options, count),
    lastDelta,
  };
}

async function readSizes({ view, boxes, limits, slices, fileBytes }: TableOptions): Promise<Uint32Array> {
  const box = boxOf(boxes, 'stsz') ?? boxOf(boxes, 'stz2');
  if (!box) throw containerError('the track has no sample sizes', { missing: 'stsz' });
  requireRoom(box, box.body, 12);
  const count = view.getUint32(box.body + 8);
  if (count > limits.maxFrames) throw limitError('maxFrames', count, limits.maxFrames);
  const first = box.body + 12;
  const uniform = box.type === 'stsz' ? view.getUint32(box.body + 4) : 0;
  const bits = box.type === 'stsz' ? 32 : view.getUint8(box.body + 7);
  if (![4, 8, 16, 32].includes(bits)) throw containerError('stz2 has an unknown field size', { bits });
  if (uniform === 0) requireRoom(box, first, Math.ceil((count * bits) / 8));
  // A few bytes can claim any number of samples of one size: none is made before the file is seen to be large enough.
  else if (count * uniform * LEAST_WITHIN > (fileBytes ?? Number.POSITIVE_INFINITY))
    throw endedEarly({ samples: count, bytes: count * uniform, fileBytes });
  const sizeOf = (i: number): number => {
    if (uniform > 0) return uniform;
    if (bits === 32) return view.getUint32(first + 4 * i);
    if (bits === 16) return view.getUint16(first + 2 * i);
    if (bits === 8) return view.getUint8(first + i);
    return (view.getUint8(first + (i >> 1)) >> (i & 1 ? 0 : 4)) & 15;
  };
  const sizes = new Uint32Array(count);
  await slices.blocks(count, (from, end) => {
    for (let i = from; i < end; i++) sizes[i] = sizeOf(i);
  });
  return sizes;
}

/** Runs or samples between two pauses. Chosen: some tens of microseconds. */
const STEPS = 4096;

/** Fills `offset`; returns how many samples the chunk tables place. */
async function placeSamples(
  { view, boxes, slices }: TableOptions,
  sizes: Uint32Array,
  offset: Float64Array,
): Promise<number> {
  const stsc = boxOf(boxes, 'stsc');
  const stco = boxOf(boxes, 'stco') ?? boxOf(boxes, 'co64');
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
    if ((run + 1) % STEPS === 0) await slices.pause(STEPS);
    if (perChunk === 0) continue;
    for (let chunk = first; chunk < next && chunk <= chunks && sample < sizes.length; chunk++) {
      const entry = stco.body + 8 + (chunk - 1) * (wide ? 8 : 4);
      let place = wide ? view.getUint32(entry) * 2 ** 32 + view.getUint32(entry + 4) : view.getUint32(entry);
      for (let i = 0; i < perChunk && sample < sizes.length; i++) {
        if (!Number.isSafeInteger(place)) throw containerError('a sample lies beyond any file', { sample });
        offset[sample] = place;
        place += sizes[sample];
        if (++sample % STEPS === 0) await slices.pause(STEPS);
      }
    }
  }
  return sample;
}

/**
 * A file that was cut off while it was written still has its first samples, and a damaged entry costs its own; but a file that
 * cannot hold what its index claims is made to be answered at length, not to be watched.
 */
async function checkSizes(
  { limits: { maxSampleBytes }, slices, fileBytes = Number.POSITIVE_INFINITY }: TableOptions,
  offset: Float64Array,
  sizes: Uint32Array,
): Promise<void> {
  let within = 0;
  let bytes = 0;
  await slices.blocks(sizes.length, (from, end) => {
    for (let sample = from; sample < end; sample++) {
      const size = sizes[sample];
      if (offset[sample] + size > fileBytes) continue;
      if (size > maxSampleBytes) throw limitError('maxSampleBytes', size, maxSampleBytes);
      within++;
      bytes += size;
    }
  });
  if (bytes > fileBytes)
    throw containerError('the samples of the track lie over one another', { samples: within, bytes, fileBytes });
  if (within < sizes.length * LEAST_WITHIN) throw endedEarly({ samples: sizes.length, within, fileBytes });
}

/** Of a clip that was cut off earlier nothing is worth answering. Chosen. */
const LEAST_WITHIN = 0.1;

const endedEarly = (details: Readonly<Record<string, unknown>>) =>
  new TikitakaError('ERR_SOURCE_TRUNCATED', 'the file ends before most of what its index claims', { details });

/** Where `stts` is short its last duration goes on, as in libav. */
async function readDecodeTimes(
  { view, boxes, slices }: TableOptions,
  count: number,
): Promise<{ readonly dts: Float64Array; readonly lastDelta: number }> {
  const stts = boxOf(boxes, 'stts');
  if (!stts) throw containerError('the track has no decode times', { missing: 'stts' });
  requireRoom(stts, stts.body, 8);
  const runs = view.getUint32(stts.body + 4);
  requireRoom(stts, stts.body + 8, 8 * runs);
  const dts = new Float64Array(count);
  let time = 0;
  let lastDelta = 1;
  let sample = 0;
  for (let run = 0; run <= runs && sample < count; run++) {
    const at = stts.body + 8 + 8 * run;
    const end = run < runs ? Math.min(sample + view.getUint32(at), count) : count;
    if (run < runs) lastDelta = view.getInt32(at + 4) < 0 ? 1 : view.getInt32(at + 4);
    if ((run + 1) % STEPS === 0) await slices.pause(STEPS);
    while (sample < end) {
      dts[sample] = time;
      time += lastDelta;
      if (++sample % STEPS === 0) await slices.pause(STEPS);
    }
  }
  return { dts, lastDelta };
}

/** `ctts`: offsets are read as signed in both versions, since writers of version 0 store negative ones too (libav does the same). */
async function addCompositionOffsets({ view, boxes, slices }: TableOptions, dts: Float64Array): Promise<Float64Array> {
  const pts = dts.slice();
  const ctts = boxOf(boxes, 'ctts');
  if (!ctts) return pts;
  requireRoom(ctts, ctts.body, 8);
  const runs = view.getUint32(ctts.body + 4);
  requireRoom(ctts, ctts.body + 8, 8 * runs);
  let sample = 0;
  for (let run = 0; run < runs && sample < pts.length; run++) {
    const at = ctts.body + 8 + 8 * run;
    const end = Math.min(pts.length, sample + view.getUint32(at));
    const shift = view.getInt32(at + 4);
    if ((run + 1) % STEPS === 0) await slices.pause(STEPS);
    while (sample < end) {
      pts[sample] += shift;
      if (++sample % STEPS === 0) await slices.pause(STEPS);
    }
  }
  return pts;
}

async function readSync({ view, boxes, slices }: TableOptions, count: number): Promise<Uint8Array> {
  const sync = new Uint8Array(count);
  const stss = boxOf(boxes, 'stss');
  if (!stss) return sync.fill(1);
  requireRoom(stss, stss.body, 8);
  const entries = view.getUint32(stss.body + 4);
  requireRoom(stss, stss.body + 8, 4 * entries);
  await slices.blocks(entries, (from, end) => {
    for (let i = from; i < end; i++) {
      const sample = view.getUint32(stss.body + 8 + 4 * i) - 1;
      if (sample >= 0 && sample < count) sync[sample] = 1;
    }
  });
  // Decoding has to begin somewhere, also in a clip whose table names no keyframe (intra refresh).
  if (count > 0 && !sync.includes(1)) sync[0] = 1;
  return sync;
}

/** `sdtp`: sample_is_depended_on = 2 says that nothing refers to the sample (ISO/IEC 14496-12 §8.6.4). */
async function readDisposable({ view, boxes, slices }: TableOptions, count: number): Promise<Uint8Array> {
  const disposable = new Uint8Array(count);
  const sdtp = boxOf(boxes, 'sdtp');
  if (!sdtp) return disposable;
  const first = sdtp.body + 4;
  await slices.blocks(Math.min(count, sdtp.end - first), (from, end) => {
    for (let i = from; i < end; i++) if (((view.getUint8(first + i) >> 2) & 3) === 2) disposable[i] = 1;
  });
  return disposable;
}
