import { TikitakaError } from '../../operators/index.js';
import { type Box, childBox, childBoxes, containerError, descend, readBox, requireRoom, viewOf } from './mp4-boxes.js';
import { readSampleDescription } from './mp4-codec.js';
import { presentationOf, readEdits, readMovieTimescale } from './mp4-edits.js';
import { readSampleTables } from './mp4-tables.js';
import type { SampleIndex } from './sample-index.js';

/** What the first bytes of a file tell. Offsets in bytes of the file. */
export type Mp4Head =
  /** Call again with at least the first `untilBytes` bytes: they complete the index, or the header of the next box. */
  | { readonly kind: 'need'; readonly untilBytes: number; readonly of: 'header' | 'index' }
  /** The media data comes first: the next box, `moov` or one before it, starts at `offset`. */
  | { readonly kind: 'elsewhere'; readonly offset: number }
  | { readonly kind: 'index'; readonly index: SampleIndex }
  /** The samples are described piece by piece (`moof`): a demuxer has to read the stream. */
  | { readonly kind: 'fragmented' }
  | { readonly kind: 'not-mp4' };

/** Boxes that may open an MP4 or MOV file. */
const openers = new Set([
  'ftyp',
  'styp',
  'moov',
  'mdat',
  'free',
  'skip',
  'wide',
  'pnot',
  'uuid',
  'pdin',
  'sidx',
  'moof',
]);
/** Chosen: a `moov` of 64 MiB describes far more than `MAX_SAMPLES` samples. */
const MAX_MOOV_BYTES = 1 << 26;
/** Chosen: nothing but media data is that large; such a box before `moov` is jumped over with a request of its own. */
const MAX_INLINE_BYTES = 1 << 20;

/**
 * Reads the sample index out of the first bytes of an MP4 or MOV file, asking for no more of them than it needs.
 * Tables that contradict themselves or the file: ERR_CONTAINER.
 */
export function parseMp4Head(bytes: Uint8Array): Mp4Head {
  return scan(bytes, 0, 0);
}

/** The same for bytes from `offset` on, where an earlier answer pointed to; `untilBytes` and `offset` stay file offsets. */
export function parseMp4Tail(bytes: Uint8Array, offset: number): Mp4Head {
  return scan(bytes, offset, MAX_MOOV_BYTES);
}

function scan(bytes: Uint8Array, base: number, inlineBytes: number): Mp4Head {
  const view = viewOf(bytes);
  for (let at = 0; ; ) {
    const box = readTopBox(view, at);
    if (!box) return { kind: 'need', untilBytes: base + at + 16, of: 'header' };
    if (at === 0 && base === 0 && !openers.has(box.type)) return { kind: 'not-mp4' };
    if (box.type === 'moof') return { kind: 'fragmented' };
    if (box.type === 'moov') {
      const size = box.end - box.start;
      if (size > MAX_MOOV_BYTES) throw containerError('moov claims an impossible size', { bytes: size });
      if (box.end > bytes.length) return { kind: 'need', untilBytes: base + box.end, of: 'index' };
      if (isFragmented(view, box)) return { kind: 'fragmented' };
      return { kind: 'index', index: readMoov(view, box, base) };
    }
    if (box.end === Number.POSITIVE_INFINITY)
      throw new TikitakaError('ERR_CONTAINER', `the file ends in an open ${box.type} box without an index`);
    if (
      box.end > bytes.length &&
      (box.type === 'mdat' || box.end - box.start > Math.max(MAX_INLINE_BYTES, inlineBytes))
    )
      return { kind: 'elsewhere', offset: base + box.end };
    at = box.end;
  }
}

/** A box of size 0 reaches to the end of the file. */
const readTopBox = (view: DataView, at: number): Box | undefined => readBox(view, at, Number.POSITIVE_INFINITY);

function isFragmented(view: DataView, moov: Box): boolean {
  return childBox(view, moov, 'mvex') !== undefined;
}

interface VideoTrack {
  readonly trak: Box;
  readonly stbl: Box;
  readonly enabled: boolean;
  readonly area: number;
}

/** The enabled video track with the largest picture, which is the one that ffmpeg and cv2 take. */
function findVideoTrack(view: DataView, moov: Box): VideoTrack {
  let best: VideoTrack | undefined;
  for (const trak of childBoxes(view, moov.body, moov.end)) {
    if (trak.type !== 'trak') continue;
    const hdlr = descend(view, trak, 'mdia', 'hdlr');
    if (!hdlr || hdlr.body + 12 > hdlr.end || view.getUint32(hdlr.body + 8) !== 0x76696465 /* vide */) continue;
    const stbl = descend(view, trak, 'mdia', 'minf', 'stbl');
    const tkhd = childBox(view, trak, 'tkhd');
    if (!stbl || !tkhd) continue;
    const size = tkhd.body + (view.getUint8(tkhd.body) === 1 ? 88 : 76);
    requireRoom(tkhd, size, 8);
    const enabled = (view.getUint8(tkhd.body + 3) & 1) === 1;
    const area = view.getUint16(size) * view.getUint16(size + 4);
    if (!best || Number(enabled) > Number(best.enabled) || (enabled === best.enabled && area > best.area))
      best = { trak, stbl, enabled, area };
  }
  if (!best) throw new TikitakaError('ERR_NOT_VIDEO', 'the file has no video track');
  return best;
}

function readMoov(view: DataView, moov: Box, base: number): SampleIndex {
  if (childBox(view, moov, 'cmov')) throw containerError('a compressed moov is not supported', { unsupported: 'cmov' });
  const { trak, stbl } = findVideoTrack(view, moov);
  const stsd = childBox(view, stbl, 'stsd');
  const mdhd = descend(view, trak, 'mdia', 'mdhd');
  if (!stsd || !mdhd) throw containerError('the video track is incomplete', { missing: stsd ? 'mdhd' : 'stsd' });
  const description = readSampleDescription(view, stsd);
  const scaleAt = mdhd.body + (view.getUint8(mdhd.body) === 1 ? 20 : 12);
  requireRoom(mdhd, scaleAt, 4);
  const timescale = view.getUint32(scaleAt);
  if (timescale === 0) throw containerError('the timescale of the video track is zero', { box: 'mdhd' });

  const tables = readSampleTables(view, stbl);
  if (tables.count === 0) throw containerError('the video track has no samples', { box: 'stsz' });
  const movieTimescale = readMovieTimescale(view, moov);
  const edits = movieTimescale > 0 ? readEdits(view, trak, movieTimescale, timescale) : [];
  const { order, ticks } = presentationOf(tables.pts, edits);

  const toUs = (tick: number) => Math.round((tick * 1e6) / timescale);
  const frameNumber = new Int32Array(tables.count).fill(-1);
  order.forEach((sample, frame) => {
    frameNumber[sample] = frame;
  });
  const framePtsUs = ticks.map(toUs);
  return {
    ...description,
    sampleCount: tables.count,
    frameCount: order.length,
    durationUs: (framePtsUs.at(-1) ?? 0) + toUs(tables.lastDelta),
    offset: tables.offset,
    sizeBytes: tables.sizeBytes,
    dtsUs: tables.dts.map(toUs),
    ptsUs: tables.pts.map(toUs),
    sync: tables.sync,
    disposable: tables.disposable,
    frameNumber,
    framePtsUs,
    moov: { start: base + moov.start, end: base + moov.end, atEnd: base > 0 },
  };
}
