import { TikitakaError } from '../../operators/index.js';
import type { PacketDecoder, PacketDecoderOptions, StreamDecoder, StreamDecoderOptions } from './decoder.js';
import { type FfmpegBinary, findFfmpeg } from './ffmpeg.js';
import { openFfmpegPacketDecoder } from './ffmpeg-packet-decoder.js';
import { openFfmpegStreamDecoder } from './ffmpeg-stream-decoder.js';
import { loadLibav, openCodec } from './libav.js';
import { openPacketDecoder } from './packet-decoder.js';
import { openStreamDecoder } from './stream-decoder.js';

export interface DecoderChoice {
  /** `DECODER`: `auto` takes libav and falls back on ffmpeg where node-av does not load. */
  readonly decoder: 'auto' | 'libav' | 'ffmpeg';
  /** `FFMPEG_PATH`. */
  readonly ffmpegPath?: string;
  /** `USE_NVDEC`, and with `fixedScale` (`NVDEC_FIXED_SCALE`) scaling on the card too. Indexed clips with libav only. */
  readonly nvdec?: { readonly fixedScale: boolean };
}

/** A decoder and why it is not the one that was asked for first: one entry for each that was passed over. */
export interface Chosen<T> {
  readonly decoder: T;
  readonly fallbacks: readonly string[];
}

/** Opens the decoder for an indexed clip. Errors as `openPacketDecoder`; ERR_DECODER_UNAVAILABLE where none is left. */
export function choosePacketDecoder(
  choice: DecoderChoice,
  options: PacketDecoderOptions,
): Promise<Chosen<PacketDecoder>> {
  const libav = () => openPacketDecoder(options);
  const ffmpeg = async () => openFfmpegPacketDecoder({ ...options, binary: await theFfmpeg(choice) });
  const { nvdec } = choice;
  const onCard = nvdec && choice.decoder !== 'ffmpeg' ? [() => openPacketDecoder({ ...options, nvdec })] : [];
  return firstThatOpens(choice, onCard, libav, ffmpeg);
}

/** Opens the decoder for a clip without an index. Errors as `openStreamDecoder`. */
export function chooseStreamDecoder(
  choice: DecoderChoice,
  options: StreamDecoderOptions,
): Promise<Chosen<StreamDecoder>> {
  const libav = () => openStreamDecoder(options);
  const ffmpeg = async () => openFfmpegStreamDecoder({ ...options, binary: await theFfmpeg(choice) });
  return firstThatOpens(choice, [], libav, ffmpeg);
}

/**
 * Loads what the choice needs (node-av takes about 0.3 s once, a search for ffmpeg some processes) and tells which decoder that is and
 * why it is none that comes before it. Errors: ERR_DECODER_UNAVAILABLE where none is left.
 */
export async function loadDecoder(choice: DecoderChoice): Promise<Chosen<string>> {
  const libav = async () => `libav ${(await loadLibav()).getFFmpegInfo().version} in process`;
  const ffmpeg = async () => {
    const { version, path } = await theFfmpeg(choice);
    return `ffmpeg ${version} at ${path}, a process for each clip`;
  };
  return firstThatOpens(choice, [], libav, ffmpeg);
}

/** `loadDecoder` where opening a clip is early enough to tell what is missing. */
export async function warmUpDecoder(choice: DecoderChoice): Promise<void> {
  await loadDecoder(choice).catch(() => undefined);
}

/** Why clips would not be decoded on an NVIDIA card; undefined where they would. */
export async function nvdecFault(): Promise<string | undefined> {
  const clip = { codec: 'h264', width: 1920, height: 1080, extradata: new Uint8Array(), reorder: 0 };
  try {
    const maxPixels = clip.width * clip.height;
    const { context } = await openCodec(await loadLibav(), clip, { threads: 1, maxPixels, nvdec: {} });
    context.freeContext();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const found = new Map<string, Promise<FfmpegBinary>>();

/** Searches once for each `FFMPEG_PATH`; a search that found nothing is made again. */
function theFfmpeg({ ffmpegPath }: Pick<DecoderChoice, 'ffmpegPath'>): Promise<FfmpegBinary> {
  const key = ffmpegPath ?? '';
  const known = found.get(key);
  if (known) return known;
  const search = findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
  found.set(key, search);
  search.catch(() => found.delete(key));
  return search;
}

async function firstThatOpens<T>(
  { decoder }: DecoderChoice,
  onCard: readonly (() => Promise<T>)[],
  libav: () => Promise<T>,
  ffmpeg: () => Promise<T>,
): Promise<Chosen<T>> {
  const fallbacks: string[] = [];
  for (const open of onCard) {
    try {
      return { decoder: await open(), fallbacks };
    } catch (error) {
      fallbacks.push(`no hardware decoding: ${messageOf(error)}`);
    }
  }
  if (decoder === 'ffmpeg') return { decoder: await ffmpeg(), fallbacks };
  try {
    return { decoder: await libav(), fallbacks };
  } catch (error) {
    // Only a library that does not load calls for another: what libav says of the clip itself, ffmpeg would say too.
    if (decoder === 'libav' || !(error instanceof TikitakaError) || error.code !== 'ERR_DECODER_UNAVAILABLE')
      throw error;
    fallbacks.push(`no libav: ${messageOf(error)}`);
    return { decoder: await ffmpeg(), fallbacks };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
