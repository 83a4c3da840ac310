/** One combination of the variables that the grid goes over. */
export interface Setting {
  /** `BATCH_SIZE`: frames per batch at most. */
  readonly batch: number;
  /** `FRAME_STRIDE`. */
  readonly stride: number | 'auto';
  /** `MODEL` and `IMG_SIZE`. */
  readonly model: string;
  readonly widthPx: number;
  /** `TIME_BUDGET_S`. */
  readonly budgetS: number;
  /** Whether the pitch model runs (`SKIP_PITCH=0`). */
  readonly pitch: boolean;
}

export type Axis = 'batch' | 'stride' | 'size' | 'budget' | 'pitch';

const valueOn: Readonly<Record<Axis, (setting: Setting) => string>> = {
  batch: ({ batch }) => `${batch}`,
  stride: ({ stride }) => `${stride}`,
  size: ({ model, widthPx }) => `${model} ${widthPx}`,
  budget: ({ budgetS }) => `${budgetS}`,
  pitch: ({ pitch }) => `${pitch}`,
};
const axes = Object.keys(valueOn) as readonly Axis[];

export const keyOf = (setting: Setting): string => axes.map((axis) => valueOn[axis](setting)).join('|');

export const isSame = (a: Setting, b: Setting): boolean => keyOf(a) === keyOf(b);

/** On which axes two settings differ. */
export const differences = (a: Setting, b: Setting): Axis[] =>
  axes.filter((axis) => valueOn[axis](a) !== valueOn[axis](b));

export type SettingVariable = 'MODEL' | 'IMG_SIZE' | 'BATCH_SIZE' | 'FRAME_STRIDE' | 'TIME_BUDGET_S' | 'SKIP_PITCH';

/** The setting as variables of the configuration. */
export function variablesOf(setting: Setting): Readonly<Record<SettingVariable, string>> {
  return {
    MODEL: setting.model,
    IMG_SIZE: String(setting.widthPx),
    BATCH_SIZE: String(setting.batch),
    FRAME_STRIDE: String(setting.stride),
    TIME_BUDGET_S: String(setting.budgetS),
    SKIP_PITCH: setting.pitch ? '0' : '1',
  };
}

/** What makes a setting another one than the reference, in a few words, for the chart; size and budget always. */
export function shortName(setting: Setting, reference: Setting): string {
  const others = differences(setting, reference);
  return [
    `${setting.widthPx} px`,
    `${setting.budgetS} s`,
    ...(others.includes('batch') ? [`batch ${setting.batch}`] : []),
    ...(others.includes('stride') ? [`stride ${setting.stride}`] : []),
    ...(setting.pitch ? [] : ['no pitch']),
  ].join(', ');
}
