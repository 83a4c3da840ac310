import { type ModelInput, pictureRect } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import { type AvFrame, complaint, type Libav, type SoftwareScaleContext } from './libav.js';
import { padPicture } from './pad-picture.js';

/** Scales decoded pictures to the model's input. Calls must not overlap: concurrent ones on one swscale context crash the process (docs/measurements.md "Decoding"). */
export interface FrameScaler {
  /**
   * Writes uint8 [input.height, input.width, 3] RGB into `memory`, which has SLOT_MARGIN_BYTES behind them. Colours are
   * converted by BT.601, as cv2 does whatever the stream says. `source` is the size by which letterboxing is reckoned.
   */
  scale(
    frame: AvFrame,
    source: { width: number; height: number },
    input: ModelInput,
    memory: Uint8Array,
  ): Promise<void>;
  close(): void;
}

export function createFrameScaler(lib: Libav): FrameScaler {
  const { constants } = lib;
  const flags = {
    point: constants.SWS_POINT,
    'fast-bilinear': constants.SWS_FAST_BILINEAR,
    bilinear: constants.SWS_BILINEAR,
    bicubic: constants.SWS_BICUBIC,
    area: constants.SWS_AREA,
  };
  let context: SoftwareScaleContext | undefined;
  let madeFor = '';

  function prepare(frame: AvFrame, width: number, height: number, filter: ModelInput['filter']): SoftwareScaleContext {
    const fullRange = frame.colorRange === constants.AVCOL_RANGE_JPEG;
    const key = [frame.width, frame.height, frame.format, fullRange, width, height, filter].join();
    if (context && key === madeFor) return context;
    context?.freeContext();
    const fresh = new lib.SoftwareScaleContext();
    context = fresh;
    madeFor = key;
    fresh.allocContext();
    fresh.setOption('srcw', frame.width);
    fresh.setOption('srch', frame.height);
    fresh.setOption('src_format', Number(frame.format));
    fresh.setOption('src_range', fullRange ? 1 : 0);
    fresh.setOption('dstw', width);
    fresh.setOption('dsth', height);
    fresh.setOption('dst_format', constants.AV_PIX_FMT_RGB24);
    // Without it every two pixels of the result share one colour: .025 AP50 of the ball, for 1.5 ms a frame at 1080p.
    fresh.setOption('sws_flags', flags[filter] | constants.SWS_FULL_CHR_H_INT);
    const code = fresh.initContext();
    if (code < 0) throw scalingFailed(lib, code, frame);
    return fresh;
  }

  return {
    async scale(frame, source, input, memory) {
      const { data, linesize, height } = frame;
      if (!data) throw new TikitakaError('ERR_DECODE', 'the decoded picture has no pixels');
      const fit = pictureRect(input, { sourceWidth: source.width, sourceHeight: source.height });
      const scaler = prepare(frame, fit.width, fit.height, input.filter);
      const row = input.width * 3;
      const target = Buffer.from(memory.buffer, memory.byteOffset + fit.y * row + fit.x * 3);
      const lines = await scaler.scale(data, linesize.slice(0, data.length), 0, height, [target], [row]);
      if (lines !== fit.height) throw scalingFailed(lib, lines, frame);
      padPicture(memory, input, fit);
    },
    close: () => context?.freeContext(),
  };
}

const scalingFailed = (lib: Libav, code: number, { width, height, format }: AvFrame) =>
  new TikitakaError('ERR_DECODE', 'the decoded picture cannot be scaled', {
    details: { width, height, format: Number(format), libav: complaint(lib, code) },
  });
