import type { Frame as AvFrame, CodecContext, Packet, SoftwareScaleContext } from 'node-av/lib';
import type { ModelInput } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import { fitPicture, padPicture } from './fit.js';

/** What a decoder must know before its first packet. */
export interface VideoDecoderOptions {
  /** libav codec name. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly extradata: Uint8Array;
  /** How many later pictures may come before an earlier one in decode order. */
  readonly reorder: number;
  readonly threads: number;
  /** Called with libav's words for each packet that it cannot decode. */
  onComplaint(message: string): void;
}

/** One decoded picture inside libav; valid until the next call to its decoder. */
export interface Picture {
  /** The `id` of the packet that it came from. */
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly keyframe: boolean;
  readonly damaged: boolean;
}

/** One libav decoder with its scaler. Calls never overlap. */
export interface VideoDecoder {
  readonly name: string;
  /** Takes a packet in; its pictures carry `id`. All pictures that are ready must have been received before. */
  send(bytes: Uint8Array, id: number): Promise<void>;
  /** Says that no more packets come: `receive` until undefined, then `flush`. */
  drain(): Promise<void>;
  /** The next finished picture, undefined where more packets are needed. */
  receive(): Promise<Picture | undefined>;
  /** Scales the picture received last into `memory` (uint8 [height, width, 3] RGB of `input`, with SLOT_MARGIN_BYTES behind). */
  scale(input: ModelInput, memory: Uint8Array): Promise<void>;
  /** Forgets everything held back, before a jump. */
  flush(): void;
  close(): void;
}

type Libav = typeof import('node-av/lib') & { readonly constants: typeof import('node-av/constants') };

let loading: Promise<Libav> | undefined;

/** Loads node-av once. ERR_DECODER_UNAVAILABLE where its native part does not load on this machine. */
export function loadLibav(): Promise<Libav> {
  loading ??= (async () => {
    try {
      const [lib, constants] = await Promise.all([import('node-av/lib'), import('node-av/constants')]);
      lib.Log.setLevel(constants.AV_LOG_QUIET);
      return { ...lib, constants };
    } catch (cause) {
      throw new TikitakaError('ERR_DECODER_UNAVAILABLE', 'node-av does not load on this machine', { cause });
    }
  })();
  return loading;
}

/** Opens a decoder. ERR_DECODE where libav has none for the codec or refuses the configuration record. */
export async function openVideoDecoder(options: VideoDecoderOptions): Promise<VideoDecoder> {
  const lib = await loadLibav();
  const { constants } = lib;
  const codecIds = {
    h264: constants.AV_CODEC_ID_H264,
    hevc: constants.AV_CODEC_ID_HEVC,
    vp8: constants.AV_CODEC_ID_VP8,
    vp9: constants.AV_CODEC_ID_VP9,
    av1: constants.AV_CODEC_ID_AV1,
    mpeg4: constants.AV_CODEC_ID_MPEG4,
  };
  const codecId = Object.entries(codecIds).find(([name]) => name === options.codec)?.[1];
  const codec = codecId === undefined ? null : lib.Codec.findDecoder(codecId);
  if (codecId === undefined || !codec)
    throw new TikitakaError('ERR_DECODE', `libav has no decoder for ${options.codec}`, {
      details: { codec: options.codec },
    });

  const parameters = new lib.CodecParameters();
  parameters.alloc();
  parameters.codecType = constants.AVMEDIA_TYPE_VIDEO;
  parameters.codecId = codecId;
  parameters.width = options.width;
  parameters.height = options.height;
  // Without it libav learns the reordering by dropping the first pictures that come out of order.
  parameters.videoDelay = options.reorder;
  if (options.extradata.length > 0) parameters.extradata = Buffer.from(options.extradata);
  const context = new lib.CodecContext();
  context.allocContext3(codec);
  context.parametersToContext(parameters);
  parameters.free();
  context.threadCount = options.threads;
  const opened = await context.open2(null, null);
  if (opened < 0) {
    context.freeContext();
    throw new TikitakaError('ERR_DECODE', 'libav refuses the decoder configuration of the clip', {
      details: { codec: options.codec, libav: complaint(lib, opened) },
    });
  }
  return createVideoDecoder(lib, context, `libav ${codec.name ?? options.codec}`, options.onComplaint);
}

const complaint = (lib: Libav, code: number): string => lib.FFmpegError.strerror(code);

