import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { createFarServer } from '../tools/demo/far-server.js';
import { CDN } from '../tools/demo/situation.js';
import { type Diagnosis, diagnosisJsonSchema, reportOf } from '../tools/diagnose/index.js';
import { checkTarget } from './check-target.js';
import { demoClip } from './demo-clip.js';
import { diagnoseLink } from './diagnose-link.js';
import { configOf, withSettings } from './settings.js';

interface DiagnoseCommandOptions {
  readonly runs: number;
  readonly json?: boolean;
  readonly schema?: boolean;
  readonly stageLimit: number;
  readonly demo?: boolean;
  readonly demoRate: number;
  readonly demoRtt: number;
  readonly demoSetUp: number;
  readonly demoProtocol: 'h2' | 'https/1.1' | 'http/1.1';
  readonly demoNoRange?: boolean;
  readonly demoClip?: string;
}

/** `tikitaka diagnose URL`: every stage on its own, cold and warm, and what it comes to. */
export function diagnoseCommand(): Command {
  const command = new Command('diagnose')
    .description('Measure every stage of a challenge on its own, cold and warm, and name the largest avoidable cost.')
    .argument('[url]', 'http(s) link of a clip')
    .option('--runs <n>', 'repeat what is warm up to n times: median and p95', wholeNumber, 3)
    .option('--json', 'one JSON object on stdout (schemas/diagnose.schema.json)')
    .option('--schema', 'print the JSON schema of --json, and nothing else')
    .option('--stage-limit <seconds>', 'longest time of one stage', atLeast(0.1), 120)
    .option('--demo', 'a clip of our own over a link like the CDN, instead of a URL')
    .option('--demo-rate <MB/s>', 'rate of the demo link', atLeast(0.01), CDN.bytesPerSecond / 1e6)
    .option('--demo-rtt <ms>', 'round trip of the demo link', atLeast(0), CDN.rttMs)
    .option('--demo-set-up <ms>', 'what a new connection of the demo link waits', atLeast(0), CDN.setUpMs)
    .addOption(
      new Option('--demo-protocol <name>', 'what the demo server speaks')
        .choices(['h2', 'https/1.1', 'http/1.1'])
        .default('h2'),
    )
    .option('--demo-no-range', 'the demo server ignores Range')
    .option('--demo-clip <file>', 'a file of yours instead of the generated match');
  return withSettings(command).action(async (url: string | undefined, options: DiagnoseCommandOptions) => {
    if (options.schema) return printJson(diagnosisJsonSchema());
    const config = configOf(options);
    if ((url === undefined) !== (options.demo === true)) throw new OptionError('give either a URL or --demo');
    if (options.demoClip !== undefined) await checkTarget(options.demoClip, { config });
    const demo = url === undefined ? await openDemo(options) : undefined;
    const leave = new AbortController();
    const interrupt = () => leave.abort();
    process.once('SIGINT', interrupt);
    try {
      const diagnosis = await diagnoseLink({
        target: demo?.url ?? url ?? '',
        ca: demo?.ca,
        config,
        runs: options.runs,
        stageLimitMs: options.stageLimit * 1000,
        signal: leave.signal,
        onStage: process.stderr.isTTY ? (stage) => process.stderr.write(`${CLEAR}measuring: ${stage}`) : undefined,
      });
      if (process.stderr.isTTY) process.stderr.write(CLEAR);
      print(diagnosis, options);
    } finally {
      process.off('SIGINT', interrupt);
      await demo?.close();
    }
  });
}

/** Back to the start of the line, which is emptied. */
const CLEAR = '\r\x1b[K';

/** What was measured, in any case; then the error that ended the measurement. */
function print(diagnosis: Diagnosis, { json }: DiagnoseCommandOptions): void {
  if (json) printJson(diagnosis);
  else process.stdout.write(reportOf(diagnosis));
  const { failed } = diagnosis;
  if (failed) {
    const { stage, code, message } = failed;
    throw new TikitakaError(code, `${stage}: ${message}`, { details: { stage } });
  }
}

/** The demo's clip behind a link shaped as told. */
async function openDemo(options: DiagnoseCommandOptions) {
  const path = options.demoClip ? resolve(options.demoClip) : (await demoClip()).path;
  const server = await createFarServer({
    files: { '/match.mp4': path },
    protocol: options.demoProtocol,
    ignoreRange: options.demoNoRange ?? false,
    link: { rttMs: options.demoRtt, bytesPerSecond: options.demoRate * 1e6, setUpMs: options.demoSetUp },
  });
  return { url: `${server.url}/match.mp4`, ca: server.ca, close: server.close };
}

function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 to 999');
  return Number(text);
}

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least) || !Number.isFinite(value))
      throw new InvalidArgumentError(`expected a number of at least ${least}`);
    return value;
  };
}
