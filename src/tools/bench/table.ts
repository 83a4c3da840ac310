import { TABLE_WIDTH, textTable, wrapText } from '../text-table.js';
import type { Cell } from './cell.js';
import type { BenchResult } from './result.js';
import { isSame, type Setting, variablesOf } from './setting.js';

/** Rows of the table at most; the JSON has all. Chosen: a screen. */
const MOST_ROWS = 30;

/** What `tikitaka bench` prints: the ranked table, what it rests on, and the recommendation; at most 100 columns. */
export function benchReport(result: BenchResult): string {
  return [
    ...headLines(result),
    '',
    table(result),
    '',
    ...footLines(result),
    '',
    ...recommendationLines(result),
    ...confirmationLines(result),
  ]
    .map((line) => (line.length > TABLE_WIDTH && !line.includes('\n') ? wrapText(line, { indent: 2 }) : line))
    .join('\n');
}

function headLines({ target, machine, device, mode, truth, interrupted, ranking, cells }: BenchResult): string[] {
  return [
    `${target}, ${mode} grid, ${cells.length} cells${truth ? ', judged by the truth' : ''}${interrupted ? ', INTERRUPTED' : ''}`,
    `on ${device}, ${machine.cores} cores (${machine.cpu}), Node ${machine.node}`,
    `ranked by: ${ranking}`,
  ];
}

function table({ cells, reference, recommended, truth, front }: BenchResult): string {
  const head = [
    'rank',
    ...(truth ? ['score', 'quality'] : []),
    'FPS',
    'x ref',
    'time s',
    'batch',
    'stride',
    'size px',
    'budget s',
    'peak MB',
    'note',
  ];
  const shown = cells.filter((cell, i) => i < MOST_ROWS || isSame(cell.setting, reference.setting));
  const isFront = (setting: Setting) => front.some((other) => isSame(other, setting));
  const rows = shown.map((cell) => {
    const { setting, quality } = cell;
    const note = [
      ...(recommended && isSame(setting, recommended.setting) ? ['best'] : []),
      ...(isSame(setting, reference.setting) ? ['ref'] : []),
      ...(setting.pitch ? [] : ['no pitch']),
      ...(isFront(setting) ? ['front'] : []),
    ];
    return [
      String(cells.indexOf(cell) + 1),
      ...(truth ? [fixed(quality?.score, 3), fixed(quality?.quality, 3)] : []),
      fixed(cell.fps, 1),
      fixed(cell.ratio, 2),
      fixed(cell.timeS, 2),
      cell.batch < setting.batch ? `${setting.batch}>${cell.batch}` : String(setting.batch),
      String(setting.stride),
      String(setting.widthPx),
      String(setting.budgetS),
      megabytes(cell),
      note.join(' '),
    ];
  });
  const right = head.flatMap((_, i) => (i < head.length - 1 ? [i] : []));
  const more = cells.length - shown.length;
  const text = textTable({ head, rows, right });
  return more > 0 ? `${text}\n… ${more} more cells: see --json` : text;
}

const fixed = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '';
const megabytes = ({ peakBytes }: Pick<Cell, 'peakBytes'>): string =>
  peakBytes === undefined ? '' : (peakBytes / 1e6).toFixed(0);
const percent = (value: number, digits = 1): string => `${(value * 100).toFixed(digits)} %`;

function footLines({ reference, baseline, failed, cut, cells }: BenchResult): string[] {
  const { runs, fps, spread } = reference;
  const capped = cells.some(({ setting, batch }) => batch < setting.batch);
  return [
    'FPS: frames that models saw, by second from the request to the encoded answer of the whole clip.',
    `The reference (present setting) ran ${runs} times between the cells: ${fps.toFixed(1)} FPS, spread +-${percent(spread)}; the FPS of each cell are normalised by those beside it.`,
    ...(capped ? ['batch 32>4: asked for 32, the device takes 4 at once.'] : []),
    ...(baseline ? [baselineLine(baseline)] : []),
    ...reasons('failed', failed),
    ...reasons('left out', cut),
  ];
}

function baselineLine(baseline: NonNullable<BenchResult['baseline']>): string {
  const { measured, frameCount, isCut, totalS, fps } = baseline;
  const whole = isCut
    ? `cut at ${measured} of ${frameCount} frames; at this rate the whole clip takes ${totalS.toFixed(1)} s`
    : `${frameCount} frames in ${totalS.toFixed(1)} s`;
  return `Sequential baseline (download first, batch 1, stride 1): ${whole}; ${fps.toFixed(1)} FPS.`;
}

/** One line for each reason. */
function reasons(title: string, list: BenchResult['cut']): string[] {
  const counts = new Map<string, number>();
  for (const { reason } of list) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${title}: ${count} ${count > 1 ? 'cells' : 'cell'}, ${reason}`);
}

function recommendationLines({ recommended, cells, truth }: BenchResult): string[] {
  if (!recommended) return ['No cell was measured that could be recommended.'];
  const { speedUp, reason, setting } = recommended;
  const chosen = cells.find((cell) => isSame(cell.setting, setting));
  const budgets = cells.map((cell) => cell.setting.budgetS);
  const isLongest = truth && setting.budgetS === Math.max(...budgets) && setting.budgetS > Math.min(...budgets);
  return [
    `Recommended (${reason}), as lines for .env:`,
    ...Object.entries(variablesOf(setting)).map(([name, value]) => `  ${name}=${value}`),
    ...(isLongest ? ['It is the longest budget that was measured: a longer one may be better still (--budgets).'] : []),
    ...(speedUp
      ? [
          `Against the sequential baseline: the whole clip answered ${speedUp.time.toFixed(1)} times sooner (models saw ${chosen?.measured} of its ${chosen?.frames} frames), ${speedUp.fps.toFixed(2)} times its FPS.`,
        ]
      : []),
  ];
}

function confirmationLines({ confirmation }: BenchResult): string[] {
  if (!confirmation) return [];
  const { promised, again, off, kept } = confirmation;
  const pair = (name: 'fps' | 'time') => `${again[name].toFixed(2)} (promised ${promised[name].toFixed(2)})`;
  return [
    `Run again beside the reference: FPS ${pair('fps')}, time ${pair('time')} times its own; off by ${percent(off)}: ${kept ? 'kept within 20 %' : 'NOT kept within 20 %: the machine was busy with other things, measure again'}.`,
  ];
}
