import type { Command } from 'commander';
import { OptionError } from '../../operators/index.js';
import { type Config, type ConfigKey, configKeys, readConfig } from '../app/config.js';

/** Command-line options that are another name for one variable of the configuration, by the name that commander gives them. */
export type Settings = Readonly<Record<string, readonly [flag: string, variable: ConfigKey, text: string]>>;

const device: Settings[string] = ['--device <name>', 'DEVICE', 'auto, cpu, cuda, tensorrt, webgpu, coreml or dml'];

/** Of the commands that answer clips. */
export const clipSettings: Settings = {
  budget: ['--budget <seconds>', 'TIME_BUDGET_S', 'time budget, counted from the request'],
  stride: ['--stride <n>', 'FRAME_STRIDE', 'use every n-th frame, or auto'],
  plan: ['--plan <plan>', 'PLAN', 'anytime, or fixed for a reproducible answer'],
  decoder: ['--decoder <name>', 'DECODER', 'auto, libav or ffmpeg'],
  device,
  imgSize: ['--img-size <width>', 'IMG_SIZE', 'width of the model input, or the nearest; 768! for no other'],
  batch: ['--batch <n>', 'BATCH_SIZE', 'frames per batch at most'],
  preset: ['--preset <name>', 'PRESET', 'balanced, fast, ultra-fast or accurate'],
};

/** Of `serve`. */
export const serverSettings: Settings = {
  host: ['--host <address>', 'HOST', 'address to listen on'],
  port: ['--port <n>', 'PORT', 'port to listen on; 0 for any free one'],
  ...clipSettings,
};

/** Of `chain`. */
export const chainSettings: Settings = {
  netuid: ['--netuid <n>', 'NETUID', 'subnet (NETUID)'],
  network: ['--network <name>', 'SUBTENSOR_NETWORK', 'network: finney, test or local (SUBTENSOR_NETWORK)'],
  address: ['--address <url>', 'SUBTENSOR_ADDRESS', 'node, wins over the network (SUBTENSOR_ADDRESS)'],
};

/** Of `models check` and `models evaluate`. */
export const modelSettings: Settings = {
  device,
  threads: ['--threads <n>', 'ORT_THREADS', 'threads of the session, or auto'],
};

/** Of `wallet`. */
export const walletSettings: Settings = {
  name: ['--name <wallet>', 'WALLET_NAME', 'wallet, a folder of BITTENSOR_WALLET_PATH (WALLET_NAME)'],
  hotkey: ['--hotkey <name>', 'HOTKEY_NAME', 'hot key of that wallet (HOTKEY_NAME)'],
};

/** Adds the options of `settings` and `--set` to a command. */
export function withSettings(command: Command, settings: Settings = clipSettings): Command {
  for (const [flag, , text] of Object.values(settings)) command.option(flag, text);
  // One value each: a list of them would take the arguments behind it (`run --set K=V clip.mp4`).
  return command.option(
    '--set <KEY=VALUE>',
    'any variable of .env.example; may be given several times',
    (pair: string, before: readonly string[] = []) => [...before, pair],
  );
}

/** What the command line said, by variable. Throws ERR_OPTION for a pair that is none or a variable that does not exist. */
export function overridesOf(
  options: Readonly<Record<string, unknown>>,
  settings: Settings = clipSettings,
): Partial<Record<ConfigKey, string>> {
  const named = Object.entries(settings).flatMap(([name, [flag, variable]]) => {
    const value = options[name];
    if (typeof value !== 'string') return [];
    // An empty value would count as not given at all.
    if (value.trim() === '') throw new OptionError(`${flag} has no value`, { flag });
    return [[variable, value]];
  });
  const pairs = Array.isArray(options.set) ? options.set : [];
  const given = pairs.map((pair: string) => {
    const [key, ...value] = pair.split('=');
    if (!configKeys.includes(key as ConfigKey) || value.join('').trim() === '') {
      throw new OptionError(`--set ${pair}: expected KEY=VALUE with a KEY of .env.example`, { pair });
    }
    return [key, value.join('=')];
  });
  return Object.fromEntries([...named, ...given]);
}

/** The configuration of a command; names that are probably slips are told on stderr. Errors, thrown at call: ERR_OPTION, ERR_CONFIG. */
export function configOf(options: object, settings: Settings = clipSettings): Config {
  const { config, warnings } = readConfig({ overrides: overridesOf({ ...options }, settings) });
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return config;
}
