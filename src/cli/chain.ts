import { Command } from 'commander';
import { TikitakaError } from '../../operators/index.js';
import type { Config } from '../app/config.js';
import { askMetagraph, type Hotkey, type Neuron, registerAxon, toPublicKey } from '../chain/index.js';
import { chainOf, readHotkey } from './chain-settings.js';
import { chainSettings, configOf, withSettings } from './settings.js';

interface ChainOptions {
  readonly json?: boolean;
}

const registerSettings = { ...chainSettings, port: ['--port <n>', 'PORT', 'public port (default: PORT)'] } as const;

/** `tikitaka chain status|register`: what the subnet's chain says of us and of callers, and telling it where we are. */
export function chainCommand(): Command {
  const chain = new Command('chain').description('Look at the chain, register this server on it.');
  const status = new Command('status')
    .description('Who is in the subnet, whether our hot key is, and what stake a given hot key has.')
    .option('--hotkey <ss58>', 'a hot key to look up');
  const register = new Command('register')
    .description('Tell the chain the address of this server (serve_axon), signed by the hot key. No fee.')
    .requiredOption('--ip <address>', 'public IPv4 or IPv6 address')
    .option('--dry-run', 'print the call instead of sending it');
  for (const command of [status, register]) command.option('--json', 'the facts as JSON');
  chain.addCommand(withSettings(status, chainSettings).action(showStatus));
  chain.addCommand(withSettings(register, registerSettings).action(sendRegistration));
  return chain;
}

async function showStatus(options: ChainOptions & { readonly hotkey?: string }): Promise<void> {
  const config = configOf(options, chainSettings);
  if (options.hotkey !== undefined) toPublicKey(options.hotkey);
  const own = await hotkeyOf(config);
  const snapshot = await askMetagraph(chainOf(config));
  const find = (hotkey: string | undefined) => snapshot.neurons.find((neuron) => neuron.hotkey === hotkey);
  const asked = options.hotkey === undefined ? undefined : { hotkey: options.hotkey, neuron: find(options.hotkey) };
  if (options.json) {
    const { neurons, ...facts } = snapshot;
    const ours = own && { hotkey: own.address, neuron: find(own.address) ?? null };
    const other = asked && { hotkey: asked.hotkey, neuron: asked.neuron ?? null };
    print(JSON.stringify({ ...facts, members: neurons.length, own: ours ?? null, asked: other ?? null }, null, 2));
    return;
  }
  const serving = snapshot.neurons.filter(({ axon }) => axon !== undefined).length;
  const enough = snapshot.neurons.filter(({ taoStake }) => taoStake >= config.MIN_STAKE_THRESHOLD).length;
  print(`node      ${snapshot.node}`);
  print(`subnet    ${snapshot.netuid}: ${snapshot.neurons.length} members, ${serving} serving (${snapshot.source})`);
  print(`callers   ${enough} with at least ${config.MIN_STAKE_THRESHOLD} TAO (MIN_STAKE_THRESHOLD)`);
  print(own ? `own key   ${describe(own.address, find(own.address))}` : 'own key   none (WALLET_NAME and HOTKEY_NAME)');
  for (const warning of own?.warnings ?? []) print(`          ${warning}`);
  if (asked) print(`asked     ${describe(asked.hotkey, asked.neuron)}`);
}

async function sendRegistration(
  options: ChainOptions & { readonly ip: string; readonly dryRun?: boolean },
): Promise<void> {
  const config = configOf(options, registerSettings);
  const hotkey = await hotkeyOf(config);
  if (!hotkey) throw new TikitakaError('ERR_CONFIG', 'WALLET_NAME and HOTKEY_NAME must name the hot key that signs');
  const { url, netuid } = chainOf(config);
  const { ip, dryRun = false } = options;
  const result = await registerAxon({ url, netuid, hotkey, ip, port: config.PORT, dryRun });
  if (options.json) return print(JSON.stringify({ ...result, before: result.before ?? null }, null, 2));
  const address = `${result.ip}:${result.port}`;
  const before = result.before ? `${result.before.ip}:${result.before.port}` : 'nowhere';
  if (result.outcome === 'dry-run') {
    print(`would send SubtensorModule.serve_axon for ${address}, signed by ${result.hotkey}`);
    print(`call      ${result.callHex}`);
    print(`now       ${result.member ? before : `not registered in subnet ${netuid}: the chain would refuse`}`);
  } else if (result.outcome === 'unchanged') print(`nothing sent: the chain already says ${address}`);
  else print(`registered ${address} (before: ${before}), block ${result.blockHash}`);
}

async function hotkeyOf(config: Config): Promise<Hotkey | undefined> {
  return config.WALLET_NAME && config.HOTKEY_NAME ? readHotkey(config) : undefined;
}

function describe(hotkey: string, neuron: Neuron | undefined): string {
  if (!neuron) return `${hotkey}: not registered`;
  const { uid, taoStake, alphaStake, totalStake, validatorPermit, axon } = neuron;
  const place = axon ? `serves at ${axon.ip}:${axon.port}` : 'serves nowhere';
  const stakes = `${taoStake} TAO, ${alphaStake} alpha, ${totalStake} total`;
  return `${hotkey}: uid ${uid}, ${stakes}, ${validatorPermit ? 'validator permit, ' : ''}${place}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
