import { differences, isSame, keyOf, type Setting } from './setting.js';

/** A model and a width that it has. */
export interface Size {
  readonly model: string;
  readonly widthPx: number;
}

/** The values to try of each variable. */
export interface Axes {
  readonly batches: readonly number[];
  readonly strides: readonly (number | 'auto')[];
  readonly sizes: readonly Size[];
  readonly budgetsS: readonly number[];
  readonly pitch: readonly boolean[];
}

/** F34: batch 1–64, stride 1–6 and auto. Budgets: around what pays at the callers' (docs/protocol.md §3: a second costs 0.11). */
export const FULL_AXES: Omit<Axes, 'sizes'> = {
  batches: [1, 2, 4, 8, 16, 32, 64],
  strides: [1, 2, 3, 4, 5, 6, 'auto'],
  budgetsS: [0.5, 1, 2, 4, 8],
  pitch: [true, false],
};

/** What `--quick` tries: each size at each budget, and the other variables one at a time; what matters least last, where time may end. */
export const QUICK_AXES: Omit<Axes, 'sizes'> = {
  batches: [1],
  strides: [5],
  budgetsS: [1, 4, 2, 0.5],
  pitch: [true, false],
};

/**
 * Batch × stride × size as the reference has budget and pitch, then size × budget and size × pitch; with `all` every
 * combination. Those that differ least from the reference come first: an interrupted run has seen each variable.
 */
export function fullGrid(axes: Axes, reference: Setting, { all }: { readonly all: boolean }): Setting[] {
  const { sizes, batches, strides, budgetsS, pitch } = axes;
  const across = (budgets: Axes['budgetsS'], pitches: Axes['pitch']) =>
    sizes.flatMap((size) =>
      batches.flatMap((batch) =>
        strides.flatMap((stride) =>
          budgets.flatMap((budgetS) => pitches.map((on) => ({ ...size, batch, stride, budgetS, pitch: on }))),
        ),
      ),
    );
  if (all) return ordered([reference, ...across(budgetsS, pitch)], reference);
  const around = sizes.flatMap((size) => [
    ...budgetsS.map((budgetS) => ({ ...reference, ...size, budgetS })),
    ...pitch.map((on) => ({ ...reference, ...size, pitch: on })),
  ]);
  return ordered([reference, ...around, ...across([reference.budgetS], [reference.pitch])], reference);
}

/** The sizes at the budgets, and around the reference one variable at a time. */
export function quickGrid(axes: Axes, reference: Setting): Setting[] {
  const corners = axes.budgetsS.flatMap((budgetS) => axes.sizes.map((size) => ({ ...reference, ...size, budgetS })));
  const around = [
    ...axes.batches.map((batch) => ({ ...reference, batch })),
    ...axes.strides.map((stride) => ({ ...reference, stride })),
    ...axes.pitch.map((pitch) => ({ ...reference, pitch })),
  ];
  return ordered([reference, ...corners, ...around], reference);
}

function ordered(settings: readonly Setting[], reference: Setting): Setting[] {
  const distinct = [...new Map(settings.map((setting) => [keyOf(setting), setting])).values()];
  const distance = new Map(distinct.map((setting) => [setting, differences(setting, reference).length]));
  return distinct.sort((a, b) => (distance.get(a) ?? 0) - (distance.get(b) ?? 0));
}

/**
 * The cell that measures the same already: the device runs at most `largestBatch` frames at once (chosen at warm-up), so
 * that larger batches differ in name only. Undefined where there is none.
 */
export function sameBatch(setting: Setting, measured: readonly Setting[], largestBatch: number): Setting | undefined {
  if (setting.batch < largestBatch) return undefined;
  return measured.find(
    (other) =>
      other.batch >= largestBatch && !isSame(other, setting) && isSame({ ...other, batch: setting.batch }, setting),
  );
}
