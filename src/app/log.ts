import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { TikitakaError } from '../../operators/index.js';
import type { Config } from './config.js';

export type { Logger } from 'pino';

/**
 * Everything that is said goes to stderr, results alone to stdout. `json` is pino's own line; `text` is for people, one line each and a
 * stack below it for our own faults alone. Whatever strangers made up, their control and formatting characters are shown as escapes.
 */
export function createLogger(
  { LOG_LEVEL, LOG_FORMAT }: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  out: NodeJS.WritableStream = process.stderr,
): Logger {
  const form = LOG_FORMAT === 'json' ? toJson : toText;
  const readable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      out.write(`${form(chunk.toString().trimEnd())}\n`);
      done();
    },
  });
  return pino(
    { level: LOG_LEVEL, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: errorFacts } },
    readable,
  );
}

export interface ErrorFacts {
  readonly code?: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly stack?: string;
}

/** What is logged of an error. A coded one says what happened; where nobody foresaw it, the stack is all there is. */
export function errorFacts(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message } = error;
  const known = error instanceof TikitakaError ? error : undefined;
  const stack = known && known.code !== 'ERR_INTERNAL' ? {} : { stack: pino.stdSerializers.err(error).stack };
  return known ? { code: known.code, message, details: known.details, ...stack } : { message, ...stack };
}

/** Message in one line, with the small facts that it does not say itself. */
export function errorText({ message, details = {} }: ErrorFacts): string {
  const facts = Object.entries(details).flatMap(([key, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value) && !message.includes(String(value))
      ? [`${key} ${value}`]
      : [],
  );
  return oneLine(facts.length > 0 ? `${message} (${facts.join(', ')})` : message, MAX_FACT);
}

const levels: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'WARN ', 50: 'ERROR', 60: 'FATAL' };

/** Longest text of a line and of one fact beside it, and most lines of a stack. Chosen. */
const MAX_TEXT = 2_000;
const MAX_FACT = 300;
const MAX_STACK_LINES = 40;

interface Line {
  readonly level: number;
  readonly time: string;
  readonly msg?: string;
  readonly err?: ErrorFacts;
  /** What a line about a challenge or an answer says already, as figures. */
  readonly challenge?: unknown;
  readonly report?: unknown;
}

function toText(line: string): string {
  const { level, time, msg = '', err, challenge, report, ...facts } = JSON.parse(line) as Line;
  const rest = Object.entries(facts).map(([key, value]) => `${key}=${factText(value)}`);
  const cause = err ? [`${err.code ?? 'error'}: ${errorText(err)}`] : [];
  const head = [oneLine(msg, MAX_TEXT), ...cause, ...rest].filter(Boolean).join('  ');
  return [`${time} ${levels[level] ?? level} ${head}`, ...stackLines(err)].join('\n');
}

const stackLines = ({ stack = '' }: Partial<ErrorFacts> = {}): string[] =>
  stack
    .split('\n', MAX_STACK_LINES)
    .filter(Boolean)
    .map((text) => `    ${oneLine(text.trim(), MAX_FACT)}`);

/** Quoted where it could be taken for something else than one value. */
function factText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const isPlain = typeof value !== 'string' || /^[^\s"=]+$/.test(text);
  return isPlain ? oneLine(text, MAX_FACT) : JSON.stringify(oneLine(text, MAX_FACT));
}

/** Unicode's control characters, format characters (which reverse or hide text), lone surrogates and separators of lines. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');

/** A text for one line of a terminal, cut where it is long. */
export function oneLine(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return cut.replace(HIDDEN, escaped);
}

/** Escapes are the same to a parser of JSON, and harmless to the terminal of who reads the file. */
const toJson = (line: string): string => line.replace(HIDDEN, escaped);
