/** Rows of a block. Chosen: the square root of what a long clip has. */
const BLOCK = 64;
/** Blocks that a refresh looks at, besides those that were touched. Chosen: all of a clip of two minutes, some tenths of a millisecond. */
const BLOCKS_AT_ONCE = 64;

/** Sums of a value over any stretch of rows at the price of one subtraction, where the values change behind our back. */
export interface RowSums {
  /** Over `[from, end)`, as the values were when they were last looked at. */
  between(from: number, end: number): number;
  /** The values of these rows have probably changed. */
  touch(first: number, last: number): void;
  /** Looks at the rows that were touched and at the next some thousand others; returns how many. */
  refresh(): number;
}

export function createRowSums(rows: number, valueAt: (row: number) => number): RowSums {
  const blocks = Math.ceil((rows + 1) / BLOCK);
  /** Before each row within its block; before each block. */
  const within = new Float64Array(rows + 1);
  const before = new Float64Array(blocks);
  const totals = new Float64Array(blocks);
  const touched = new Set<number>();
  let next = 0;

  function look(block: number): void {
    const end = Math.min(rows, (block + 1) * BLOCK);
    let sum = 0;
    for (let row = block * BLOCK; row < end; row++) {
      within[row] = sum;
      sum += valueAt(row);
    }
    if (end === rows) within[rows] = rows % BLOCK === 0 ? 0 : sum;
    totals[block] = sum;
  }
  function addUp(): void {
    for (let block = 1; block < blocks; block++) before[block] = before[block - 1] + totals[block - 1];
  }
  for (let block = 0; block < blocks; block++) look(block);
  addUp();

  const upTo = (row: number) => before[Math.floor(row / BLOCK)] + within[row];
  return {
    between: (from, end) => upTo(end) - upTo(from),
    touch(first, last) {
      for (let block = Math.floor(first / BLOCK); block <= Math.floor(last / BLOCK); block++) touched.add(block);
    },
    refresh() {
      for (let i = 0; i < Math.min(BLOCKS_AT_ONCE, blocks); i++) {
        touched.add(next);
        next = (next + 1) % blocks;
      }
      for (const block of touched) look(block);
      const looked = touched.size * BLOCK + blocks;
      touched.clear();
      addUp();
      return looked;
    },
  };
}
