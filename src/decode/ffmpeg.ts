import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { promisify } from 'node:util';
import ffmpeg, { type FfmpegCommand } from 'fluent-ffmpeg';
import { childEnvironment } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import { limitError } from '../limits/index.js';

export interface FfmpegBinary {
  readonly path: string;
  /** As it says itself. */
  readonly version: string;
  /** 0 where the version is no release. */
  readonly major: number;
}

export interface FindFfmpegOptions {
  /** `FFMPEG_PATH`: then nothing else is tried. */
  readonly path?: string;
  /** Folders to look in; default the process's PATH. */
  readonly searchPath?: string;
}

/**
 * Finds an ffmpeg that runs: the given one; else of the package ffmpeg-static, on PATH, of the package
 * @ffmpeg-installer/ffmpeg. ERR_DECODER_UNAVAILABLE with what was tried.
 */
export async function findFfmpeg({
  path,
  searchPath = process.env.PATH ?? '',
}: FindFfmpegOptions = {}): Promise<FfmpegBinary> {
  const candidates = path
    ? [path]
    : [
        packaged('ffmpeg-static', (found) => found),
        ...searchPath.split(delimiter).map((folder) => folder && join(folder, 'ffmpeg')),
        packaged('@ffmpeg-installer/ffmpeg', (found) => (isRecord(found) ? found.path : undefined)),
      ];
  const tried: string[] = [];
  for (const candidate of candidates) {
    if (!candidate || !(await isExecutable(candidate))) continue;
    tried.push(candidate);
    try {
      const { stdout } = await promisify(execFile)(candidate, ['-hide_banner', '-version'], {
        timeout: 10_000,
        env: childEnvironment(),
      });
      const version = /version (\S+)/.exec(stdout)?.[1];
      if (version) return { path: candidate, version, major: Number(/^n?(\d+)\./.exec(version)?.[1] ?? 0) };
    } catch {
      // One that does not run here (another platform, missing libraries) is no reason not to try the next.
    }
  }
  throw new TikitakaError('ERR_DECODER_UNAVAILABLE', path ? `no ffmpeg runs at ${path}` : 'no ffmpeg was found', {
    details: { tried },
  });
}

