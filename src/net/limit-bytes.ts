import { OptionError } from '../../operators/index.js';
import type { ByteSource } from './byte-source.js';

/**
 * The first `maxBytes` of a source, for partial downloads (`PARTIAL_DOWNLOAD_MB`): reads end there as if the file did.
 * `sizeBytes` still is the whole, so that a bitrate can be computed. Throws ERR_OPTION.
 */
export function limitBytes(source: ByteSource, maxBytes: number): ByteSource {
  if (!(maxBytes >= 1)) throw new OptionError(`maxBytes must be at least 1, got ${maxBytes}`, { maxBytes });
  return {
    url: source.url,
    origins: source.origins,
    sizeBytes: source.sizeBytes,
    acceptsRanges: source.acceptsRanges,
    connection: source.connection,
    get bytesRead() {
      return source.bytesRead;
    },
    get requests() {
      return source.requests;
    },
    get longestSilenceMs() {
      return source.longestSilenceMs;
    },
    read: ({ start, end = maxBytes }, signal) => source.read({ start, end: Math.min(end, maxBytes) }, signal),
    close: () => source.close(),
  };
}
