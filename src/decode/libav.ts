import type {
  Frame as AvFrame,
  Packet as AvPacket,
  Codec,
  CodecContext,
  CodecParameters,
  FormatContext,
  SoftwareScaleContext,
  Stream,
} from 'node-av/lib';
import { TikitakaError } from '../../operators/index.js';
import { checkPixels } from '../limits/index.js';

export type { AvFrame, AvPacket, CodecContext, FormatContext, SoftwareScaleContext, Stream };

/** The one gateway to node-av (FFmpeg in this process); `createVideoDecoder` and `openDemuxer` stand on it. */
export type Libav = typeof import('node-av/lib') & { readonly constants: typeof import('node-av/constants') };

let loading: Promise<Libav> | undefined;

/**
 * Loads node-av's low-level part once; the high-level one would need `Promise.withResolvers`, which Node 20 lacks.
 * ERR_DECODER_UNAVAILABLE where its native part does not load on this machine.
 */
export function loadLibav(): Promise<Libav> {
  loading ??= (async () => {
    try {
      const [lib, constants] = await Promise.all([import('node-av/lib'), import('node-av/constants')]);
      // What libav says about a damaged clip is counted in `problems`; its own printing would go to stderr unasked.
      lib.Log.setLevel(constants.AV_LOG_QUIET);
      return { ...lib, constants };
    } catch (cause) {
      throw new TikitakaError('ERR_DECODER_UNAVAILABLE', 'node-av does not load on this machine', { cause });
    }
  })();
  return loading;
}

export const complaint = (lib: Libav, code: number): string => lib.FFmpegError.strerror(code);

/** What a decoder must know before its first packet. */
export interface CodecDescription {
  /** libav codec name. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly extradata: Uint8Array;
  /** How many later pictures may come before an earlier one in decode order. */
  readonly reorder: number;
}

export interface CodecOptions {
  readonly threads: number;
  /** No memory is taken for a larger picture, whatever the coded frames say. */
  readonly maxPixels: number;
  /** Decode on an NVIDIA card (libav's cuvid decoders), there scaled to this size if one is given. */
  readonly nvdec?: { readonly resize?: { readonly width: number; readonly height: number } };
}

export interface OpenCodec {
  readonly context: CodecContext;
  /** libav's name of the decoder. */
  readonly name: string;
  readonly maxPixels: number;
}

/** Opens the decoder for an indexed clip. ERR_DECODE where libav has none or it refuses the configuration record. */
export async function openCodec(lib: Libav, clip: CodecDescription, options: CodecOptions): Promise<OpenCodec> {
  const { constants } = lib;
  const codecIds = new Map([
    ['h264', constants.AV_CODEC_ID_H264],
    ['hevc', constants.AV_CODEC_ID_HEVC],
    ['vp8', constants.AV_CODEC_ID_VP8],
    ['vp9', constants.AV_CODEC_ID_VP9],
    ['av1', constants.AV_CODEC_ID_AV1],
    ['mpeg4', constants.AV_CODEC_ID_MPEG4],
  ]);
  const codecId = codecIds.get(clip.codec);
  if (codecId === undefined) throw noDecoder(clip.codec);
  const parameters = new lib.CodecParameters();
  parameters.alloc();
  try {
    parameters.codecType = constants.AVMEDIA_TYPE_VIDEO;
    parameters.codecId = codecId;
    parameters.width = clip.width;
    parameters.height = clip.height;
    // Without it libav learns the reordering by dropping the first pictures that come out of order.
    parameters.videoDelay = clip.reorder;
    if (clip.extradata.length > 0) parameters.extradata = Buffer.from(clip.extradata);
    return await openParameters(lib, parameters, options);
  } finally {
    parameters.free();
  }
}

/** libav's own bound (`INT_MAX`). */
const MOST_PIXELS = 2 ** 31 - 1;

/** Opens the decoder for a stream of a demuxer. Errors as `openCodec`; ERR_LIMIT where the container says that pictures are too large. */
export async function openParameters(
  lib: Libav,
  parameters: CodecParameters,
  { threads, maxPixels, nvdec }: CodecOptions,
): Promise<OpenCodec> {
  checkPixels(parameters, { maxPixels });
  const id = parameters.codecId;
  const codecName = lib.avGetCodecName(id) ?? String(id);
  const codec: Codec | null = nvdec ? findCuvid(lib, codecName) : lib.Codec.findDecoder(id);
  if (!codec) throw noDecoder(nvdec ? `${codecName} on NVIDIA` : codecName);
  const context = new lib.CodecContext();
  context.allocContext3(codec);
  context.parametersToContext(parameters);
  context.threadCount = threads;
  const resize = nvdec?.resize;
  const settings = lib.Dictionary.fromObject({
    // Set on the open context it would not reach the decoding threads.
    max_pixels: String(Math.min(maxPixels, MOST_PIXELS)),
    ...(resize ? { resize: `${resize.width}x${resize.height}` } : {}),
  });
  const code = await context.open2(codec, settings);
  settings.free();
  if (code < 0) {
    context.freeContext();
    throw new TikitakaError('ERR_DECODE', `libav cannot open its decoder ${codec.name}: ${complaint(lib, code)}`, {
      details: { decoder: codec.name, libav: complaint(lib, code) },
    });
  }
  return { context, name: codec.name ?? codecName, maxPixels };
}

function findCuvid(lib: Libav, codec: string): Codec | null {
  const { constants } = lib;
  switch (codec) {
    case 'h264':
      return lib.Codec.findDecoderByName(constants.FF_DECODER_H264_CUVID);
    case 'hevc':
      return lib.Codec.findDecoderByName(constants.FF_DECODER_HEVC_CUVID);
    case 'vp8':
      return lib.Codec.findDecoderByName(constants.FF_DECODER_VP8_CUVID);
    case 'vp9':
      return lib.Codec.findDecoderByName(constants.FF_DECODER_VP9_CUVID);
    case 'av1':
      return lib.Codec.findDecoderByName(constants.FF_DECODER_AV1_CUVID);
    default:
      return null;
  }
}

const noDecoder = (codec: string) =>
  new TikitakaError('ERR_DECODE', `libav has no decoder ${codec}`, { details: { codec } });