/** What a package that ships an ffmpeg says about its place; undefined where it is not installed. */
function packaged(name: string, pathOf: (exported: unknown) => unknown): string | undefined {
  try {
    const path = pathOf(createRequire(import.meta.url)(name));
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isExecutable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** What ffmpeg reads to find out about the streams (docs/measurements.md "Decoding": the least that it needs). */
const PROBE_BYTES = 32768;

export interface FfmpegRunOptions {
  readonly binary: FfmpegBinary;
  /** Bytes of a container for its standard input, or what it opens itself. The bytes end early rather than fail. */
  readonly source: { readonly bytes: AsyncIterable<Uint8Array>; readonly format: string } | { readonly url: string };
  readonly threads: number;
  /** It takes no memory for a larger picture. */
  readonly maxPixels: number;
  /** Filter chain that ends in RGB24 pictures of the wanted size. */
  readonly filters: readonly string[];
  onComplaint(message: string): void;
}

/** One ffmpeg child that writes raw pictures. */
export interface FfmpegRun {
  /** Fills `picture` with the next one and tells its time stamp (ticks of the input); undefined at the end. Calls must not overlap. */
  next(picture: Uint8Array): Promise<{ readonly pts: number } | undefined>;
  /** Size of the coded picture, once the first has come. */
  readonly source: { readonly width: number; readonly height: number } | undefined;
  /** Microseconds per tick of `pts`, once the first picture has come. */
  readonly tickUs: number;
  /** Why it ended, where it did not end well. */
  readonly failure: string | undefined;
  /** ERR_LIMIT, where it came upon a picture that is too large. */
  readonly excess: TikitakaError | undefined;
  /** Kills the child and resolves when it is gone. Idempotent. */
  kill(): Promise<void>;
}

interface Spawning {
  _spawnFfmpeg(args: readonly string[], options: object, ...callbacks: unknown[]): void;
}

/** fluent-ffmpeg has no option for the environment of the children that it spawns through this one method. */
function inChildEnvironment(command: FfmpegCommand): FfmpegCommand {
  const spawning = command as unknown as Spawning;
  const spawn = spawning._spawnFfmpeg.bind(command);
  spawning._spawnFfmpeg = (args, options, ...callbacks) =>
    spawn(args, { ...options, env: childEnvironment() }, ...callbacks);
  return command;
}

export function startFfmpeg(options: FfmpegRunOptions): FfmpegRun {
  const { binary, source, threads, maxPixels, filters, onComplaint } = options;
  const input = 'url' in source ? source.url : Readable.from(source.bytes, { objectMode: false });
  const output = new PassThrough();
  const stamps: number[] = [];
  let wake: () => void = () => undefined;
  let size: { width: number; height: number } | undefined;
  let tickUs = 1000;
  let failure: string | undefined;
  let excess: TikitakaError | undefined;
  let started = false;
  let killed = false;
  let gone = false;

  const command = inChildEnvironment(ffmpeg(input, { stdoutLines: 20 }))
    .setFfmpegPath(binary.path)
    // -copyts: else all time stamps move so that the first is 0. No -fflags nobuffer: it loses the first GOP (docs/measurements.md "Decoding").
    .inputOptions([
      '-copyts',
      '-noautorotate',
      `-threads ${threads}`,
      `-max_pixels ${Math.min(maxPixels, 2 ** 31 - 1)}`,
      `-probesize ${PROBE_BYTES}`,
      '-analyzeduration 0',
    ])
    .outputOptions(['-map 0:v:0', '-an', '-sn', '-dn', binary.major >= 6 ? '-fps_mode passthrough' : '-vsync 0'])
    .videoFilters([...filters, 'showinfo'])
    .outputFormat('rawvideo')
    .outputOptions('-pix_fmt rgb24');
  if ('format' in source) command.inputFormat(source.format);

  const exited = new Promise<void>((resolve) => {
    const end = (error?: Error) => {
      gone = true;
      if (error && !killed) failure = error.message;
      wake();
      resolve();
    };
    command.on('end', () => end()).on('error', end);
  });
  command.on('start', () => {
    started = true;
    if (killed) command.kill('SIGKILL');
  });
  command.on('stderr', (line: string) => {
    const stamp = /Parsed_showinfo.* n: *\d+ pts: *(-?\d+)/.exec(line);
    if (stamp) {
      stamps.push(Number(stamp[1]));
      wake();
      return;
    }
    const large = /Picture size (\d+)x(\d+) exceeds specified max pixel count/.exec(line);
    if (large) excess ??= limitError('maxPixels', Number(large[1]) * Number(large[2]), maxPixels);
    const base = /Parsed_showinfo.* config in time_base: (\d+)\/(\d+)/.exec(line);
    if (base) tickUs = (Number(base[1]) * 1e6) / Number(base[2]);
    const picture = /Stream #0:\d.*Video:.*?, (\d{1,5})x(\d{1,5})/.exec(line);
    if (picture) size ??= { width: Number(picture[1]), height: Number(picture[2]) };
    if (/^\[(?!Parsed_|rawvideo)\w+ @ /.test(line) && /error|invalid|corrupt|conceal/i.test(line)) onComplaint(line);
  });
  command.pipe(output);

  const pictures = output[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);

  return {
    async next(picture) {
      for (let filled = 0; filled < picture.length; ) {
        if (rest.length === 0) {
          const { done, value } = await pictures.next();
          if (done) return undefined;
          rest = value;
        }
        const part = rest.subarray(0, picture.length - filled);
        picture.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
      }
      while (stamps.length === 0 && !gone)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const pts = stamps.shift();
      return pts === undefined ? undefined : { pts };
    },
    get source() {
      return size;
    },
    get tickUs() {
      return tickUs;
    },
    get failure() {
      return failure;
    },
    get excess() {
      return excess;
    },
    async kill() {
      killed = true;
      if (input instanceof Readable) input.destroy();
      if (started && !gone) command.kill('SIGKILL');
      await exited;
      output.destroy();
    },
  };
}
