import { shippedModels } from '../../models/index.js';
import { OptionError } from '../../operators/index.js';
import type { Config } from '../app/config.js';
import type { Logger } from '../app/log.js';
import { modelSetOptions } from '../app/model-choice.js';
import {
  type Axes,
  FULL_AXES,
  fullGrid,
  QUICK_AXES,
  quickGrid,
  type Setting,
  type Size,
} from '../tools/bench/index.js';

/** Options that narrow or widen the grid: lists with commas. */
export interface GridOptions {
  readonly quick?: boolean;
  readonly all?: boolean;
  readonly batches?: string;
  readonly strides?: string;
  readonly sizes?: string;
  readonly budgets?: string;
  readonly pitch?: string;
}

/** What is measured: the present setting, and the grid around it. */
export interface Grid {
  readonly reference: Setting;
  readonly settings: readonly Setting[];
}

/** Widths that a model with free input is tried at, besides its own. The presets'. */
const FREE_WIDTHS = [416, 640, 1024];

/** Throws ERR_OPTION for a list that cannot be read or a size that the model does not have; ERR_MODEL_*. */
export function gridOf(config: Config, options: GridOptions, log: Logger): Grid {
  const sizes = sizesOf(config, log);
  const [size] = sizes;
  if (!size) throw new OptionError('there is no model to measure', { model: config.MODEL });
  const reference: Setting = {
    ...size,
    batch: config.BATCH_SIZE,
    stride: config.FRAME_STRIDE,
    budgetS: config.TIME_BUDGET_S,
    pitch: !config.SKIP_PITCH,
  };
  const usual = options.quick ? QUICK_AXES : FULL_AXES;
  const axes: Axes = {
    batches: listOf('--batches', options.batches, wholeNumber) ?? usual.batches,
    strides:
      listOf('--strides', options.strides, (text) => (text === 'auto' ? text : wholeNumber(text))) ?? usual.strides,
    sizes: listOf('--sizes', options.sizes, (text) => sizes.find(({ widthPx }) => String(widthPx) === text)) ?? sizes,
    budgetsS: listOf('--budgets', options.budgets, positive) ?? usual.budgetsS,
    pitch: listOf('--pitch', options.pitch, onOrOff) ?? usual.pitch,
  };
  return {
    reference,
    settings: options.quick ? quickGrid(axes, reference) : fullGrid(axes, reference, { all: options.all ?? false }),
  };
}

/** The present size first, then what else the model has; of shipped models those of the other families too. */
function sizesOf(config: Config, log: Logger): Size[] {
  const { MODEL: model, PLAYER_MODEL, PITCH_MODEL, BALL_MODEL } = config;
  const present = modelSetOptions(config, log).models.map(({ description }) => description.input);
  const own = PLAYER_MODEL ?? PITCH_MODEL ?? BALL_MODEL;
  const shipped = shippedModels();
  const isShipped = own === undefined && shipped.some(({ description }) => description.family === model);
  const others = isShipped
    ? shipped.map(({ description }) => ({ model: description.family ?? model, widthPx: description.input.width }))
    : present.every(({ dynamic }) => dynamic)
      ? FREE_WIDTHS.map((widthPx) => ({ model, widthPx }))
      : [];
  const first = present.slice(0, 1).map(({ width }) => ({ model, widthPx: width }));
  return [...first, ...others.filter(({ widthPx }) => widthPx !== first[0]?.widthPx)];
}

function listOf<T>(name: string, text: string | undefined, read: (item: string) => T | undefined): T[] | undefined {
  return text?.split(',').map((item) => {
    const value = read(item.trim());
    if (value === undefined)
      throw new OptionError(`${name} ${text}: "${item}" is none of what it takes`, { [name]: text });
    return value;
  });
}

const wholeNumber = (text: string): number | undefined => (/^[1-9]\d*$/.test(text) ? Number(text) : undefined);
const positive = (text: string): number | undefined => (Number(text) > 0 ? Number(text) : undefined);
const onOrOff = (text: string): boolean | undefined => (text === 'on' ? true : text === 'off' ? false : undefined);
