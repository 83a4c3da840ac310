import type { DecoderChoice } from '../decode/index.js';
import type { Config } from './config.js';

/** What the configuration says of the decoder. */
export function decoderChoice({ DECODER, FFMPEG_PATH, USE_NVDEC, NVDEC_FIXED_SCALE }: Config): DecoderChoice {
  return {
    decoder: DECODER,
    ...(FFMPEG_PATH === undefined ? {} : { ffmpegPath: FFMPEG_PATH }),
    ...(USE_NVDEC ? { nvdec: { fixedScale: NVDEC_FIXED_SCALE } } : {}),
  };
}
