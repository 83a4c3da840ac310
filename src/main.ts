#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { TikitakaError } from '../operators/index.js';
import { demoCommand } from './cli/demo.js';
import { runCommand } from './cli/run.js';
import { packageRoot } from './package-root.js';

/** Exit codes: 0 ok, 1 failed, 2 wrong usage (DESIGN "Surfaces"). */
const usageCodes = new Set(['ERR_OPTION', 'ERR_CONFIG']);

async function main(argv: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string };
  const program = new Command('tikitaka')
    .description('Answers questions about a video before a deadline.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(see --help)');
  for (const command of [demoCommand(), runCommand()]) program.addCommand(inherit(command));
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof TikitakaError) {
      process.stderr.write(`${error.code}: ${error.message}\n`);
      return usageCodes.has(error.code) ? 2 : 1;
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
