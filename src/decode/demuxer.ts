import { TikitakaError } from '../../operators/index.js';
import { type CodecOptions, complaint, type FormatContext, type Libav, openParameters, type Stream } from './libav.js';
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
  /** Sends the next coded frame to the decoder; false at the end of the stream or where it breaks off. */
  next(): Promise<boolean>;
  /** Makes a call that waits for a URL's server return. */
  interrupt(): void;
  close(): Promise<void>;
}

/** Chosen: libav asks for its input in pieces of this size; larger ones would delay the first frame. */
const IO_BUFFER_BYTES = 1 << 15;
/** Without an index the reordering of H.264 is not known before it is seen; hierarchical B-frames of up to 7 need 3. */
const H264_REORDER = 3;

/** Opens the container and its video decoder. Errors: ERR_NOT_VIDEO where there is no video in it; ERR_DECODE. */
export async function openDemuxer(options: DemuxerOptions): Promise<VideoDemuxer> {
  const { lib, input, probeBytes, codec, signal, onComplaint } = options;
  const { constants } = lib;
  const container = new lib.FormatContext();
  const io = 'read' in input ? new lib.IOContext() : undefined;
  const close = async () => {
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
    const stream = await findVideo(lib, container);
    const parameters = stream.codecpar;
    if (parameters.codecId === constants.AV_CODEC_ID_H264)
      parameters.videoDelay = Math.max(parameters.videoDelay, H264_REORDER);
    const open = await openParameters(lib, parameters, codec);
    const decoder = createVideoDecoder({ lib, codec: open, onComplaint });
    const packet = new lib.Packet();
    packet.alloc();
    return {
      decoder,
      durationUs: container.duration > 0n ? Number(container.duration) : undefined,
      framesPerSecond: stream.avgFrameRate.num > 0 ? stream.avgFrameRate.num / stream.avgFrameRate.den : undefined,
      tickUs: (stream.timeBase.num * 1e6) / stream.timeBase.den,
      async next() {
        for (;;) {
          const code = await container.readFrame(packet);
          if (code < 0) return false;
          const isVideo = packet.streamIndex === stream.index;
          const sent = isVideo ? await open.context.sendPacket(packet) : 0;
          packet.unref();
          if (sent < 0) onComplaint(complaint(lib, sent));
          if (isVideo) return true;
        }
      },
      interrupt,
      async close() {
        decoder.close();
        packet.free();
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

async function findVideo(lib: Libav, container: FormatContext): Promise<Stream> {
  const best = () => container.findBestStream(lib.constants.AVMEDIA_TYPE_VIDEO);
  // Only a transport stream whose tables come late needs the probing that costs the first frames their speed.
  if (best() < 0) await container.findStreamInfo(null);
  const stream = container.streams[best()];
  if (!stream) throw new TikitakaError('ERR_NOT_VIDEO', 'the stream has no video');
  for (const other of container.streams) if (other.index !== stream.index) other.discard = lib.constants.AVDISCARD_ALL;
  return stream;
}

function check(lib: Libav, code: number): void {
  if (code >= 0) return;
  const libav = complaint(lib, code);
  throw new TikitakaError('ERR_DECODE', `libav cannot open the container: ${libav}`, { details: { libav } });
}
