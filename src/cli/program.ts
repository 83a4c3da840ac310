import { Command, CommanderError } from 'commander';
import { TikitakaError } from '../../operators/index.js';
import { packageVersion } from '../app/package-root.js';

/** Loaded when named: the chain's libraries alone take longer to load than a short clip to answer. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.js')).demoCommand(),
  diagnose: async () => (await import('./diagnose.js')).diagnoseCommand(),
  run: async () => (await import('./run.js')).runCommand(),
  serve: async () => (await import('./serve.js')).serveCommand(),
  challenge: async () => (await import('./challenge.js')).challengeCommand(),
  bench: async () => (await import('./bench.js')).benchCommand(),
  evaluate: async () => (await import('./evaluate.js')).evaluateCommand(),
  models: async () => (await import('./models.js')).modelsCommand(),
  chain: async () => (await import('./chain.js')).chainCommand(),
  wallet: async () => (await import('./wallet.js')).walletCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
};

/** Exit codes: 0 ok, 1 failed, 2 wrong usage or a start that would fail again (process managers leave it), 130 interrupted (what shells make of SIGINT). */
const usageCodes = new Set(['ERR_OPTION', 'ERR_CONFIG', 'ERR_HOTKEY', 'ERR_START']);
const interruptedCode = 'ERR_INTERRUPTED';

/** Runs the command line `argv` (as `process.argv` has it) to its end and tells the exit code; says on stderr why it is not 0. */
export async function main(argv: readonly string[]): Promise<number> {
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
