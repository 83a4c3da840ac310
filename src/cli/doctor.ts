import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { childEnvironment } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import { type LoadConfigOptions, readConfig } from '../app/config.js';
import { runChecks, type Verdict, verdictLines } from './checks.js';
import { doctorChecks } from './doctor-checks.js';
import { servingNeeds } from './serving-needs.js';
import { overridesOf, serverSettings, withSettings } from './settings.js';
import { createStart, startChecks } from './start-checks.js';

/** `tikitaka doctor`: everything that `serve` would try, and what this machine is good for, each line with its mend. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'Try everything that serve would: settings, wallet, models, decoder, port, chain, clock; look at disk and network. Exit 1 where something fails.',
    )
    .option('--json', 'the verdicts as JSON on stdout')
    .option('--install-cuda', 'first fetch the CUDA provider of ONNX Runtime (needs the internet)');
  return withSettings(command, serverSettings).action(
    async (options: { readonly json?: boolean; readonly installCuda?: boolean }) => {
      if (options.installCuda) await installCuda();
      const verdicts = await examine(overridesOf({ ...options }, serverSettings));
      const text = options.json ? JSON.stringify(verdicts, null, 2) : verdictLines(verdicts).join('\n');
      process.stdout.write(`${text}\n`);
      const failed = new Set(verdicts.filter(({ status }) => status === 'fail').map(({ name }) => name));
      if (failed.size > 0) throw new TikitakaError('ERR_DOCTOR', `failed: ${[...failed].join(', ')}`);
    },
  );
}

async function examine(overrides: NonNullable<LoadConfigOptions['overrides']>): Promise<readonly Verdict[]> {
  try {
    const start = createStart(readConfig({ overrides, needs: servingNeeds }));
    return await runChecks([...startChecks, ...doctorChecks], start);
  } catch (error) {
    if (!(error instanceof TikitakaError) || error.code !== 'ERR_CONFIG') throw error;
    const mend = '.env.example lists every variable; nothing else was tried';
    return [{ name: 'settings', status: 'fail', text: error.message, mend }];
  }
}

/** What the install script reads of the way to the internet and of its own settings. */
const installerNeeds = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'GLOBAL_AGENT_*'],
  ...['NODE_EXTRA_CA_CERTS', 'ONNXRUNTIME_NODE_*', 'npm_config_onnxruntime*'],
];

/** Runs the package's own install script, which `package-lock.json` and `allowScripts` leave out of `npm ci`. */
function installCuda(): Promise<void> {
  const script = fileURLToPath(new URL('../script/install.js', import.meta.resolve('onnxruntime-node')));
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) =>
      reject(
        new TikitakaError('ERR_INSTALL', `onnxruntime-node could not fetch CUDA (${cause}); it needs the internet`, {
          cause,
        }),
      );
    const child = spawn(process.execPath, [script, '--onnxruntime-node-install=cuda12'], {
      stdio: ['ignore', 2, 2],
      env: childEnvironment(installerNeeds),
    });
    child.once('error', failed);
    child.once('exit', (code) => (code === 0 ? resolve() : failed(`exit code ${code}`)));
  });
}
