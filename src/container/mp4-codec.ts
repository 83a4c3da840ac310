import { type Box, type BoxCounter, boxOf, containerError, fieldsOf, readBox, requireRoom } from './mp4-boxes.js';

/** What the first entry of `stsd` says about the coded frames. */
export interface SampleDescription {
  /** libav codec name. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly extradata: Uint8Array;
}

/** Sample entry types (registered at mp4ra.org) → libav codec name and the box that holds its configuration. */
const entryTypes: Readonly<Record<string, readonly [codec: string, config: string]>> = {
  avc1: ['h264', 'avcC'],
  avc3: ['h264', 'avcC'],
  hvc1: ['hevc', 'hvcC'],
  hev1: ['hevc', 'hvcC'],
  vp08: ['vp8', 'vpcC'],
  vp09: ['vp9', 'vpcC'],
  av01: ['av1', 'av1C'],
  mp4v: ['mpeg4', 'esds'],
};

/** Reads `stsd`. Unknown or encrypted codecs and missing configuration records: ERR_CONTAINER. */
export async function readSampleDescription(view: DataView, stsd: Box, boxes: BoxCounter): Promise<SampleDescription> {
  requireRoom(stsd, stsd.body, 8);
  const entry = readBox(view, stsd.body + 8, stsd.end);
  if (!entry) throw containerError('the track has no sample description', { box: 'stsd' });
  requireRoom(stsd, entry.start, entry.end - entry.start);
  const known = entryTypes[entry.type];
  if (!known) {
    const encrypted = entry.type === 'encv';
    throw containerError(
      encrypted ? 'the clip is encrypted' : `the codec ${JSON.stringify(entry.type)} is not supported`,
      {
        codec: entry.type,
        supported: Object.keys(entryTypes),
      },
    );
  }
  // VisualSampleEntry (§12.1.3): 78 bytes of fixed fields, then boxes.
  requireRoom(entry, entry.body, 78);
  const [codec, configType] = known;
  const config = boxOf(await boxes.children(view, { body: entry.body + 78, end: entry.end }), configType);
  const { u16 } = fieldsOf(view, entry);
  const width = u16(24);
  const height = u16(26);
  if (width === 0 || height === 0) throw containerError('the picture has no size', { width, height });
  if (!config && (codec === 'h264' || codec === 'hevc' || codec === 'mpeg4'))
    throw containerError('the decoder configuration is missing', { codec, missing: configType });
  return { codec, width, height, extradata: config ? readConfig(view, config) : new Uint8Array(0) };
}

function readConfig(view: DataView, config: Box): Uint8Array {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + config.body, config.end - config.body);
  if (config.type === 'esds') return decoderSpecificInfo(bytes.subarray(4));
  // libav's VP9 decoder takes no configuration record.
  return config.type === 'vpcC' ? new Uint8Array(0) : bytes.slice();
}

/** DecoderSpecificInfo (tag 5) within ES_Descriptor (3) and DecoderConfigDescriptor (4), ISO/IEC 14496-1 §7.2.6. */
function decoderSpecificInfo(esds: Uint8Array): Uint8Array {
  let at = 0;
  const byte = () => esds[at++] ?? 0;
  const open = (): { tag: number; length: number } => {
    const tag = byte();
    let length = 0;
    for (let i = 0; i < 4; i++) {
      const next = byte();
      length = (length << 7) | (next & 127);
      if (next < 128) break;
    }
    return { tag, length };
  };
  if (open().tag === 3) {
    at += 2;
    const flags = byte();
    if (flags & 0x80) at += 2;
    if (flags & 0x40) at += byte();
    if (flags & 0x20) at += 2;
  } else {
    at = 0;
  }
  if (open().tag !== 4) throw containerError('esds holds no decoder configuration', { box: 'esds' });
  const objectType = byte();
  if (objectType !== 0x20)
    throw containerError('the codec of this mp4v track is not supported', { objectTypeIndication: objectType });
  at += 12;
  const info = open();
  return info.tag === 5 ? esds.slice(at, at + info.length) : new Uint8Array(0);
}
