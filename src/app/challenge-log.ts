import { TikitakaError } from '../../operators/index.js';
import { shown } from '../net/index.js';
import type { ChallengeRecord } from '../server/index.js';
import type { Logger } from './log.js';

/** Longest id and name of a caller as written in a line. Chosen: ids of callers have 36 characters, hot keys 48. */
const MAX_NAME = 128;
/** Longest text of an error in a line. Chosen. */
const MAX_ERROR = 300;

/** Writes one line about each challenge: what was asked by whom, how it ended, all figures; the same as fields for machines. */
export function challengeLog(log: Pick<Logger, 'info' | 'error'>): (record: ChallengeRecord) => void {
  return (record) => {
    const { challengeId, caller, shared, tookMs, sentBytes, report, error, isOurFault } = record;
    const outcome = error === undefined && record.outcome === 'answered' ? report?.outcome : record.outcome;
    const link = shown(record.videoUrl);
    const ended = `${outcome ?? 'answered'}${shared ? `, ${shared}` : ''} in ${(tookMs / 1000).toFixed(2)} s`;
    const line = [
      `challenge ${name(challengeId)}`,
      name(caller),
      name(link, link.length),
      // What nobody foresaw is told with its stack.
      error === undefined || isOurFault ? ended : `${ended}: ${reasonOf(error)}`,
      ...(report ? [shared === 'cached' ? `kept answer: ${report.text}` : report.text] : []),
      `${(sentBytes / 1000).toFixed(0)} KB sent`,
    ].join(' · ');
    const challenge = {
      id: challengeId,
      caller,
      link,
      outcome: outcome ?? 'answered',
      shared,
      tookMs: Math.round(tookMs),
      sentBytes,
      ...(report ? { report: report.figures } : {}),
    };
    if (isOurFault) log.error({ challenge, err: error }, line);
    else if (error === undefined) log.info({ challenge }, line);
    else log.info({ challenge: { ...challenge, error: factsOf(error) } }, line);
  };
}

/** What a stranger chose, as one word of a line: in quotes where it could be taken for more. */
function name(text: string, maxLength = MAX_NAME): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return /^[\w.:;,/@%&=+~…-]+$/.test(cut) ? cut : JSON.stringify(cut);
}

function reasonOf(error: unknown): string {
  const { message, details } = factsOf(error);
  const facts = Object.entries(details).flatMap(([key, value]) =>
    typeof value === 'number' || typeof value === 'boolean' ? [`${key} ${value}`] : [],
  );
  return `${message}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`.slice(0, MAX_ERROR);
}

function factsOf(error: unknown): Pick<TikitakaError, 'code' | 'message' | 'details'> {
  if (error instanceof TikitakaError) return { code: error.code, message: error.message, details: error.details };
  return { code: 'ERR_INTERNAL', message: String(error), details: {} };
}
