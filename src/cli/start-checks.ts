import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { readGraph } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import type { Config, LoadedConfig } from '../app/config.js';
import { decoderChoice } from '../app/decoder-choice.js';
import type { Logger } from '../app/log.js';
import { chosenModels } from '../app/model-choice.js';
import { type Hotkey, loadSnapshot, nodeName } from '../chain/index.js';
import { loadDecoder, nvdecFault } from '../decode/index.js';
import { chainOf, readHotkey, snapshotPath } from './chain-settings.js';
import { type Check, type Finding, runChecks, tell } from './checks.js';

/** What a start is made of; `serve` and `doctor` look at the same. */
export interface Start extends LoadedConfig {
  /** The server's own key, read once: an encrypted one takes seconds. Rejects with ERR_KEYFILE. Not for AUTH=off. */
  readonly hotkey: () => Promise<Hotkey>;
}

export function createStart(loaded: LoadedConfig): Start {
  let reading: Promise<Hotkey> | undefined;
  return {
    ...loaded,
    hotkey: () => {
      reading ??= readHotkey(loaded.config);
      return reading;
    },
  };
}

const settings: Check<Start> = {
  name: 'settings',
  look: async ({ told, warnings }) => [
    { status: 'ok', text: told },
    ...warnings.map((text): Finding => ({ status: 'warn', text, mend: '.env.example lists every variable' })),
  ],
};

const node: Check<Start> = {
  name: 'node',
  async look() {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const fits = major > 20 || (major === 20 && minor >= 19);
    if (fits) return { status: 'ok', text: process.version };
    return { status: 'fail', text: `${process.version} is too old`, mend: 'install Node 20.19 or newer' };
  },
};

const wallet: Check<Start> = {
  name: 'wallet',
  mend: 'check BITTENSOR_WALLET_PATH, WALLET_NAME, HOTKEY_NAME and WALLET_PASSWORD',
  async look({ config: { AUTH, WALLET_NAME, HOTKEY_NAME, ALLOWED_HOTKEYS }, hotkey }) {
    if (AUTH === 'off') {
      const text = 'AUTH=off: ANYBODY may send challenges to this server; no wallet is used';
      return { status: 'warn', text, mend: 'AUTH=chain, except for tests and in private networks' };
    }
    const { address, warnings } = await hotkey();
    return [
      { status: 'ok', text: `hot key ${address} (${WALLET_NAME}/${HOTKEY_NAME})` },
      ...warnings.map((text): Finding => ({ status: 'warn', text, mend: 'chmod 600 the key file' })),
      ...(AUTH === 'static'
        ? [{ status: 'warn', text: `AUTH=static: ${ALLOWED_HOTKEYS.length} allowed hot keys, no stake check` } as const]
        : []),
    ];
  },
};

const chain: Check<Start> = {
  name: 'chain',
  mend: 'start once with REFRESH_NODES=1, which saves one',
  async look({ config, given }) {
    if (config.AUTH !== 'chain') return { status: 'ok', text: `AUTH=${config.AUTH} asks no chain` };
    const { url, netuid } = chainOf(config);
    const text = `subnet ${netuid} by ${nodeName(url)}, callers need ${config.MIN_STAKE_THRESHOLD} TAO`;
    const unset = [
      ...(given.has('NETUID') ? [] : [`NETUID=${netuid}`]),
      ...(given.has('SUBTENSOR_NETWORK') || given.has('SUBTENSOR_ADDRESS')
        ? []
        : [`SUBTENSOR_NETWORK=${config.SUBTENSOR_NETWORK}`]),
    ].join(' and ');
    const told: Finding = unset
      ? { status: 'warn', text: `${text}: ${unset} by default, nothing sets it`, mend: `write ${unset} into the .env` }
      : { status: 'ok', text };
    if (config.REFRESH_NODES) return told;
    const saved = await loadSnapshot(snapshotPath(config), { netuid, url });
    const missing = `REFRESH_NODES=0, and no metagraph was saved at ${snapshotPath(config)}`;
    return saved ? told : [told, { status: 'fail', text: missing, ...(chain.mend && { mend: chain.mend }) }];
  },
};

const models: Check<Start> = {
  name: 'models',
  mend: 'check MODEL, PLAYER_MODEL, PITCH_MODEL, BALL_MODEL and IMG_SIZE (tikitaka models list)',
  async look({ config }) {
    const { files, sizeNotice } = chosenModels(config);
    for (const { file } of files) readGraph(await readFile(file), file);
    const text = files.map(({ description: { name }, file }) => `${name} (${file})`).join(', ');
    return sizeNotice === undefined
      ? { status: 'ok', text }
      : { status: 'warn', text: `${text}: ${sizeNotice}`, mend: 'IMG_SIZE=~n takes the nearest without a word' };
  },
};

