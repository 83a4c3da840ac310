import { quantile } from './quantile.js';

export interface RecentOptions {
  /** Values that are remembered, 1…; older ones are forgotten. */
  readonly keep: number;
  /** Which of them is reckoned with: 0 the smallest … 1 the largest. */
  readonly q: number;
  /** Stands for what was not seen yet. */
  readonly prior: number;
}

/** What a thing has cost lately, and so what it may cost the next time. */
export interface Recent {
  /** The returned function adds to the value what is learnt of it later. */
  observe(value: number): (more: number) => void;
  readonly expected: number;
}

export function createRecent({ keep, q, prior }: RecentOptions): Recent {
  const seen: { value: number }[] = [];
  return {
    observe(value) {
      const one = { value };
      seen.push(one);
      if (seen.length > keep) seen.shift();
      return (more) => {
        one.value += more;
      };
    },
    get expected() {
      return seen.length > 0
        ? quantile(
            seen.map(({ value }) => value),
            q,
          )
        : prior;
    },
  };
}
