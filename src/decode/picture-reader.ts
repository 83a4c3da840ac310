import { TikitakaError } from '../../operators/index.js';
import type { FrameRate, PlanarPicture } from './clip-writer.js';
import {
  type AvFrame,
  type CodecContext,
  complaint,
  type FormatContext,
  type Libav,
  loadLibav,
  openParameters,
  type Stream,
} from './libav.js';

/** 8-bit RGBA, rows contiguous. */
export interface RgbaPicture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray;
}

/** The pictures of a clip at their original size, in presentation order, for drawing on. Calls must not overlap. */
export interface PictureReader {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: FrameRate;
  /** Decodes the next picture; false behind the last. Errors: ERR_DECODE, ERR_RELEASED after `close`. */
  next(): Promise<boolean>;
  /** The picture decoded last as 8-bit 4:2:0; valid until the next call. */
  planar(): Promise<PlanarPicture>;
  /** The picture decoded last, scaled. */
  rgba(size: { readonly width: number; readonly height: number }): Promise<RgbaPicture>;
  /** Frees everything, after the running call. Idempotent. */
  close(): Promise<void>;
}

/** Complaints of libav about one picture before the clip is taken to end there. Chosen. */
const MAX_COMPLAINTS = 64;

/** Opens a file, or a URL that libav itself reads. Errors: ERR_DECODE, ERR_NOT_VIDEO, ERR_DECODER_UNAVAILABLE. */
export async function openPictureReader(target: string): Promise<PictureReader> {
  const lib = await loadLibav();
  const container = new lib.FormatContext();
  container.allocContext();
  try {
    check(lib, await container.openInput(target, null, null), target);
    check(lib, await container.findStreamInfo(null), target);
    const place = container.findBestStream(lib.constants.AVMEDIA_TYPE_VIDEO);
    const stream = container.streams[place];
    if (!stream) throw new TikitakaError('ERR_NOT_VIDEO', `${target} has no video`);
    const { context } = await openParameters(lib, stream.codecpar, {
      threads: 2,
      // Whoever has a clip drawn on has chosen it.
      maxPixels: Number.POSITIVE_INFINITY,
    });
    return createReader(lib, container, context, stream);
  } catch (error) {
    await container.closeInput();
    throw error;
  }
}

function createReader(lib: Libav, container: FormatContext, context: CodecContext, stream: Stream): PictureReader {
  const { AV_PIX_FMT_RGBA, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, AVERROR_EAGAIN, AVERROR_EOF } = lib.constants;
  const packet = new lib.Packet();
  packet.alloc();
  const frame = new lib.Frame();
  frame.alloc();
  const converted = new lib.Frame();
  converted.alloc();
  let open = true;
  let running: Promise<unknown> = Promise.resolve();

  /** Remembers a call into libav, so that `close` frees nothing under it. */
  function call<T>(work: () => Promise<T>): Promise<T> {
    const result = open ? work() : Promise.reject(new TikitakaError('ERR_RELEASED', 'the reader is closed'));
    running = result.catch(() => undefined);
    return result;
  }

  /** Converts the frame; `converted` holds the result until the next call. */
  async function convert(width: number, height: number, format: typeof AV_PIX_FMT_RGBA): Promise<AvFrame> {
    converted.unref();
    converted.width = width;
    converted.height = height;
    converted.format = format;
    check(lib, converted.allocBuffer(), 'a picture');
    const scaler = new lib.SoftwareScaleContext();
    try {
      scaler.allocContext(); // it takes sizes and formats from the frames

      check(lib, await scaler.scaleFrame(converted, frame), 'a picture');
    } finally {
      scaler.freeContext();
    }
    return converted;
  }

  async function send(): Promise<void> {
    while ((await container.readFrame(packet)) >= 0) {
      const ours = packet.streamIndex === stream.index;
      // A damaged packet is skipped, as the pipeline does.
      if (ours) await context.sendPacket(packet);
      packet.unref();
      if (ours) return;
    }
    await context.sendPacket(null);
  }

  async function next(): Promise<boolean> {
    for (let complaints = 0; complaints < MAX_COMPLAINTS; ) {
      const code = await context.receiveFrame(frame);
      if (code >= 0) return true;
      if (code === AVERROR_EOF) return false;
      if (code === AVERROR_EAGAIN) await send();
      else complaints++;
    }
    return false;
  }

  async function planar(): Promise<PlanarPicture> {
    const plain = frame.format === AV_PIX_FMT_YUV420P || frame.format === AV_PIX_FMT_YUVJ420P;
    const source = plain ? frame : await convert(frame.width, frame.height, AV_PIX_FMT_YUV420P);
    const [y, u, v] = source.data ?? [];
    if (!y || !u || !v) throw new TikitakaError('ERR_DECODE', 'the decoded picture has no pixels');
    const [yStride = 0, uStride = 0, vStride = 0] = source.linesize;
    return { width: source.width, height: source.height, planes: [y, u, v], strides: [yStride, uStride, vStride] };
  }

  async function rgba({ width, height }: { readonly width: number; readonly height: number }): Promise<RgbaPicture> {
    const { data, linesize } = await convert(width, height, AV_PIX_FMT_RGBA);
    const [pixels] = data ?? [];
    const stride = linesize[0] ?? 0;
    if (!pixels) throw new TikitakaError('ERR_DECODE', 'the decoded picture has no pixels');
    const copy = new Uint8ClampedArray(width * height * 4);
    for (let row = 0; row < height; row++)
      copy.set(pixels.subarray(row * stride, row * stride + width * 4), row * width * 4);
    return { width, height, rgba: copy };
  }

  const rate = stream.avgFrameRate.num > 0 ? stream.avgFrameRate : stream.rFrameRate;
  return {
    width: stream.codecpar.width,
    height: stream.codecpar.height,
    framesPerSecond: { num: rate.num, den: rate.den },
    next: () => call(next),
    planar: () => call(planar),
    rgba: (size) => call(() => rgba(size)),
    async close() {
      if (!open) return;
      open = false;
      await running;
      for (const held of [frame, converted, packet]) held.free();
      context.freeContext();
      await container.closeInput();
    },
  };
}

function check(lib: Libav, code: number, what: string): void {
  if (code >= 0) return;
  throw new TikitakaError('ERR_DECODE', `libav cannot read ${what}: ${complaint(lib, code)}`);
}
