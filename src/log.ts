import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import type { Config } from './config.js';

export type { Logger } from 'pino';

/** Everything that is said goes to stderr, results alone to stdout. `json` is pino's own line; `text` is for people. */
export function createLogger(
  { LOG_LEVEL, LOG_FORMAT }: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  out: NodeJS.WritableStream = process.stderr,
): Logger {
  const options = { level: LOG_LEVEL, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (LOG_FORMAT === 'json') return pino(options, out);
  const readable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      out.write(toText(chunk.toString()));
      done();
    },
  });
  return pino(options, readable);
}

const levels: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'WARN ', 50: 'ERROR' };

interface Line {
  readonly level: number;
  readonly time: string;
  readonly msg?: string;
  readonly report?: unknown;
}

function toText(line: string): string {
  // What a report holds, its line says.
  const { level, time, msg, report, ...facts } = JSON.parse(line) as Line;
  const rest = Object.entries(facts).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${time.slice(11, 23)} ${levels[level] ?? level} ${[msg, ...rest].filter(Boolean).join('  ')}\n`;
}
