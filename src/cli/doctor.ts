import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { TikitakaError } from '../../operators/index.js';
import { type Config, loadConfig } from '../config.js';
import { findFfmpeg, openDecoderReport } from '../decode/index.js';
import { packageRoot } from '../package-root.js';
import { overridesOf, withSettings } from './run.js';

export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly text: string;
  /** What to do about it, as a command or a setting. */
  readonly mend?: string;
}

type Probe = (config: Config) => Promise<Check | readonly Check[]>;

/** `tikitaka doctor`: what this machine and these settings are good for, each line with its mend. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'Check Node, libraries, devices, decoder, wallet, clock, port, disk and network; fail only on what stops a server.',
    )
    .option('--json', 'checks as JSON on stdout')
    .option('--install-cuda', 'fetch the CUDA provider of ONNX Runtime (needs the internet), then check');
  return withSettings(command).action(async (options: { readonly json?: boolean; readonly installCuda?: boolean }) => {
    if (options.installCuda) await installCuda();
    const config = loadConfig({ overrides: overridesOf({ ...options }) });
    const checks = (await Promise.all(probes.map((probe) => probe(config)))).flat();
    const lines = checks.map(({ name, status, text, mend }) =>
      [`${status.padEnd(4)} ${name.padEnd(12)} ${text}`, ...(mend ? [`${' '.repeat(18)}-> ${mend}`] : [])].join('\n'),
    );
    process.stdout.write(options.json ? `${JSON.stringify(checks, null, 2)}\n` : `${lines.join('\n')}\n`);
    const failed = checks.filter(({ status }) => status === 'fail').map(({ name }) => name);
    if (failed.length > 0) throw new TikitakaError('ERR_DOCTOR', `failed: ${failed.join(', ')}`);
  });
}

const node: Probe = async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > 20 || (major === 20 && minor >= 19);
  return fits
    ? { name: 'node', status: 'ok', text: process.version }
    : { name: 'node', status: 'fail', text: `${process.version} is too old`, mend: 'install Node 20.19 or newer' };
};

const forfeits: Probe = async ({ SKIP_PITCH, DISABLE_TRACKING }) => {
  const off = [SKIP_PITCH && 'SKIP_PITCH=1', DISABLE_TRACKING && 'DISABLE_TRACKING=1'].filter(Boolean).join(' and ');
  return off
    ? {
        name: 'score',
        status: 'warn',
        text: `${off}: up to half of the quality is forfeited (PROTOCOL §3)`,
        mend: `remove ${off}`,
      }
    : { name: 'score', status: 'ok', text: 'tracking and pitch are on' };
};

const port: Probe = ({ HOST, PORT }) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) =>
      resolve({
        name: 'port',
        status: 'fail',
        text: `${HOST}:${PORT}: ${error.message}`,
        mend: 'free it, or set PORT',
      }),
    );
    server.listen(PORT, HOST, () =>
      server.close(() => resolve({ name: 'port', status: 'ok', text: `${HOST}:${PORT} is free` })),
    );
  });

const disk: Probe = async () => {
  const free = async (folder: string) => {
    const { bavail, bsize } = await statfs(folder);
    return (bavail * bsize) / 1e9;
  };
  const gigabytes = await free(tmpdir());
  const shm = await access('/dev/shm', constants.W_OK).then(
    () => free('/dev/shm'),
    () => undefined,
  );
  const temp: Check =
    gigabytes < 1
      ? {
          name: 'disk',
          status: 'warn',
          text: `${gigabytes.toFixed(1)} GB free in ${tmpdir()}`,
          mend: 'free some space',
        }
      : { name: 'disk', status: 'ok', text: `${gigabytes.toFixed(0)} GB free in ${tmpdir()}` };
  const shared: Check =
    shm === undefined
      ? {
          name: 'shm',
          status: 'warn',
          text: 'no /dev/shm: batches go through the temporary folder',
          mend: 'mount a tmpfs there',
        }
      : shm < 0.2
        ? {
            name: 'shm',
            status: 'warn',
            text: `${(shm * 1000).toFixed(0)} MB free in /dev/shm`,
            mend: 'docker run --shm-size=512m',
          }
        : { name: 'shm', status: 'ok', text: `${shm.toFixed(1)} GB free in /dev/shm` };
  return [temp, shared];
};

/** Host settings that speed a long fat link up (F43), with the line that sets them. */
const tuning: readonly { readonly key: string; readonly good: (value: string) => boolean; readonly line: string }[] = [
  {
    key: 'net.ipv4.tcp_congestion_control',
    good: (v) => v === 'bbr',
    line: 'sysctl -w net.ipv4.tcp_congestion_control=bbr',
  },
  {
    key: 'net.ipv4.tcp_rmem',
    good: (v) => Number(v.split(/\s+/)[2]) >= 8 << 20,
    line: 'sysctl -w net.ipv4.tcp_rmem="4096 1048576 16777216"',
  },
  { key: 'net.ipv4.tcp_fastopen', good: (v) => (Number(v) & 1) === 1, line: 'sysctl -w net.ipv4.tcp_fastopen=3' },
  {
    key: 'net.ipv4.tcp_slow_start_after_idle',
    good: (v) => v === '0',
    line: 'sysctl -w net.ipv4.tcp_slow_start_after_idle=0',
  },
];

const network: Probe = () =>
  Promise.all(
    tuning.map(async ({ key, good, line }): Promise<Check> => {
      const value = await readFile(`/proc/sys/${key.replaceAll('.', '/')}`, 'utf8').then(
        (v) => v.trim(),
        () => undefined,
      );
      const name = 'network';
      if (value === undefined) return { name, status: 'ok', text: `${key} cannot be read here` };
      return good(value)
        ? { name, status: 'ok', text: `${key} = ${value}` }
        : { name, status: 'warn', text: `${key} = ${value}`, mend: line };
    }),
  );

const probes: readonly Probe[] = [node, forfeits, port, disk, network];

function installCuda(): Promise<void> {
  const script = fileURLToPath(new URL('node_modules/onnxruntime-node/script/install', packageRoot));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, '--onnxruntime-node-install=cuda12'], { stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve()
        : reject(
            new TikitakaError(
              'ERR_INSTALL',
              `the install script of onnxruntime-node ended with ${code}; it needs the internet`,
            ),
          ),
    );
  });
}
