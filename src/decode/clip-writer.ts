import type { EncoderOptions, Frame } from 'node-av';
import { OptionError, TikitakaError } from '../../operators/index.js';

export type ClipContainer = 'mp4' | 'fmp4' | 'mpegts' | 'webm' | 'mkv';
export type ClipCodec = 'h264' | 'hevc' | 'vp9' | 'av1';

/** Frames per second as a fraction, e.g. 30000 / 1001. */
export interface FrameRate {
  readonly num: number;
  readonly den: number;
}

/** An 8-bit 4:2:0 picture: Y, then U and V at half the size (rounded up), each row `strides[plane]` bytes after the one above. */
export interface PlanarPicture {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly [y: Uint8Array, u: Uint8Array, v: Uint8Array];
  readonly strides: readonly [y: number, u: number, v: number];
}

export interface VideoWriterOptions {
  readonly path: string;
  readonly container: ClipContainer;
  readonly codec: ClipCodec;
  /** Pixels of the coded picture; both even. */
  readonly width: number;
  readonly height: number;
  /** Pixels of the pictures that `write` gets, which are scaled (bicubic) when they differ; default the coded size. */
  readonly pictureWidth?: number;
  readonly pictureHeight?: number;
  readonly framesPerSecond: FrameRate;
  /** Frames from one keyframe to the next. */
  readonly gop: number;
  /** B-frames between two references; H.264 and HEVC only. */
  readonly bFrames: number;
  /** Where a plain MP4 keeps its index: `start` rewrites the file at the end (faststart). */
  readonly moov: 'start' | 'end';
  readonly bitrateBps: number;
}

/** A video file in the making. Calls must not overlap, but for `abort`; after it, writing fails with ERR_RELEASED. */
export interface VideoWriter {
  /** Codes one picture: RGBA, 8 bits, rows contiguous. The pixels may be reused once this resolves. Errors: ERR_ENCODE. */
  write(rgba: Uint8Array | Uint8ClampedArray): Promise<void>;
  /** Codes one picture that `fill` writes, all of it, into the coder's own memory. Errors: ERR_ENCODE. */
  writePlanar(fill: (picture: PlanarPicture) => void): Promise<void>;
  /** Codes what is still inside, completes the file and lets go of everything. Errors: ERR_ENCODE. */
  finish(): Promise<void>;
  /** Lets go of everything, after the running call, without completing the file. Idempotent; a no-op after `finish`. */
  abort(): Promise<void>;
}

const FORMATS = { mp4: 'mp4', fmp4: 'mp4', mpegts: 'mpegts', webm: 'webm', mkv: 'matroska' } as const;
const THREADS = 2;

/** Every GOP as long as asked, no scene cuts, B-frames in a fixed pattern and never as references: clips with known structure. */
function codecOptions({ codec, gop, bFrames }: VideoWriterOptions): Readonly<Record<string, string>> {
  const fixed = `keyint=${gop}:min-keyint=${gop}:scenecut=0:bframes=${bFrames}:b-adapt=0`;
  switch (codec) {
    case 'h264':
      return { preset: 'veryfast', 'x264-params': `${fixed}:b-pyramid=none` };
    case 'hevc':
      return { preset: 'ultrafast', 'x265-params': `${fixed}:b-pyramid=0:open-gop=0:pools=${THREADS}:log-level=error` };
    case 'vp9':
      return { deadline: 'realtime', 'cpu-used': '8', 'row-mt': '1' };
    case 'av1':
      return { preset: '12' };
  }
}

function muxerOptions({ container, moov }: VideoWriterOptions): Readonly<Record<string, string>> {
  if (container === 'fmp4') return { movflags: 'frag_keyframe+empty_moov+default_base_moof' };
  return container === 'mp4' && moov === 'start' ? { movflags: 'faststart' } : {};
}

