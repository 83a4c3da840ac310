import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { openModelSet, shippedModels } from '../../models/index.js';
import { OptionError, TikitakaError } from '../../operators/index.js';
import { decoderChoice, FIRST_BYTES } from '../answer-clip.js';
import { cacheFolder } from '../cache-folder.js';
import { type Config, loadConfig } from '../config.js';
import { createFarServer } from '../demo/far-server.js';
import { generateClip } from '../demo/generate.js';
import { CDN, DEMO_CLIP } from '../demo/situation.js';
import {
  createClipProbe,
  createDecoderProbe,
  createLinkProbe,
  type DiagnosePorts,
  diagnose,
  diagnosisJsonSchema,
  reportOf,
  settingsOf,
} from '../diagnose/index.js';
import { createLogger } from '../log.js';
import { machine } from '../machine.js';
import { modelSetOptions } from '../model-choice.js';
import { createLinkPolicy, createPool, shown } from '../net/index.js';
import { overridesOf, withSettings } from './run.js';

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
    const config = loadConfig({ overrides: overridesOf({ ...options }) });
    if ((url === undefined) !== (options.demo === true)) throw new OptionError('give either a URL or --demo');
    const demo = url === undefined ? await openDemo(options) : undefined;
    try {
      await diagnoseTarget({ target: demo?.url ?? url ?? '', ca: demo?.ca, config, options });
    } finally {
      await demo?.close();
    }
  });
}

interface TargetOptions {
  readonly target: string;
  readonly ca: string | undefined;
  readonly config: Config;
  readonly options: DiagnoseCommandOptions;
}

async function diagnoseTarget({ target, ca, config, options }: TargetOptions): Promise<void> {
  const log = createLogger(config);
  // An operator's own link: private addresses may be measured, as `run` reads them.
  const policy = createLinkPolicy({ allowPrivate: true });
  const connectTimeoutMs = config.CONNECT_TIMEOUT_S * 1000;
  const readTimeoutMs = config.READ_TIMEOUT_S * 1000;
  const stageLimitMs = options.stageLimit * 1000;
  const pool = createPool({
    policy,
    connectTimeoutMs,
    readTimeoutMs,
    keepAliveMs: 3_600_000,
    ...(ca === undefined ? {} : { ca }),
  });
  const leave = new AbortController();
  const interrupt = () => leave.abort();
  process.once('SIGINT', interrupt);
  try {
    const modelOptions = { ...modelSetOptions(config, log), spare: false, loadTimeoutMs: stageLimitMs };
    const [model] = modelOptions.models;
    if (!model) throw new OptionError('no model is configured');
    const { input, family } = model.description;
    const probes = (['libav', 'ffmpeg'] as const).map((decoder) =>
      createDecoderProbe({
        choice: { ...decoderChoice(config), decoder },
        input,
        threads: config.DECODE_THREADS,
      }),
    );
    const ports: DiagnosePorts = {
      link: createLinkProbe({ target, policy, ca, connectTimeoutMs, readTimeoutMs }),
      clip: createClipProbe({ pool, headBytes: FIRST_BYTES, maxBytes: config.MAX_VIDEO_MB * 1e6 }),
      decoders: probes,
      async openModels(signal) {
        const models = await openModelSet(modelOptions);
        if (signal.aborted) await models.close();
        return models;
      },
    };
    const widths = shippedModels()
      .filter(({ description }) => family !== undefined && description.family === family)
      .map(({ description }) => description.input.width);
    const diagnosis = await diagnose(ports, {
      target: shown(target),
      settings: settingsOf(config, { widths, cores: machine().cores }),
      machine: machine(),
      runs: options.runs,
      stageLimitMs,
      signal: leave.signal,
      ...(process.stderr.isTTY ? { onStage: (stage) => process.stderr.write(`\r\x1b[Kmeasuring: ${stage}`) } : {}),
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    if (options.json) printJson(diagnosis);
    else process.stdout.write(reportOf(diagnosis));
    const { failed } = diagnosis;
    if (failed)
      throw new TikitakaError(failed.code, `${failed.stage}: ${failed.message}`, { details: { stage: failed.stage } });
  } finally {
    process.off('SIGINT', interrupt);
    await pool.close();
  }
}

/** The demo's clip behind a link shaped as told. */
async function openDemo(options: DiagnoseCommandOptions) {
  const path = options.demoClip ? resolve(options.demoClip) : await demoClip();
  const server = await createFarServer({
    files: { '/match.mp4': path },
    protocol: options.demoProtocol,
    ignoreRange: options.demoNoRange ?? false,
    link: { rttMs: options.demoRtt, bytesPerSecond: options.demoRate * 1e6, setUpMs: options.demoSetUp },
  });
  return { url: `${server.url}/match.mp4`, ca: server.ca, close: server.close };
}

async function demoClip(): Promise<string> {
  const { path } = await generateClip({
    ...DEMO_CLIP,
    cacheFolder: cacheFolder(),
    onProgress: (done, total) => {
      if (done % 75 === 0 || done === total) process.stderr.write(`rendering the match: ${done}/${total} frames\n`);
    },
  });
  return path;
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
