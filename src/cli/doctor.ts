import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { TikitakaError } from '../../operators/index.js';
import { loadConfig } from '../config.js';
import { examine } from './doctor-probes.js';
import { overridesOf, withSettings } from './settings.js';

/** `tikitaka doctor`: what this machine and these settings are good for, each line with its mend. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'Check Node, libraries, devices, wallet, clock, port, disk and network. Exit 1 where a server could not run.',
    )
    .option('--json', 'the checks as JSON on stdout')
    .option('--install-cuda', 'first fetch the CUDA provider of ONNX Runtime (needs the internet)');
  return withSettings(command).action(async (options: { readonly json?: boolean; readonly installCuda?: boolean }) => {
    if (options.installCuda) await installCuda();
    const checks = await examine(loadConfig({ overrides: overridesOf({ ...options }) }));
    const lines = checks.flatMap(({ name, status, text, mend }) => [
      `${status.padEnd(5)}${name.padEnd(9)}${text}`,
      ...(mend ? [`${' '.repeat(14)}-> ${mend}`] : []),
    ]);
    process.stdout.write(options.json ? `${JSON.stringify(checks, null, 2)}\n` : `${lines.join('\n')}\n`);
    const failed = new Set(checks.filter(({ status }) => status === 'fail').map(({ name }) => name));
    if (failed.size > 0) throw new TikitakaError('ERR_DOCTOR', `failed: ${[...failed].join(', ')}`);
  });
}

/** Runs the package's own install script, which `.npmrc` and `allowScripts` skip at `npm ci`. */
function installCuda(): Promise<void> {
  const script = fileURLToPath(new URL('../script/install.js', import.meta.resolve('onnxruntime-node')));
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) =>
      reject(
        new TikitakaError('ERR_INSTALL', `onnxruntime-node could not fetch CUDA (${cause}); it needs the internet`, {
          cause,
        }),
      );
    const child = spawn(process.execPath, [script, '--onnxruntime-node-install=cuda12'], { stdio: ['ignore', 2, 2] });
    child.once('error', failed);
    child.once('exit', (code) => (code === 0 ? resolve() : failed(`exit code ${code}`)));
  });
}
