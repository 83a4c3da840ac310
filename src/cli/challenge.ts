import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { parseAnswer, parseTruth } from '../questions/football/index.js';
import { challengePath, soccerSigning, toPythonJson } from '../server/index.js';
import { createClipServer } from '../tools/demo/clip-server.js';
import { answerLines, claimLines, eventLine, exchangeLines } from './callers-view.js';
import { eventReader, outcomeOf, type StreamedEvent } from './challenge-outcome.js';
import { openSigner, type Signer, type SignerOptions } from './challenge-signer.js';
import { seconds } from './evaluate.js';
import { explainRefusal } from './explain-refusal.js';
import { checkOutputs, writeOutput } from './outputs.js';
import { askAvailability, type Exchange, putChallenge } from './put-challenge.js';
import { readJson } from './read-json.js';
import { configOf, withSettings } from './settings.js';

interface ChallengeOptions extends SignerOptions {
  readonly to?: string;
  readonly stream?: boolean;
  readonly truth?: string;
  readonly fastest?: string;
  readonly json?: string;
}

/** `tikitaka challenge URL`: puts a challenge to a server as a caller does, and shows what a caller would see. */
export function challengeCommand(): Command {
  const command = new Command('challenge')
    .description(
      'Put a challenge to a running server as a caller would, and show what a caller would see. Exit 1 where it is refused.',
    )
    .argument('<url|file>', 'link of a clip, as the server is to read it; a file is served from this machine meanwhile')
    .option('--to <server>', 'http address of the server; default: this machine at PORT')
    .option(
      '--wallet <name>',
      'sign as a hot key of this wallet (in BITTENSOR_WALLET_PATH); without a key nothing is signed',
    )
    .option('--hotkey <name>', 'which hot key of --wallet; default: default')
    .option('--key <file>', 'sign with this key file')
    .option(
      '--miner-hotkey <ss58>',
      'whom the challenge is for; default: the key that WALLET_NAME and HOTKEY_NAME name',
    )
    .option('--stream', 'take the answer as it grows (NDJSON)')
    .option('--truth <path>', 'what is in the clip (as for evaluate): estimates the score')
    .option('--fastest <seconds>', 'time of the fastest server, for the score')
    .option('--json <path>', 'write the answer there; - for stdout, and everything else to stderr');
  return withSettings(command, {}).action(challenge);
}

async function challenge(target: string, options: ChallengeOptions): Promise<void> {
  const config = configOf(options, {});
  await checkOutputs({ '--json': { path: options.json } });
  const fastestS = seconds('--fastest', options.fastest);
  const truth = options.truth === undefined ? undefined : parseTruth(await readJson(options.truth));
  const url = serverUrl(options.to ?? `127.0.0.1:${config.PORT}`);
  const signer = await openSigner(options, config);
  const say = (line: string) => (options.json === '-' ? process.stderr : process.stdout).write(`${line}\n`);

  say(`server      ${url.href}`);
  say(`caller      ${signer ? `${signer.caller}, for ${signer.addressed}` : 'nobody: the challenge is not signed'}`);
  const { status, body } = await askAvailability(url);
  say(`available   ${status === 200 ? body.toString().slice(0, 80) : `status ${status}`}`);
  const clip = await openClipLink(target);
  const { exchange, last } = await put(clip.url, { url, signer, stream: options.stream ?? false, say }).finally(
    clip.close,
  );
  for (const line of exchangeLines(exchange)) say(line);
  const outcome = outcomeOf(exchange, last);
  if ('refused' in outcome) throw refusalError(outcome.refused, { signer, exchange });
  if (options.json === '-') process.stdout.write(`${JSON.stringify(outcome.answer)}\n`);
  else if (options.json !== undefined) await writeOutput(options.json, JSON.stringify(outcome.answer));
  const answer = parseAnswer(outcome.answer);
  const timeS = Math.round(exchange.totalMs) / 1000;
  for (const line of [...claimLines(outcome.answer), ...answerLines({ answer, timeS, truth, fastestS })]) say(line);
}

/** Whatever is no file is for the server to judge. */
async function openClipLink(target: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const isFile = (await stat(target).catch(() => undefined))?.isFile() ?? false;
  if (!isFile) return { url: target, close: async () => undefined };
  const server = await createClipServer({ files: { '/clip.mp4': resolve(target) }, protocol: 'http/1.1' });
  return { url: `${server.url}/clip.mp4`, close: server.close };
}

/** `host:port` or an http address; a path of its own wins over the usual one. Throws ERR_OPTION. */
function serverUrl(text: string): URL {
  const link = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(link) ? new URL(link) : undefined;
  if (url?.protocol !== 'http:') {
    throw new OptionError(`--to ${text}: callers speak plain http, e.g. http://203.0.113.1:7999`, { to: text });
  }
  if (url.pathname === '/') url.pathname = challengePath;
  return url;
}

interface PutOptions {
  readonly url: URL;
  readonly signer: Signer | undefined;
  readonly stream: boolean;
  readonly say: (line: string) => void;
}

async function put(videoUrl: string, { url, signer, stream, say }: PutOptions) {
  const body = challengeBody(videoUrl);
  let last: StreamedEvent | undefined;
  const read = eventReader((event, atMs) => {
    last = event;
    say(eventLine(event, atMs));
  });
  const exchange = await putChallenge({
    url,
    body,
    headers: {
      ...signer?.headers(soccerSigning, body),
      ...(stream ? { Accept: 'application/x-ndjson' } : {}),
    },
    onText: (text, atMs, type) => type.startsWith('application/x-ndjson') && read(text, atMs),
  });
  return { exchange, last };
}

/** As callers write it: members in this order, Python's separators (docs/protocol.md §1). */
function challengeBody(videoUrl: string): Buffer {
  const createdAt = new Date().toISOString().replace('Z', '000+00:00');
  const challenge = {
    challenge_id: `trial-${randomUUID().slice(0, 8)}`,
    type: 'gsr',
    video_url: videoUrl,
    created_at: createdAt,
  };
  return Buffer.from(toPythonJson(JSON.stringify(challenge), 'default'));
}

interface RefusalFacts {
  readonly signer: Signer | undefined;
  readonly exchange: Exchange;
}

function refusalError(
  refused: { readonly status: number; readonly code?: string | undefined; readonly detail: string },
  { signer, exchange }: RefusalFacts,
): TikitakaError {
  const stamp = Date.parse(exchange.headers.date ?? '');
  const why = explainRefusal({
    ...refused,
    caller: signer?.caller,
    addressed: signer?.addressed,
    clockOffS: Number.isNaN(stamp) ? undefined : (stamp - Date.now()) / 1000,
  });
  const { status, code, detail } = refused;
  const text = `HTTP ${status}${code ? ` ${code}` : ''}: ${detail.trim()}${why ? `\n-> ${why}` : ''}`;
  return new TikitakaError('ERR_CHALLENGE_REFUSED', text, { details: { status } });
}