const decoder: Check<Start> = {
  name: 'decoder',
  mend: 'npm ci, set FFMPEG_PATH, or DECODER=auto',
  async look({ config }) {
    const { decoder: text, fallbacks } = await loadDecoder(decoderChoice(config));
    const slower = fallbacks.map((why): Finding => ({ status: 'warn', text: `${why}: slower`, mend: 'npm ci' }));
    return [{ status: 'ok', text }, ...slower, ...(config.USE_NVDEC ? [await hardware(config)] : [])];
  },
};

async function hardware({ DECODER }: Config): Promise<Finding> {
  const fault = DECODER === 'ffmpeg' ? 'DECODER=ffmpeg decodes without it' : await nvdecFault();
  if (fault === undefined) return { status: 'ok', text: 'NVDEC opens H.264' };
  const mend = 'the driver with libnvcuvid (Docker: NVIDIA_DRIVER_CAPABILITIES=video), or USE_NVDEC=0';
  return { status: 'warn', text: `USE_NVDEC=1, but the CPU will decode: ${fault}`, mend };
}

const port: Check<Start> = {
  name: 'port',
  look: async ({ config: { HOST, PORT, STATUS_HOST, STATUS_PORT } }) => {
    const found = [await tryPort(HOST, PORT, 'PORT')];
    if (STATUS_PORT !== 'off') found.push(await tryPort(STATUS_HOST, STATUS_PORT, 'STATUS_PORT'));
    return found;
  },
};

function tryPort(host: string, port: number, variable: string): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ message }) =>
      resolve({ status: 'fail', text: `${host}:${port}: ${message}`, mend: `free it, or set ${variable}` }),
    );
    server.listen(port, host, () =>
      server.close(() =>
        resolve({ status: 'ok', text: port === 0 ? `${host}, any free port` : `${host}:${port} is free` }),
      ),
    );
  });
}

/** How callers score an answer: half of its quality is key points, which need every frame; speed counts nothing from 15 s on. */
const costs: readonly (readonly [costs: (config: Config) => boolean, setting: string, why: string])[] = [
  [({ SKIP_PITCH }) => SKIP_PITCH, 'SKIP_PITCH=1', 'no key points, which are half of the quality'],
  [
    ({ DISABLE_TRACKING }) => DISABLE_TRACKING,
    'DISABLE_TRACKING=1',
    'boxes stand still between looks and players have no lasting ids: up to half of the quality',
  ],
  [
    ({ PARTIAL_DOWNLOAD }) => PARTIAL_DOWNLOAD,
    'PARTIAL_DOWNLOAD=1',
    'frames behind the prefix are only held: the quality sinks with their share',
  ],
  [
    ({ TIME_BUDGET_S }) => TIME_BUDGET_S >= 15,
    'TIME_BUDGET_S of 15 or more',
    'nothing for speed, which is a third of the score',
  ],
];

const score: Check<Start> = {
  name: 'score',
  async look({ config }) {
    const found = costs.filter(([costly]) => costly(config));
    if (found.length === 0) return { status: 'ok', text: 'tracking and pitch are on, nothing forfeits score' };
    return found.map(([, setting, why]) => ({
      status: 'warn',
      text: `${setting} costs score: ${why}`,
      mend: `leave ${setting.split(' ')[0]} out`,
    }));
  },
};

/** What `serve` tries before it loads a model, all at once and within a second: what fails here would fail again after a restart. */
export const startChecks: readonly Check<Start>[] = [settings, node, wallet, chain, models, decoder, port, score];

/**
 * Runs the start checks and tells the log what they found. Throws ERR_START with everything that failed and its cure; the exit code
 * that belongs to it (2) tells process managers that starting again would not help.
 */
export async function passStartChecks(start: Start, log: Logger): Promise<void> {
  const verdicts = await runChecks(startChecks, start);
  const failed = verdicts.filter(({ status }) => status === 'fail');
  for (const verdict of verdicts) tell(verdict, log);
  if (failed.length === 0) return;
  const lines = failed.map(({ name, text, mend }) => `${name}: ${text}${mend ? `\n  -> ${mend}` : ''}`);
  throw new TikitakaError('ERR_START', lines.join('\n'), { details: { failed: failed.map(({ name }) => name) } });
}
