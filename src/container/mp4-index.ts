import { TikitakaError } from '../../operators/index.js';
import { type ClipLimits, checkPixels, limitError, type Slices } from '../limits/index.js';
import {
  type Box,
  type BoxCounter,
  boxOf,
  containerError,
  createBoxCounter,
  fieldsOf,
  readBox,
  readTimescale,
  viewOf,
} from './mp4-boxes.js';
import { readSampleDescription } from './mp4-codec.js';
import { presentationOf, readEdits } from './mp4-edits.js';
import { readSampleTables } from './mp4-tables.js';
import type { SampleIndex } from './sample-index.js';

/** What the boxes at the top of a file lead to. */
export type Mp4Found =
  | { readonly kind: 'index'; readonly index: SampleIndex }
  /** The samples are described piece by piece (`moof`): a demuxer has to read the stream. */
  | { readonly kind: 'fragmented' }
  | { readonly kind: 'not-mp4' };

export interface FindIndexOptions {
  readonly limits: ClipLimits;
  readonly slices: Slices;
  /** Size of the whole file, where it is known. */
  readonly sizeBytes: number | undefined;
  /** Bytes `[start, end)` of the file, fewer where it ends before. */
  read(start: number, end: number): Promise<Uint8Array>;
}

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
/** Size and type of a box, and the size where it takes 64 bits. */
const HEADER_BYTES = 16;

/**
 * Walks over the boxes of an MP4 or MOV file to its sample index, reading their headers and the index alone, each once; costs
 * what it reads. Errors: ERR_CONTAINER for an index that is missing or contradicts itself, ERR_LIMIT, ERR_NOT_VIDEO where
 * no track is video, ERR_SOURCE_TRUNCATED where the file ends before its index or most of what that claims; those of `read`.
 */
export async function findMp4Index(options: FindIndexOptions): Promise<Mp4Found> {
  const { limits, slices, sizeBytes, read } = options;
  const boxes = createBoxCounter(limits, slices);
  let before = '';
  let sawMedia = false;
  for (let at = 0; ; ) {
    await boxes.count();
    if (at > (sizeBytes ?? at)) throw endedEarly({ indexFrom: at, sizeBytes });
    const header = readBox(viewOf(await read(at, at + HEADER_BYTES)), 0, Number.POSITIVE_INFINITY);
    // Where nobody says how large the file is, media data may have been cut off as well as be the last box.
    if (!header) throw sizeBytes === undefined && before === 'mdat' ? endedEarly({ indexFrom: at }) : noIndex(at);
    const { type } = header;
    if (at === 0 && !openers.has(type)) return { kind: 'not-mp4' };
    if (type === 'moof') return { kind: 'fragmented' };
    // A box of size 0 reaches to the end of the file.
    const end = header.end === Number.POSITIVE_INFINITY ? (sizeBytes ?? header.end) : at + header.end;
    if (type === 'moov') {
      const bytes = await readIndexBytes(at, end, options);
      return readMoov(bytes, { start: at, end, atEnd: sawMedia }, boxes, options);
    }
    if (end === Number.POSITIVE_INFINITY) throw containerError(`the file ends in an open ${type} box without an index`);
    sawMedia ||= type === 'mdat';
    before = type;
    at = end;
  }
}

async function readIndexBytes(start: number, end: number, options: FindIndexOptions): Promise<Uint8Array> {
  const { limits, sizeBytes = end, read } = options;
  if (end - start > limits.maxIndexBytes) throw limitError('maxIndexBytes', end - start, limits.maxIndexBytes);
  const bytes = end > sizeBytes ? undefined : await read(start, end);
  if (bytes?.length === end - start) return bytes;
  throw endedEarly({ reached: bytes ? start + bytes.length : sizeBytes, needed: end });
}

const noIndex = (reached: number) => containerError('the file has no index (moov)', { reached });

const endedEarly = (details: Readonly<Record<string, unknown>>) =>
  new TikitakaError('ERR_SOURCE_TRUNCATED', 'the file ends before or inside its index', { details });

interface VideoTrack {
  readonly trak: readonly Box[];
  readonly mdhd: Box | undefined;
  readonly stbl: readonly Box[];
  readonly enabled: boolean;
  readonly area: number;
}

