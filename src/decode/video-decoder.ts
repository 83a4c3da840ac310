import type { ModelInput } from '../../models/index.js';
import { checkPixels } from '../limits/index.js';
import { type AvPacket, complaint, type Libav, type OpenCodec } from './libav.js';
import { createFrameScaler } from './libav-scaler.js';

/** One decoded picture inside libav; valid until the next call to its decoder. */
export interface Picture {
  /** Presentation time of the packet that it came from, as it was sent; NaN where it had none. */
  readonly pts: number;
  readonly width: number;
  readonly height: number;
  readonly keyframe: boolean;
  /** Parts are concealed. */
  readonly damaged: boolean;
}

/** One libav decoder with its scaler. Calls must not overlap. `send` and `receive`: ERR_LIMIT for pictures larger than `maxPixels`. */
export interface VideoDecoder {
  readonly name: string;
  /** Takes a coded frame in. All pictures that are ready must have been received before. */
  send(bytes: Uint8Array, pts: number): Promise<void>;
  /** The same with libav's own packet, which stays the caller's. */
  sendPacket(packet: AvPacket): Promise<void>;
  /** Says that nothing more comes: `receive` until undefined, then `flush`. */
  drain(): Promise<void>;
  /** The next finished picture, undefined where more must be sent. */
  receive(): Promise<Picture | undefined>;
  /** Scales the picture received last into a slot's memory (see `FrameScaler`). */
  scale(input: ModelInput, memory: Uint8Array): Promise<void>;
  /** Forgets everything held back, before a jump. */
  flush(): void;
  close(): void;
}

export interface VideoDecoderOptions {
  readonly lib: Libav;
  readonly codec: OpenCodec;
  /** Size of the pictures before the decoder itself scales them (`nvdec.resize`). */
  readonly sourceSize?: { readonly width: number; readonly height: number };
  /** Called with libav's words for each packet that it cannot decode. */
  onComplaint(message: string): void;
}

/** Consecutive complaints after which the decoder is taken to be at its end rather than asked for ever. Chosen. */
const MAX_COMPLAINTS = 64;

/** Puts an open codec behind calls that know nothing of libav's packets and frames; owns the codec from here on. */
export function createVideoDecoder({ lib, codec, sourceSize, onComplaint }: VideoDecoderOptions): VideoDecoder {
  const { context } = codec;
  const packet = new lib.Packet();
  packet.alloc();
  const frame = new lib.Frame();
  frame.alloc();
  const scaler = createFrameScaler(lib);
  const { AVERROR_EAGAIN, AVERROR_EOF, AV_FRAME_FLAG_CORRUPT, AV_FRAME_FLAG_KEY, AV_NOPTS_VALUE } = lib.constants;
  const complain = (code: number) => {
    // libav says no more than "invalid data" of a picture that it takes no memory for; the size it has read by then.
    checkPixels(context, codec);
    onComplaint(complaint(lib, code));
  };
  const sendPacket = async (coded: AvPacket) => {
    const code = await context.sendPacket(coded);
    if (code < 0) complain(code);
  };
  return {
    name: `libav ${codec.name}`,
    sendPacket,
    async send(bytes, pts) {
      packet.data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      packet.pts = BigInt(pts);
      packet.dts = BigInt(pts);
      await sendPacket(packet).finally(() => packet.unref());
    },
    async drain() {
      await context.sendPacket(null);
    },
    async receive() {
      frame.unref();
      for (let complaints = 0; complaints < MAX_COMPLAINTS; complaints++) {
        const code = await context.receiveFrame(frame);
        if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return undefined;
        if (code >= 0) {
          checkPixels(frame, codec);
          return {
            pts: frame.pts === AV_NOPTS_VALUE ? Number.NaN : Number(frame.pts),
            width: sourceSize?.width ?? frame.width,
            height: sourceSize?.height ?? frame.height,
            keyframe: frame.hasFlags(AV_FRAME_FLAG_KEY),
            damaged: frame.hasFlags(AV_FRAME_FLAG_CORRUPT) || frame.decodeErrorFlags !== 0,
          };
        }
        // With frame threads the complaint about a packet comes here, and further pictures behind it.
        complain(code);
      }
      return undefined;
    },
    scale: (input, memory) => scaler.scale(frame, sourceSize ?? frame, input, memory),
    flush: () => context.flushBuffers(),
    close() {
      scaler.close();
      frame.free();
      packet.free();
      context.freeContext();
    },
  };
}
