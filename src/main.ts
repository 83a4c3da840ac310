#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { TikitakaError } from '../operators/index.js';
import { packageVersion } from './package-root.js';

/** Loaded when named: the chain's libraries alone take longer to load than a short clip to answer. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./cli/demo.js')).demoCommand(),
  diagnose: async () => (await import('./cli/diagnose.js')).diagnoseCommand(),
  run: async () => (await import('./cli/run.js')).runCommand(),
  serve: async () => (await import('./cli/serve.js')).serveCommand(),
  bench: async () => (await import('./cli/bench.js')).benchCommand(),
  evaluate: async () => (await import('./cli/evaluate.js')).evaluateCommand(),
  models: async () => (await import('./cli/models.js')).modelsCommand(),
  chain: async () => (await import('./cli/chain.js')).chainCommand(),
  doctor: async () => (await import('./cli/doctor.js')).doctorCommand(),
};

/** Exit codes: 0 ok, 1 failed, 2 wrong usage (DESIGN "Surfaces"), 130 interrupted (what shells make of SIGINT). */
const usageCodes = new Set(['ERR_OPTION', 'ERR_CONFIG']);
const interruptedCode = 'ERR_INTERRUPTED';

async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('tikitaka')
    .description('Answers questions about a video before a deadline.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(see --help)');
  const named = Object.entries(commands).filter(([name]) => name === argv[2]);
  for (const [, load] of named.length > 0 ? named : Object.entries(commands)) program.addCommand(inherit(await load()));
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof TikitakaError) {
      process.stderr.write(`${error.code}: ${error.message}\n`);
      return usageCodes.has(error.code) ? 2 : error.code === interruptedCode ? 130 : 1;
    }
    process.stderr.write(`ERR_INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
}

/** Sub-commands throw on wrong usage too, so that every exit goes through `main`. */
function inherit(command: Command): Command {
  command.exitOverride().showHelpAfterError('(see --help)');
  for (const child of command.commands) inherit(child);
  return command;
}

process.exitCode = await main(process.argv);
