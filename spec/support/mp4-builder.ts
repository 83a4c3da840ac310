/** Hand-made MP4 files of one video track, with every table as given, for what no encoder writes. */
export interface TrackTables {
  readonly timescale?: number;
  readonly movieTimescale?: number;
  /** Size of each sample; the media data is as long as their sum. */
  readonly sizes?: readonly number[];
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
  /** Replaces the named box of the sample table by these bytes (its body). */
  readonly replace?: Readonly<Record<string, Uint8Array>>;
  /** Further boxes of the sample table. */
  readonly extra?: readonly Uint8Array[];
  /** Boxes that are left out. */
  readonly without?: readonly string[];
  readonly moovAtEnd?: boolean;
}

export const u32 = (...values: readonly number[]): Buffer => {
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

export function buildMp4(tables: TrackTables = {}): Buffer {
  const { timescale = 25, movieTimescale = 1000, sizes = [10, 10, 10, 10], wideChunks = false } = tables;
  const { stts = [[sizes.length, 1]], stsc = [[1, sizes.length, 1]], chunks = [0] } = tables;
  const { entry = 'avc1', handler = 'vide', replace = {}, without = [], moovAtEnd = false } = tables;
  const media = box(
    'mdat',
    Buffer.alloc(
      sizes.reduce((sum, size) => sum + size, 0),
      7,
    ),
  );
  const ftyp = box('ftyp', Buffer.from('isom'), u32(512), Buffer.from('isomavc1'));

  const moov = (mediaAt: number) => {
    const part = (type: string, ...body: readonly Uint8Array[]) =>
      without.includes(type) ? Buffer.alloc(0) : box(type, ...(replace[type] ? [replace[type]] : body));
    const pairs = (rows: readonly (readonly number[])[]) => [u32(rows.length), ...rows.map((row) => u32(...row))];
    const offsets = chunks.map((chunk) => chunk + mediaAt);
    const avcC = Buffer.from([1, 66, 0, 10, 0xff, 0xe1, 0, 0, 0]);
    const visual = Buffer.alloc(78);
    visual.writeUInt16BE(64, 24);
    visual.writeUInt16BE(48, 26);
    const stbl = box(
      'stbl',
      part('stsd', u32(0, 1), box(entry, visual, box('avcC', avcC))),
      part('stts', u32(0), ...pairs(stts)),
      tables.ctts ? part('ctts', u32((tables.cttsVersion ?? 0) << 24), ...pairs(tables.ctts)) : Buffer.alloc(0),
      part('stsc', u32(0), ...pairs(stsc)),
      part('stsz', u32(0, 0, sizes.length, ...sizes)),
      wideChunks
        ? part('co64', u32(0, chunks.length), ...offsets.map(u64))
        : part('stco', u32(0, chunks.length, ...offsets)),
      tables.stss ? part('stss', u32(0, tables.stss.length, ...tables.stss)) : Buffer.alloc(0),
      tables.sdtp ? part('sdtp', u32(0), Buffer.from(tables.sdtp)) : Buffer.alloc(0),
      ...(tables.extra ?? []),
    );
    const wide = tables.editVersion === 1;
    const rows = (tables.edits ?? []).map(([duration, mediaTime]) =>
      Buffer.concat([wide ? u64(duration) : u32(duration), wide ? u64(mediaTime) : u32(mediaTime), u32(0x10000)]),
    );
    const edts = tables.edits
      ? box('edts', part('elst', u32(wide ? 1 << 24 : 0, rows.length), ...rows))
      : Buffer.alloc(0);
    const tkhd = box('tkhd', u32(1), Buffer.alloc(72), u32(64 << 16, 48 << 16));
    const mdia = box(
      'mdia',
      part('mdhd', u32(0, 0, 0, timescale, 0, 0)),
      box('hdlr', u32(0, 0), Buffer.from(handler, 'latin1'), Buffer.alloc(13)),
      box('minf', stbl),
    );
    return box('moov', box('mvhd', u32(0, 0, 0, movieTimescale, 0), Buffer.alloc(80)), box('trak', tkhd, edts, mdia));
  };

  if (moovAtEnd) return Buffer.concat([ftyp, media, moov(ftyp.length + 8)]);
  const size = moov(0).length;
  return Buffer.concat([ftyp, moov(ftyp.length + size + 8), media]);
}
