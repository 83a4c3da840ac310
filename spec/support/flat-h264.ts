import { buildMp4, type TrackTables } from './mp4-builder.js';

/** A grey picture in H.264, a byte for each macroblock: clips of any size and any number of frames without an encoder. */
export interface FlatH264 {
  /** Decoder configuration record (avcC). */
  readonly avcC: Buffer;
  /** Keyframe n as stored in MP4 and Matroska: one NAL unit behind its length. */
  sample(n: number): Buffer;
}

/** `width` and `height` in multiples of 16 pixels. */
export function flatH264(width: number, height: number): FlatH264 {
  // ITU-T H.264 §7.3.2.1.1: baseline, 4 bits of frame_num, output in decoding order.
  const sps = new Bits().u(66, 8).u(0, 8).u(52, 8).ue(0).ue(0).ue(2).ue(0).u(0, 1);
  sps
    .ue(width / 16 - 1)
    .ue(height / 16 - 1)
    .u(0b1100, 4);
  // §7.3.2.2: CAVLC, and slices say whether they deblock.
  const pps = new Bits().ue(0).ue(0).u(0, 2).ue(0).ue(0).ue(0).u(0, 3).ue(0).ue(0).ue(0).u(0b100, 3);
  const nals = [Buffer.concat([Buffer.of(0x67), sps.end()]), Buffer.concat([Buffer.of(0x68), pps.end()])];
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = nals.map((nal) =>
    Buffer.concat([Buffer.of(1, nal.length >> 8, nal.length & 255), nal]),
  );
  // §7.3.5: intra 16×16, DC prediction, nothing coded: `00100` `1` `1` `1`.
  const macroblocks = Buffer.alloc((width * height) / 256, 0x27);
  const pictures = [3, 4].map((idrId) => {
    // §7.3.3, 24 bits: first_mb 0, I slices only, frame_num 0, an idr_pic_id unlike the last one's, no deblocking.
    const header = new Bits().ue(0).ue(7).ue(0).u(0, 4).ue(idrId).u(0, 2).ue(0).ue(1);
    const nal = Buffer.concat([Buffer.of(0x65), header.bytes(), macroblocks, Buffer.of(0x80)]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(nal.length);
    return Buffer.concat([length, nal]);
  });
  return {
    avcC: Buffer.concat([Buffer.of(1, 66, 0, 52, 0xff, 0xe1), first.subarray(1), second]),
    sample: (n) => pictures[n % 2] ?? Buffer.alloc(0),
  };
}

export interface FlatClipOptions extends TrackTables {
  readonly frames: number;
  /** Size of the coded pictures in multiples of 16; `width` and `height` are what the index says, by default the same. */
  readonly codedWidth?: number;
  readonly codedHeight?: number;
}

/** An MP4 of grey keyframes that decoders take. */
export function flatClip({ frames, codedWidth = 64, codedHeight = 48, ...tables }: FlatClipOptions): Buffer {
  const { avcC, sample } = flatH264(codedWidth, codedHeight);
  const pictures = [sample(0), sample(1)];
  const media = Buffer.concat(Array.from({ length: frames }, (_, n) => pictures[n % 2] ?? Buffer.alloc(0)));
  const uniform = { count: frames, sizeBytes: sample(0).length };
  return buildMp4({ width: codedWidth, height: codedHeight, ...tables, avcC, media, uniform });
}

/** Bits as H.264 writes them: most significant first, numbers as Exp-Golomb codes (§9.1). */
class Bits {
  #text = '';

  u(value: number, bits: number): this {
    this.#text += value.toString(2).padStart(bits, '0');
    return this;
  }

  ue(value: number): this {
    const text = (value + 1).toString(2);
    return this.u(value + 1, 2 * text.length - 1);
  }

  /** With the stop bit behind them (`rbsp_trailing_bits`). */
  end(): Buffer {
    return this.u(1, 1).bytes();
  }

  bytes(): Buffer {
    const padded = this.#text.padEnd(Math.ceil(this.#text.length / 8) * 8, '0');
    return Buffer.from(padded.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
  }
}
