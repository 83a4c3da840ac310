import { shown } from '../net/index.js';
import type { ChallengeRecord } from '../server/index.js';
import { errorFacts, errorText, type Logger } from './log.js';

/** Longest id and name of a caller as written in a line. Chosen: ids of callers have 36 characters, hot keys 48. */
const MAX_NAME = 128;

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
      // Those are told beside the line.
      error === undefined || isOurFault ? ended : `${ended}: ${errorText(errorFacts(error))}`,
      ...(report ? [shared === 'cached' ? `kept answer: ${report.text}` : report.text] : []),
      `${(sentBytes / 1000).toFixed(sentBytes < 10_000 ? 1 : 0)} KB sent`,
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
    else log.info({ challenge: { ...challenge, error: errorFacts(error) } }, line);
  };
}

/** What a stranger chose, as one word of a line: in quotes where it could be taken for more. */
function name(text: string, maxLength = MAX_NAME): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return /^[\w.:;,/@%&=+~…-]+$/.test(cut) ? cut : JSON.stringify(cut);
}
