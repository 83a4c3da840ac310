import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AV_LOG_QUIET,
  AV_PIX_FMT_YUV420P,
  Encoder,
  FF_ENCODER_LIBSVTAV1,
  FF_ENCODER_LIBVPX_VP9,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX265,
  FF_ENCODER_MPEG4,
  Frame,
  Log,
  Muxer,
  Rational,
} from 'node-av';

const encoders = {
  libx264: FF_ENCODER_LIBX264,
  libx265: FF_ENCODER_LIBX265,
  'libvpx-vp9': FF_ENCODER_LIBVPX_VP9,
  libsvtav1: FF_ENCODER_LIBSVTAV1,
  mpeg4: FF_ENCODER_MPEG4,
};

export interface ClipOptions {
  /** libav encoder, default libx264. */
  readonly encoder?: keyof typeof encoders;
  readonly format?: 'mp4' | 'mov' | 'matroska' | 'webm' | 'mpegts';
  readonly movflags?: string;
  readonly frames?: number;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly gop?: number;
  readonly bFrames?: number;
  /** Every n-th frame is shown for twice as long. */
  readonly pauseEvery?: number;
  /** Further encoder options, e.g. `x264-params`. */
  readonly codecOptions?: Readonly<Record<string, string>>;
}

/** Bits of the frame number, as a 4 × 4 board of black (0) and white (1) squares over the whole picture, lowest bit at the top left. */
const BOARD = 4;

/** Frame n shows n on the board: whatever comes out of any decoder says which frame it is. */
export async function makeClip(options: ClipOptions = {}): Promise<Uint8Array> {
  const key = JSON.stringify(options);
  const known = made.get(key) ?? encode(options);
  made.set(key, known);
  return known;
}

const made = new Map<string, Promise<Uint8Array>>();

/** Reads the board of an RGB picture; −1 where a square is neither dark nor bright. */
export function readBoard(pixels: Uint8Array, width: number, height: number): number {
  let number = 0;
  for (let bit = 0; bit < BOARD * BOARD; bit++) {
    const x = Math.floor((((bit % BOARD) + 0.5) * width) / BOARD);
    const y = Math.floor(((Math.floor(bit / BOARD) + 0.5) * height) / BOARD);
    const level = pixels[(y * width + x) * 3 + 1] ?? 128;
    if (level > 96 && level < 160) return -1;
    if (level >= 160) number |= 1 << bit;
  }
  return number;
}

function board(number: number, width: number, height: number): Buffer {
  const picture = Buffer.alloc((width * height * 3) / 2, 128);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = Math.floor((y * BOARD) / height) * BOARD + Math.floor((x * BOARD) / width);
      picture[y * width + x] = (number >> bit) & 1 ? 220 : 30;
    }
  }
  return picture;
}

const codecDefaults = ({
  encoder = 'libx264',
  bFrames = 2,
  gop = 25,
}: ClipOptions): Readonly<Record<string, string>> => {
  const fixed = `keyint=${gop}:min-keyint=${gop}:scenecut=0:bframes=${bFrames}:b-adapt=0`;
  if (encoder === 'libx264') return { preset: 'ultrafast', 'x264-params': `${fixed}:b-pyramid=none` };
  if (encoder === 'libx265')
    return { preset: 'ultrafast', 'x265-params': `${fixed}:open-gop=0:pools=1:log-level=none` };
  if (encoder === 'libvpx-vp9') return { deadline: 'realtime', 'cpu-used': '8' };
  return encoder === 'libsvtav1' ? { preset: '12' } : {};
};

async function encode(options: ClipOptions): Promise<Uint8Array> {
  const { encoder: name = 'libx264', format = 'mp4', movflags, frames = 50, gop = 25 } = options;
  const {
    width = 96,
    height = 64,
    fps = 25,
    bFrames = 2,
    pauseEvery = Number.POSITIVE_INFINITY,
    codecOptions = {},
  } = options;
  Log.setLevel(AV_LOG_QUIET);
  process.env.SVT_LOG = '1'; // SVT-AV1 tells its settings on stderr otherwise
  const folder = await mkdtemp(join(tmpdir(), 'tikitaka-clip-'));
  try {
    const path = join(folder, `clip.${format}`);
    const encoder = await Encoder.create(encoders[name], {
      gopSize: gop,
      maxBFrames: bFrames,
      threadCount: 1,
      options: { ...codecDefaults(options), ...codecOptions },
      configure: (context) => {
        context.framerate = new Rational(Math.round(fps * 1001), 1001);
        if (name === 'libx265' && format === 'mp4') context.codecTag = 'hvc1';
      },
    });
    const muxer = await Muxer.open(path, { format, ...(movflags ? { options: { movflags } } : {}) });
    const stream = muxer.addStream(encoder);
    const write = async (frame: Frame | null) => {
      for (const packet of await encoder.encodeAll(frame)) {
        await muxer.writePacket(packet, stream);
        packet.free();
      }
    };
    for (let n = 0; n < frames; n++) {
      using frame = Frame.fromVideoBuffer(board(n, width, height), {
        width,
        height,
        format: AV_PIX_FMT_YUV420P,
        timeBase: { num: 1001, den: Math.round(fps * 1001) },
        pts: BigInt(n + Math.floor(n / pauseEvery)),
      });
      await write(frame);
    }
    await write(null);
    encoder.close();
    await muxer.close();
    return new Uint8Array(await readFile(path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
