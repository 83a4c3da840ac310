import { type Clip, type CodedSample, openClip, type StreamFormat, type Visit } from '../../container/index.js';
import type { ClipLimits } from '../../limits/index.js';
import { type ByteSource, openByteSource, type Pool } from '../../net/index.js';

export interface ClipProbeOptions {
  readonly pool: Pool;
  /** Bytes that the opening request asks for, as the pipeline does. */
  readonly headBytes: number;
  /** `MAX_VIDEO_MB`. */
  readonly maxBytes: number;
  readonly limits: ClipLimits;
}

/** A clip that was opened over a connection which stood already. */
export interface ProbedClip {
  readonly clip: Clip;
  readonly source: ByteSource;
  /** No clip has more. */
  readonly maxFrames: number;
  /** Request sent → container known, ms; a set-up in between is not counted. */
  readonly openMs: number;
  /** Read until then. */
  readonly bytesRead: number;
  readonly requests: number;
  /** Reads away what the opening request still brings: leaving it would delay the next opening, or cost the connection (HTTP/1.1). */
  settle(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Opens clips as the pipeline does, one at a time. Errors: those of `openByteSource` and `openClip`. */
export interface ClipProbe {
  /** Connects, so that `open` measures no set-up. */
  warm(url: URL): Promise<void>;
  open(url: URL, signal: AbortSignal): Promise<ProbedClip>;
}

export function createClipProbe({ pool, headBytes, maxBytes, limits }: ClipProbeOptions): ClipProbe {
  const warm = async (url: URL) => {
    const [origin] = await pool.warm([url.origin]);
    if (origin?.error) throw origin.error;
  };
  const open = async (url: URL, signal: AbortSignal): Promise<ProbedClip> => {
    const startMs = performance.now();
    const source = await openByteSource(url.href, { pool, headBytes, maxBytes, retries: 0, signal });
    try {
      const clip = await openClip(source, { signal, limits });
      const { dnsMs = 0, tcpMs = 0, tlsMs = 0 } = source.connection.setUp ?? {};
      const openMs = Math.max(0, performance.now() - startMs - dnsMs - tcpMs - tlsMs);
      const { bytesRead, requests } = source;
      const close = () => {
        clip.close();
        source.close();
      };
      const settle = async (settling: AbortSignal) => {
        if (!source.acceptsRanges) return;
        for await (const _ of source.read({ start: 0, end: headBytes }, settling));
      };
      return { clip, source, maxFrames: limits.maxFrames, openMs, bytesRead, requests, settle, close };
    } catch (error) {
      source.close();
      throw error;
    }
  };
  return { warm, open };
}

/** Coded frames in memory, so that decoders are measured without the link. */
export type ClipSample =
  | {
      readonly kind: 'indexed';
      readonly index: Extract<Clip, { kind: 'indexed' }>['index'];
      readonly samples: readonly CodedSample[];
      /** All of `samples`, every shown frame wanted. */
      readonly visit: Visit;
      readonly bytes: number;
    }
  | {
      readonly kind: 'stream';
      readonly format: StreamFormat;
      readonly chunks: readonly Uint8Array[];
      readonly bytes: number;
      /** The file goes on behind `chunks`. */
      readonly partial: boolean;
      readonly maxFrames: number;
    };

/** Enough for a steady rate and little enough for a slow link. Chosen: 10 s of the usual clip, 8 s at 0.5 MB/s. */
const SAMPLE = { frames: 250, bytes: 4_000_000 } as const;

/** Reads the first coded frames of a clip. Errors: those of the source. */
export async function takeSample(
  { clip, maxFrames }: Pick<ProbedClip, 'clip' | 'maxFrames'>,
  signal: AbortSignal,
): Promise<ClipSample> {
  return clip.kind === 'indexed' ? takeSamples(clip, signal) : { ...(await takeChunks(clip, signal)), maxFrames };
}

async function takeSamples(clip: Extract<Clip, { kind: 'indexed' }>, signal: AbortSignal): Promise<ClipSample> {
  const { index, reader } = clip;
  let lastSample = 0;
  let bytes = index.sizeBytes[0] ?? 0;
  while (lastSample + 1 < Math.min(index.sampleCount, SAMPLE.frames)) {
    const next = bytes + (index.sizeBytes[lastSample + 1] ?? 0);
    if (next > SAMPLE.bytes) break;
    bytes = next;
    lastSample++;
  }
  const keep = [...index.frameNumber.subarray(0, lastSample + 1)].filter((frame) => frame >= 0);
  const visit: Visit = { firstSample: 0, lastSample, keep, skip: 'none' };
  const samples: CodedSample[] = [];
  for await (const { sample, bytes: coded } of reader.samples(visit, signal))
    samples.push({ sample, bytes: coded.slice() });
  return { kind: 'indexed', index, samples, visit, bytes };
}

async function takeChunks(clip: Extract<Clip, { kind: 'stream' }>, signal: AbortSignal) {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let partial = false;
  for await (const chunk of clip.chunks(signal)) {
    chunks.push(chunk.slice());
    bytes += chunk.length;
    partial = bytes >= SAMPLE.bytes;
    if (partial) break;
  }
  return { kind: 'stream', format: clip.format, chunks, bytes, partial } as const;
}
