import { reportLine } from '../challenge/report.js';
import { waterfall } from '../challenge/timeline.js';
import type { Readiness, RefusedReason } from '../server/index.js';
import type { FinishedAnswer } from './engine.js';
import { escapeMarkup } from './escape-markup.js';

/** One challenge as the page shows it: no link and no caller, since STATUS_HOST may let others look. */
interface PastChallenge {
  readonly at: string;
  readonly line: string;
  readonly waterfall: string;
}

/** The last challenges, latest first; holds texts only. */
export interface ChallengeHistory {
  note(finished: Pick<FinishedAnswer, 'report' | 'timeline'>): void;
  readonly challenges: readonly PastChallenge[];
}

export interface HistoryOptions {
  /** Challenges that are remembered, 1 or more. Default 10. */
  readonly limit?: number;
  /** Wall clock, ms since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

export function createHistory({ limit = 10, now = Date.now }: HistoryOptions = {}): ChallengeHistory {
  let challenges: readonly PastChallenge[] = [];
  return {
    note({ report, timeline }) {
      const at = new Date(now()).toISOString();
      const entry = { at, line: reportLine(report), waterfall: waterfall(timeline) };
      challenges = [entry, ...challenges].slice(0, limit);
    },
    get challenges() {
      return challenges;
    },
  };
}

export interface StatusFacts {
  readonly version: string;
  readonly available: boolean;
  readonly activeRuns: number;
  readonly readiness: Readiness;
  /** One line per model: what it runs on. */
  readonly models: readonly string[];
  readonly challenges: readonly PastChallenge[];
  /** Requests that were turned away, latest reason first. */
  readonly refusals: readonly RefusedReason[];
}

/** The page at `/` of the status address: one HTML document without scripts and without anything from elsewhere. */
export function statusPage(facts: StatusFacts): string {
  const { version, available, activeRuns, readiness, models, challenges, refusals } = facts;
  const rows = [
    ['available', available ? 'yes' : 'no'],
    ['challenges being answered', String(activeRuns)],
    ...Object.entries(readiness.checks).map(([name, { ok, detail = '' }]) => [
      name,
      `${ok ? 'ok' : 'FAILS'} ${detail}`,
    ]),
    ...models.map((model) => ['model', model]),
    ['version', `Tikitaka ${version}, Node ${process.version}`],
  ];
  const table = rows
    .map(([name = '', text = '']) => `<tr><th>${escapeMarkup(name)}<td>${escapeMarkup(text)}`)
    .join('\n');
  const refused = refusals
    .map(({ reason, times, lastAtMs, last: { target, from, hotkey = '-' } }) =>
      [reason, times, new Date(lastAtMs).toISOString(), hotkey, from, target].map((text) => escapeMarkup(String(text))),
    )
    .map((cells) => `<tr><td>${cells.join('<td>')}`)
    .join('\n');
  const past = challenges
    .map(({ at, line, waterfall }) => `<h3>${at}</h3>\n<p>${escapeMarkup(line)}\n<pre>${escapeMarkup(waterfall)}</pre>`)
    .join('\n');
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Tikitaka</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
th, td { text-align: left; padding-right: 2em; vertical-align: top }
th { font-weight: 600 }
pre { font: 12px/1.3 ui-monospace, monospace; background: #f4f4f2; padding: .8em; overflow-x: auto }
h3 { margin: 1.5em 0 0 }
</style>
<h1>Tikitaka</h1>
<table>
${table}
</table>
<p><a href="metrics">metrics</a> · <a href="readyz">readyz</a>
<h2>Turned away</h2>
${refused ? `<table>\n<tr><th>reason<th>times<th>last<th>claimed hot key<th>from<th>request\n${refused}\n</table>` : '<p>Nobody.'}
<h2>Last challenges</h2>
${past || '<p>None yet.'}
</html>
`;
}