function createVideoDecoder(
  lib: Libav,
  context: CodecContext,
  name: string,
  onComplaint: (message: string) => void,
): VideoDecoder {
  const packet: Packet = new lib.Packet();
  packet.alloc();
  const frame: AvFrame = new lib.Frame();
  frame.alloc();
  const scaler = createScaler(lib);
  const { AVERROR_EAGAIN, AVERROR_EOF, AVERROR_INVALIDDATA, AV_FRAME_FLAG_CORRUPT, AV_FRAME_FLAG_KEY } = lib.constants;
  return {
    name,
    async send(bytes, id) {
      packet.data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      packet.pts = BigInt(id);
      packet.dts = BigInt(id);
      const code = await context.sendPacket(packet);
      packet.unref();
      if (code < 0) onComplaint(complaint(lib, code));
    },
    async drain() {
      await context.sendPacket(null);
    },
    async receive() {
      frame.unref();
      for (;;) {
        const code = await context.receiveFrame(frame);
        if (code === AVERROR_EAGAIN || code === AVERROR_EOF) return undefined;
        if (code < 0) {
          // With frame threads a damaged packet surfaces here; further pictures may be behind it.
          onComplaint(complaint(lib, code));
          if (code !== AVERROR_INVALIDDATA) return undefined;
          continue;
        }
        return {
          id: Number(frame.pts),
          width: frame.width,
          height: frame.height,
          keyframe: frame.hasFlags(AV_FRAME_FLAG_KEY),
          damaged: frame.hasFlags(AV_FRAME_FLAG_CORRUPT) || frame.decodeErrorFlags !== 0,
        };
      }
    },
    scale: (input, memory) => scaler.scale(frame, input, memory),
    flush: () => context.flushBuffers(),
    close() {
      scaler.close();
      frame.free();
      packet.free();
      context.freeContext();
    },
  };
}

interface FrameScaler {
  scale(frame: AvFrame, input: ModelInput, memory: Uint8Array): Promise<void>;
  close(): void;
}

/** One swscale context, made again when the pictures change; concurrent calls on one would crash the process (LAB.md). */
function createScaler(lib: Libav): FrameScaler {
  const { SWS_POINT, SWS_FAST_BILINEAR, SWS_BILINEAR, SWS_BICUBIC, SWS_AREA, AV_PIX_FMT_RGB24, AVCOL_RANGE_JPEG } =
    lib.constants;
  const flags = {
    point: SWS_POINT,
    'fast-bilinear': SWS_FAST_BILINEAR,
    bilinear: SWS_BILINEAR,
    bicubic: SWS_BICUBIC,
    area: SWS_AREA,
  };
  let context: SoftwareScaleContext | undefined;
  let contextKey = '';
  return {
    async scale(frame, input, memory) {
      const { width, height, format, linesize, data } = frame;
      if (!data || !frame.isVideo()) throw new TikitakaError('ERR_DECODE', 'the decoded picture has no pixels');
      const fit = fitPicture(input, width, height);
      const key = [width, height, format, frame.colorRange, fit.width, fit.height, input.filter].join();
      if (!context || key !== contextKey) {
        context?.freeContext();
        context = new lib.SoftwareScaleContext();
        context.allocContext();
        context.setOption('srcw', width);
        context.setOption('srch', height);
        context.setOption('src_format', Number(format));
        context.setOption('dstw', fit.width);
        context.setOption('dsth', fit.height);
        context.setOption('dst_format', AV_PIX_FMT_RGB24);
        context.setOption('sws_flags', flags[input.filter]);
        if (frame.colorRange === AVCOL_RANGE_JPEG) context.setOption('src_range', 1);
        if (context.initContext() < 0)
          throw new TikitakaError('ERR_DECODE', 'the decoded pixel format cannot be scaled', { details: { format } });
        contextKey = key;
      }
      const row = input.width * 3;
      const target = Buffer.from(memory.buffer, memory.byteOffset + fit.top * row + fit.left * 3);
      const lines = await context.scale(data, linesize.slice(0, data.length), 0, height, [target], [row]);
      if (lines !== fit.height)
        throw new TikitakaError('ERR_DECODE', 'scaling failed', { details: { libav: complaint(lib, lines) } });
      padPicture(memory, input, fit);
    },
    close: () => context?.freeContext(),
  };
}
