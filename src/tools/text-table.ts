/** Columns of a terminal that every table of ours fits into. */
export const TABLE_WIDTH = 100;

export interface TextTableOptions {
  /** Titles of the columns. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns set flush right, by their place: those of numbers. */
  readonly right?: readonly number[];
  /** The column whose cells are cut with `…` where the whole would be too wide, by its place. Default the last. */
  readonly flexible?: number;
  /** Most columns of the terminal. Default `TABLE_WIDTH`. */
  readonly width?: number;
}

const GAP = '  ';

/** Text in columns, no wider than `width` as long as the columns that are not flexible leave room. */
export function textTable({ head, rows, right = [], flexible, width = TABLE_WIDTH }: TextTableOptions): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const flexed = flexible ?? head.length - 1;
  const total = widths.reduce((sum, columns) => sum + columns + GAP.length, -GAP.length);
  widths[flexed] = Math.max(1, Math.min(widths[flexed] ?? 0, width - total + (widths[flexed] ?? 0)));
  const cell = (text: string, i: number) => {
    const fitting = cut(text, widths[i] ?? 0);
    return right.includes(i) ? fitting.padStart(widths[i] ?? 0) : fitting.padEnd(widths[i] ?? 0);
  };
  return all
    .map((row) =>
      head
        .map((_, i) => cell(row[i] ?? '', i))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/** Between words, but not between a number and its unit. */
const BREAK = / (?!(?:ms|s|B|KB|MB|MB\/s|%|frames|frames\/s|pixels)(?!\w))/;

/** Text broken at spaces into lines of at most `width` columns, those behind the first indented. */
export function wrapText(text: string, { width = TABLE_WIDTH, indent = 0 } = {}): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(BREAK)) {
    const next = line === '' ? word : `${line} ${word}`;
    if (next.length <= width || line.trim() === '') line = next;
    else {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    }
  }
  return [...lines, line].join('\n');
}
