import { Command } from 'commander';
import { readConfig } from '../app/config.js';
import { createLogger } from '../app/log.js';
import { servingNeeds } from './serving-needs.js';
import { overridesOf, serverSettings, withSettings } from './settings.js';
import { createStart, passStartChecks } from './start-checks.js';

/** `tikitaka serve`: answers challenges until it is told to stop. */
export function serveCommand(): Command {
  const command = new Command('serve').description('Answer challenges over HTTP (POST /soccer/challenge).');
  return withSettings(command, serverSettings).action(async (options: object) => {
    const start = createStart(
      readConfig({ overrides: overridesOf({ ...options }, serverSettings), needs: servingNeeds }),
    );
    const log = createLogger(start.config);
    await passStartChecks(start, log);
    // Loaded only now: a start that must not be is told before, within a second.
    const { runServer } = await import('./run-server.js');
    await runServer(start, log);
  });
}
