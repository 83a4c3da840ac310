import { TikitakaError } from '../../operators/index.js';
import type { Logger } from '../app/log.js';

/** What a check found, one line. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was tried and what came of it. */
  readonly text: string;
  /** What to do about it, as a command or a setting. */
  readonly mend?: string;
}

export interface Check<C> {
  readonly name: string;
  /** Tries one thing. What it throws is a failure with the error's text and `mend`. */
  readonly look: (context: C) => Promise<Finding | readonly Finding[]>;
  /** The cure where `look` throws. */
  readonly mend?: string;
}

export interface Verdict extends Finding {
  readonly name: string;
}

/** Runs all checks at once; the verdicts come in the order of the checks. A check that breaks is a failed one, not a crash. */
export async function runChecks<C>(checks: readonly Check<C>[], context: C): Promise<readonly Verdict[]> {
  const found = await Promise.all(
    checks.map(async ({ name, look, mend }): Promise<readonly Verdict[]> => {
      try {
        return [await look(context)].flat().map((finding) => ({ name, ...finding }));
      } catch (error) {
        return [{ name, status: 'fail', text: textOf(error), ...(mend === undefined ? {} : { mend }) }];
      }
    }),
  );
  return found.flat();
}

/** The text of a coded error was written for people; of any other one the stack would be needed, which only the log of a fault has. */
export function textOf(error: unknown): string {
  if (error instanceof TikitakaError) return error.message;
  return `ERR_INTERNAL: ${error instanceof Error ? error.message : String(error)}`;
}

/** The verdict in the log; failures are left to who ends for them. */
export function tell({ name, status, text, mend }: Verdict, log: Logger): void {
  if (status === 'ok') log.info(`${name}: ${text}`);
  if (status === 'warn') log.warn(`${name}: ${text}${mend === undefined ? '' : ` -> ${mend}`}`);
}

/** Lines for people: each verdict with its cure below it. */
export function verdictLines(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap(({ name, status, text, mend }) => [
    `${status.padEnd(5)}${name.padEnd(10)}${text.replaceAll('\n', `\n${' '.repeat(15)}`)}`,
    ...(mend === undefined || status === 'ok' ? [] : [`${' '.repeat(15)}-> ${mend}`]),
  ]);
}