/** The enabled video track with the largest picture, which is the one that ffmpeg and cv2 take. */
async function findVideoTrack(view: DataView, moov: readonly Box[], boxes: BoxCounter): Promise<VideoTrack> {
  const inside = async (around: readonly Box[], type: string): Promise<readonly Box[]> => {
    const box = boxOf(around, type);
    return box ? boxes.children(view, box) : [];
  };
  let best: VideoTrack | undefined;
  for (const box of moov) {
    if (box.type !== 'trak') continue;
    const trak = await boxes.children(view, box);
    const mdia = await inside(trak, 'mdia');
    const hdlr = boxOf(mdia, 'hdlr');
    if (!hdlr || hdlr.end - hdlr.body < 12 || fieldsOf(view, hdlr).u32(8) !== 0x76696465 /* vide */) continue;
    const stbl = await inside(await inside(mdia, 'minf'), 'stbl');
    const tkhd = boxOf(trak, 'tkhd');
    if (stbl.length === 0 || !tkhd) continue;
    const { u8, u16 } = fieldsOf(view, tkhd);
    const size = u8(0) === 1 ? 88 : 76;
    const enabled = (u8(3) & 1) === 1;
    const area = u16(size) * u16(size + 4);
    if (!best || Number(enabled) > Number(best.enabled) || (enabled === best.enabled && area > best.area))
      best = { trak, mdhd: boxOf(mdia, 'mdhd'), stbl, enabled, area };
  }
  if (!best) throw new TikitakaError('ERR_NOT_VIDEO', 'the file has no video track');
  return best;
}

async function readMoov(
  bytes: Uint8Array,
  place: SampleIndex['moov'],
  boxes: BoxCounter,
  { limits, slices, sizeBytes }: FindIndexOptions,
): Promise<Mp4Found> {
  const view = viewOf(bytes);
  const around = readBox(view, 0, bytes.length);
  const moov = around ? await boxes.children(view, around) : [];
  if (boxOf(moov, 'mvex')) return { kind: 'fragmented' };
  if (boxOf(moov, 'cmov')) throw containerError('a compressed moov is not supported', { unsupported: 'cmov' });
  const { trak, mdhd, stbl } = await findVideoTrack(view, moov, boxes);
  const stsd = boxOf(stbl, 'stsd');
  if (!stsd || !mdhd) throw containerError('the video track is incomplete', { missing: stsd ? 'mdhd' : 'stsd' });
  const description = await readSampleDescription(view, stsd, boxes);
  checkPixels(description, limits);
  const timescale = readTimescale(view, mdhd);
  if (timescale === 0) throw containerError('the timescale of the video track is zero', { box: 'mdhd' });

  const tables = await readSampleTables({ view, boxes: stbl, limits, slices, fileBytes: sizeBytes });
  if (tables.count === 0) throw containerError('the video track has no samples', { box: 'stsz' });
  const mvhd = boxOf(moov, 'mvhd');
  const movieTimescale = mvhd ? readTimescale(view, mvhd) : 0;
  const edts = boxOf(trak, 'edts');
  const elst = edts && boxOf(await boxes.children(view, edts), 'elst');
  // Durations of edits are counted by the movie's clock.
  const edits =
    elst && movieTimescale > 0 ? readEdits(view, elst, { movie: movieTimescale, track: timescale }, limits) : [];
  const { order, ticks } = await presentationOf(tables, edits, slices);

  const toUs = (tick: number) => Math.round((tick * 1e6) / timescale);
  const frameNumber = new Int32Array(tables.count).fill(-1);
  const framePtsUs = new Float64Array(order.length);
  await slices.blocks(order.length, (from, end) => {
    for (let frame = from; frame < end; frame++) {
      frameNumber[order[frame]] = frame;
      framePtsUs[frame] = toUs(ticks[frame]);
    }
  });
  const durationUs = framePtsUs[order.length - 1] + toUs(tables.lastDelta);
  if (!(durationUs <= limits.maxSeconds * 1e6)) throw limitError('maxSeconds', durationUs / 1e6, limits.maxSeconds);
  const dtsUs = new Float64Array(tables.count);
  const ptsUs = new Float64Array(tables.count);
  await slices.blocks(tables.count, (from, end) => {
    for (let sample = from; sample < end; sample++) {
      dtsUs[sample] = toUs(tables.dts[sample]);
      ptsUs[sample] = toUs(tables.pts[sample]);
    }
  });
  return {
    kind: 'index',
    index: {
      ...description,
      sampleCount: tables.count,
      frameCount: order.length,
      durationUs,
      offset: tables.offset,
      sizeBytes: tables.sizeBytes,
      dtsUs,
      ptsUs,
      sync: tables.sync,
      disposable: tables.disposable,
      frameNumber,
      framePtsUs,
      moov: place,
    },
  };
}
