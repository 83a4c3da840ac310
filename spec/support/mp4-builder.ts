/** Hand-made MP4 files of one video track, with every table as given, for what no encoder writes. */
export interface TrackTables {
  readonly timescale?: number;
  readonly movieTimescale?: number;
  /** Size of each sample; the media data is as long as their sum. */
  readonly sizes?: readonly number[];
  /** So many samples of one size in place of `sizes`: as many as one likes in a table of 20 bytes. */
  readonly uniform?: { readonly count: number; readonly sizeBytes: number };
  /** The media data. Default: as long as the samples say, of no meaning. */
  readonly media?: Uint8Array;
  /** Size of the picture as the index says. Default 64 × 48. */
  readonly width?: number;
  readonly height?: number;
  /** Decoder configuration record. Default: of a decoder that nobody asks. */
  readonly avcC?: Uint8Array;
  /** Boxes between `ftyp` and what follows. */
  readonly before?: readonly Uint8Array[];
  readonly stts?: readonly (readonly [count: number, delta: number])[];
  readonly ctts?: readonly (readonly [count: number, offset: number])[];
  readonly cttsVersion?: 0 | 1;
  readonly stsc?: readonly (readonly [firstChunk: number, perChunk: number, description: number])[];
  /** Offsets of the chunks within the media data. */
  readonly chunks?: readonly number[];
  readonly wideChunks?: boolean;
  readonly stss?: readonly number[];
  readonly sdtp?: readonly number[];
  readonly edits?: readonly (readonly [duration: number, mediaTime: number])[];
  readonly editVersion?: 0 | 1;
  readonly entry?: string;
  readonly handler?: string;
  /** Replaces the body of the named box, of the sample table or the header of file, track or media. */
  readonly replace?: Readonly<Record<string, Uint8Array>>;
  /** Further boxes of the sample table. */
  readonly extra?: readonly Uint8Array[];
  /** Boxes that are left out. */
  readonly without?: readonly string[];
  readonly moovAtEnd?: boolean;
  /** The header of the file comes last in the index, not first. */
  readonly mvhdLast?: boolean;
}

export const u32 = (...values: readonly number[]): Buffer => u32s(values);
const u32s = (values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => {
    bytes.writeInt32BE(value | 0, 4 * i);
  });
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};

export const box = (type: string, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(8 + body.length), Buffer.from(type, 'latin1'), body]);
};

/** Empty boxes in a row: the cheapest way to make a reader work. */
export const freeBoxes = (count: number): Buffer => Buffer.alloc(8 * count, box('free'));

const defaultAvcC = Buffer.from([1, 66, 0, 10, 0xff, 0xe1, 0, 0, 0]);

export function buildMp4(tables: TrackTables = {}): Buffer {
  const { timescale = 25, movieTimescale = 1000, uniform, wideChunks = false, width = 64, height = 48 } = tables;
  const { sizes = uniform ? [] : [10, 10, 10, 10] } = tables;
  const count = uniform?.count ?? sizes.length;
  const mediaBytes = uniform ? count * uniform.sizeBytes : sizes.reduce((sum, size) => sum + size, 0);
  const { stts = [[count, 1]], stsc = [[1, count, 1]], chunks = [0], media = Buffer.alloc(mediaBytes, 7) } = tables;
  const { entry = 'avc1', handler = 'vide', replace = {}, without = [], moovAtEnd = false } = tables;
  const { avcC = defaultAvcC, before = [] } = tables;
  const mdat = box('mdat', media);
  const head = Buffer.concat([box('ftyp', Buffer.from('isom'), u32(512), Buffer.from('isomavc1')), ...before]);

  const moov = (mediaAt: number) => {
    const part = (type: string, ...body: readonly Uint8Array[]) =>
      without.includes(type) ? Buffer.alloc(0) : box(type, ...(replace[type] ? [replace[type]] : body));
    const pairs = (rows: readonly (readonly number[])[]) => [u32(rows.length), u32s(rows.flat())];
    const offsets = chunks.map((chunk) => chunk + mediaAt);
    const visual = Buffer.alloc(78);
    visual.writeUInt16BE(width, 24);
    visual.writeUInt16BE(height, 26);
    const stbl = box(
      'stbl',
      part('stsd', u32(0, 1), box(entry, visual, box('avcC', avcC))),
      part('stts', u32(0), ...pairs(stts)),
      tables.ctts ? part('ctts', u32((tables.cttsVersion ?? 0) << 24), ...pairs(tables.ctts)) : Buffer.alloc(0),
      part('stsc', u32(0), ...pairs(stsc)),
      part('stsz', u32(0, uniform?.sizeBytes ?? 0, count), u32s(sizes)),
      wideChunks
        ? part('co64', u32(0, chunks.length), ...offsets.map(u64))
        : part('stco', u32(0, chunks.length), u32s(offsets)),
      tables.stss ? part('stss', u32(0, tables.stss.length), u32s(tables.stss)) : Buffer.alloc(0),
      tables.sdtp ? part('sdtp', u32(0), Buffer.from(tables.sdtp)) : Buffer.alloc(0),
      ...(tables.extra ?? []),
    );
    const wide = tables.editVersion === 1;
    const rows = (tables.edits ?? []).map(([duration, mediaTime]) =>
      Buffer.concat([wide ? u64(duration) : u32(duration), wide ? u64(mediaTime) : u32(mediaTime), u32(0x10000)]),
    );
    const edts = tables.edits
      ? box('edts', part('elst', u32(wide ? 1 << 24 : 0, rows.length), Buffer.concat(rows)))
      : Buffer.alloc(0);
    const mdia = box(
      'mdia',
      part('mdhd', u32(0, 0, 0, timescale, 0, 0)),
      part('hdlr', u32(0, 0), Buffer.from(handler, 'latin1'), Buffer.alloc(13)),
      box('minf', stbl),
    );
    const trak = box('trak', part('tkhd', u32(1), Buffer.alloc(72), u32(64 << 16, 48 << 16)), edts, mdia);
    const mvhd = part('mvhd', u32(0, 0, 0, movieTimescale, 0), Buffer.alloc(80));
    return tables.mvhdLast ? box('moov', trak, mvhd) : box('moov', mvhd, trak);
  };

  if (moovAtEnd) return Buffer.concat([head, mdat, moov(head.length + 8)]);
  const size = moov(0).length;
  return Buffer.concat([head, moov(head.length + size + 8), mdat]);
}
