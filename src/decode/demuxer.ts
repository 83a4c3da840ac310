import { TikitakaError } from '../../operators/index.js';
import { limitError } from '../limits/index.js';
import {
  type AvPacket,
  type CodecOptions,
  complaint,
  type FormatContext,
  type Libav,
  openParameters,
  type Stream,
} from './libav.js';
import { createVideoDecoder, type VideoDecoder } from './video-decoder.js';

/** Where libav's demuxer gets its bytes. */
export type DemuxerInput =
  /** At most `size` bytes, null at the end. Called from a pool thread that waits for the answer: it must always settle. */
  | { readonly read: (size: number) => Promise<Uint8Array | null>; readonly format: string }
  /** libav opens the file or URL itself. */
  | { readonly url: string };

export interface DemuxerOptions {
  readonly lib: Libav;
  readonly input: DemuxerInput;
  /** Upper bound on what libav reads to find out about the streams. */
  readonly probeBytes: number;
  readonly codec: CodecOptions;
  /** A larger coded frame is ERR_LIMIT. */
  readonly maxSampleBytes: number;
  /** Ends an opening that waits for a URL's server; a `read` has to end by itself. */
  readonly signal?: AbortSignal;
  onComplaint(message: string): void;
}

/** A container that libav reads, with the decoder of its video. Calls must not overlap. */
export interface VideoDemuxer {
  readonly decoder: VideoDecoder;
  /** As the container says; undefined where it does not. */
  readonly durationUs: number | undefined;
  readonly framesPerSecond: number | undefined;
  /** Microseconds per tick of the pictures' `pts`. */
  readonly tickUs: number;
  /** Sends the next coded frame to the decoder; false at the end of the stream or where it breaks off. Errors: ERR_LIMIT. */
  next(): Promise<boolean>;
  /** Makes a call that waits for a URL's server return. */
  interrupt(): void;
  close(): Promise<void>;
}

/** Chosen: libav asks for its input in pieces of this size; larger ones would delay the first frame. */
const IO_BUFFER_BYTES = 1 << 15;
/** Without an index the reordering of H.264 is not known before it is seen; hierarchical B-frames of up to 7 need 3. */
const H264_REORDER = 3;

/** Opens the container and its video decoder. Errors: ERR_NOT_VIDEO where there is no video in it; ERR_DECODE; ERR_LIMIT. */
export async function openDemuxer(options: DemuxerOptions): Promise<VideoDemuxer> {
  const { lib, input, probeBytes, codec, maxSampleBytes, signal, onComplaint } = options;
  const { constants } = lib;
  const container = new lib.FormatContext();
  const io = 'read' in input ? new lib.IOContext() : undefined;
  const packet = new lib.Packet();
  const close = async () => {
    packet.free();
    if (io) container.pb = null;
    io?.freeContext();
    await container.closeInput();
  };
  const interrupt = () => container.interrupt();
  signal?.addEventListener('abort', interrupt);
  try {
    container.allocContext();
    container.probesize = BigInt(probeBytes);
    if (io && 'read' in input) {
      const read = async (size: number) => {
        const bytes = await input.read(size);
        return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      };
      io.allocContextWithCallbacks(IO_BUFFER_BYTES, 0, read, null, null);
      container.pb = io;
      container.setFlags(constants.AVFMT_FLAG_CUSTOM_IO);
    }
    const format = 'format' in input ? lib.InputFormat.findInputFormat(input.format) : null;
    check(lib, await container.openInput('url' in input ? input.url : '', format, null));
    packet.alloc();
    const { stream, hasFirst } = await findVideo(lib, container, { packet, probeBytes });
    let held = hasFirst;
    const parameters = stream.codecpar;
    if (parameters.codecId === constants.AV_CODEC_ID_H264)
      parameters.videoDelay = Math.max(parameters.videoDelay, H264_REORDER);
    const open = await openParameters(lib, parameters, codec);
    const decoder = createVideoDecoder({ lib, codec: open, onComplaint });
    return {
      decoder,
      durationUs: container.duration > 0n ? Number(container.duration) : undefined,
      framesPerSecond: stream.avgFrameRate.num > 0 ? stream.avgFrameRate.num / stream.avgFrameRate.den : undefined,
      tickUs: (stream.timeBase.num * 1e6) / stream.timeBase.den,
      async next() {
        for (;;) {
          const code = held ? 0 : await container.readFrame(packet);
          held = false;
          if (code < 0) return false;
          try {
            if (packet.streamIndex !== stream.index) continue;
            if (packet.size > maxSampleBytes) throw limitError('maxSampleBytes', packet.size, maxSampleBytes);
            await decoder.sendPacket(packet);
            return true;
          } finally {
            packet.unref();
          }
        }
      },
      interrupt,
      async close() {
        decoder.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', interrupt);
  }
}

/**
 * The video stream, and whether `packet` holds its first coded frame. libav's own probing is not asked: it decodes pictures of
 * whatever size, and costs the first frames their speed.
 */
async function findVideo(
  lib: Libav,
  container: FormatContext,
  { packet, probeBytes }: { readonly packet: AvPacket; readonly probeBytes: number },
): Promise<{ readonly stream: Stream; readonly hasFirst: boolean }> {
  const find = () => container.streams[container.findBestStream(lib.constants.AVMEDIA_TYPE_VIDEO)];
  let stream = find();
  let hasFirst = false;
  // The tables of a transport stream may come late.
  for (let bytes = 0; !stream && bytes < probeBytes; ) {
    packet.unref();
    if ((await container.readFrame(packet)) < 0) break;
    bytes += packet.size;
    stream = find();
    hasFirst = packet.streamIndex === stream?.index;
  }
  if (!stream) throw new TikitakaError('ERR_NOT_VIDEO', 'the stream has no video');
  for (const other of container.streams) if (other.index !== stream.index) other.discard = lib.constants.AVDISCARD_ALL;
  return { stream, hasFirst };
}

function check(lib: Libav, code: number): void {
  if (code >= 0) return;
  const libav = complaint(lib, code);
  throw new TikitakaError('ERR_DECODE', `libav cannot open the container: ${libav}`, { details: { libav } });
}