const guarded = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof TikitakaError) throw cause;
    throw new TikitakaError('ERR_ENCODE', `cannot encode ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
};

/** node-av's high-level part, which patches what Node 20 lacks: only who writes clips loads it. */
async function loadEncoders(): Promise<typeof import('node-av')> {
  try {
    await import('./promise-with-resolvers.js');
    return await import('node-av');
  } catch (cause) {
    throw new TikitakaError('ERR_ENCODE', 'node-av does not load on this machine: no clip can be written', { cause });
  }
}

/** Opens a video file for writing through FFmpeg's encoders, in this process. Errors: ERR_OPTION, ERR_ENCODE. */
export async function openVideoWriter(options: VideoWriterOptions): Promise<VideoWriter> {
  const { path, width, height, framesPerSecond } = options;
  const { pictureWidth = width, pictureHeight = height } = options;
  const timeBase = { num: framesPerSecond.den, den: framesPerSecond.num };
  if (width % 2 || height % 2) throw new OptionError(`a coded picture has even sides, not ${width} × ${height}`);
  const av = await loadEncoders();
  const { AV_PIX_FMT_RGBA, AV_PIX_FMT_YUV420P, Rational } = av;
  const coders = {
    h264: av.FF_ENCODER_LIBX264,
    hevc: av.FF_ENCODER_LIBX265,
    vp9: av.FF_ENCODER_LIBVPX_VP9,
    av1: av.FF_ENCODER_LIBSVTAV1,
  };
  av.Log.setLevel(av.AV_LOG_QUIET); // process-wide in FFmpeg; the encoders print their statistics otherwise
  return guarded(path, async () => {
    const settings: EncoderOptions = {
      bitrate: options.bitrateBps,
      gopSize: options.gop,
      ...(options.codec === 'h264' || options.codec === 'hevc' ? { maxBFrames: options.bFrames } : {}),
      threadCount: THREADS,
      options: codecOptions(options),
      configure: (context) => {
        context.framerate = new Rational(framesPerSecond.num, framesPerSecond.den);
        if (options.codec === 'hevc') context.codecTag = 'hvc1';
      },
    };
    const encoder = await av.Encoder.create(coders[options.codec], settings);
    const muxer = await av.Muxer.open(path, {
      format: FORMATS[options.container],
      options: muxerOptions(options),
    }).catch((cause) => {
      encoder.close();
      throw cause;
    });
    const stream = muxer.addStream(encoder);
    const scaler = new av.SoftwareScaleContext();
    scaler.getContext(pictureWidth, pictureHeight, AV_PIX_FMT_RGBA, width, height, AV_PIX_FMT_YUV420P, av.SWS_BICUBIC);
    let count = 0n;
    let open = true;
    let running: Promise<unknown> = Promise.resolve();

    /** Remembers a call into the coder, so that `release` frees nothing under it. */
    function call(work: () => Promise<void>): Promise<void> {
      const released = new TikitakaError('ERR_RELEASED', `${path} is no longer written`);
      const result = open ? guarded(path, work) : Promise.reject(released);
      running = result.catch(() => undefined);
      return result;
    }

    async function release(): Promise<void> {
      if (!open) return;
      open = false;
      await running;
      scaler.freeContext();
      encoder.close();
      // node-av 6.1.1 sets this flag for its own files too, and then frees them without closing (seen in /proc/self/fd).
      muxer.getFormatContext().clearFlags(av.AVFMT_FLAG_CUSTOM_IO);
      await muxer.close();
    }

    async function drain(frame: Frame | null): Promise<void> {
      for (const packet of await encoder.encodeAll(frame)) {
        try {
          await muxer.writePacket(packet, stream);
        } finally {
          packet.free();
        }
      }
    }

    /** Codes a picture that `fill` puts into fresh memory of the coder. */
    async function code(fill: (coded: Frame) => Promise<unknown> | undefined): Promise<void> {
      using coded = new av.Frame();
      coded.alloc();
      coded.width = width;
      coded.height = height;
      coded.format = AV_PIX_FMT_YUV420P;
      // swscale converts by BT.601, whatever the size; so the clip says so.
      coded.colorSpace = av.AVCOL_SPC_SMPTE170M;
      coded.colorRange = av.AVCOL_RANGE_MPEG;
      coded.timeBase = new Rational(timeBase.num, timeBase.den);
      coded.pts = count++;
      coded.allocBuffer();
      await fill(coded);
      await drain(coded);
    }

    return {
      write: (rgba) =>
        call(async () => {
          const pixels = Buffer.from(rgba.buffer, rgba.byteOffset, rgba.byteLength);
          const format = AV_PIX_FMT_RGBA;
          using picture = av.Frame.fromVideoBuffer(pixels, {
            width: pictureWidth,
            height: pictureHeight,
            format,
            timeBase,
          });
          await code((coded) => scaler.scaleFrame(coded, picture));
        }),
      writePlanar: (fill) =>
        call(() =>
          code((coded) => {
            const [y, u, v] = coded.data ?? [];
            const [yStride = 0, uStride = 0, vStride = 0] = coded.linesize;
            if (y && u && v) fill({ width, height, planes: [y, u, v], strides: [yStride, uStride, vStride] });
            return undefined;
          }),
        ),
      finish: () =>
        guarded(path, async () => {
          try {
            await drain(null);
          } finally {
            await release();
          }
        }),
      abort: () => guarded(path, release),
    };
  });
}
