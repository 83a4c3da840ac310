import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { chooseModel, openModelSet, reportLine } from '../../models/index.js';
import { TikitakaError } from '../../operators/index.js';
import { loadHotkey } from '../chain/index.js';
import type { Config } from '../config.js';
import { openDecoderReport } from '../decode/index.js';
import { createLinkPolicy, createPool } from '../net/index.js';

export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly text: string;
  /** What to do about it, as a command or a setting. */
  readonly mend?: string;
}

type Probe = (config: Config) => Promise<Check | readonly Check[]>;

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const node: Probe = async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > 20 || (major === 20 && minor >= 19);
  return fits
    ? { name: 'node', status: 'ok', text: process.version }
    : { name: 'node', status: 'fail', text: `${process.version} is too old`, mend: 'install Node 20.19 or newer' };
};

const decoder: Probe = async ({ FFMPEG_PATH }) => {
  const { libav, ffmpeg } = await openDecoderReport(FFMPEG_PATH === undefined ? {} : { ffmpegPath: FFMPEG_PATH });
  const fallback: Check = ffmpeg
    ? { name: 'ffmpeg', status: 'ok', text: `${ffmpeg.version} at ${ffmpeg.path}` }
    : {
        name: 'ffmpeg',
        status: 'warn',
        text: 'no fallback decoder',
        mend: 'set FFMPEG_PATH, or apt-get install ffmpeg',
      };
  if (libav) return [{ name: 'decoder', status: 'ok', text: `libav ${libav} in process` }, fallback];
  const text = 'node-av does not load on this machine';
  return ffmpeg
    ? [{ name: 'decoder', status: 'warn', text: `${text}: the slower ffmpeg child decodes` }, fallback]
    : [{ name: 'decoder', status: 'fail', text, mend: 'npm ci, or set FFMPEG_PATH' }, fallback];
};

/** Opens the models for real: what runs where, and why not elsewhere. */
const models: Probe = async ({ MODEL, DEVICE }) => {
  try {
    const set = await openModelSet({
      models: [chooseModel({ model: MODEL })],
      device: DEVICE,
      spare: false,
      batchSize: 4,
    });
    await set.close();
    return set.reports.map((report): Check => ({ name: 'models', status: 'ok', text: reportLine(report) }));
  } catch (error) {
    return { name: 'models', status: 'fail', text: messageOf(error), mend: 'DEVICE=auto MODEL=fast' };
  }
};

const wallet: Probe = async ({ AUTH, WALLET_NAME, HOTKEY_NAME, BITTENSOR_WALLET_PATH, WALLET_PASSWORD }) => {
  const name = 'wallet';
  if (AUTH === 'off')
    return { name, status: 'warn', text: 'AUTH=off: no wallet is used, anybody may call', mend: 'AUTH=chain' };
  if (!WALLET_NAME || !HOTKEY_NAME) {
    return { name, status: 'fail', text: 'no hot key is named', mend: 'set WALLET_NAME and HOTKEY_NAME' };
  }
  try {
    const { address, warnings } = await loadHotkey({
      walletsPath: BITTENSOR_WALLET_PATH,
      walletName: WALLET_NAME,
      hotkeyName: HOTKEY_NAME,
      ...(WALLET_PASSWORD === undefined ? {} : { password: WALLET_PASSWORD }),
    });
    return [
      { name, status: 'ok', text: address },
      ...warnings.map((text): Check => ({ name, status: 'warn', text, mend: 'chmod 600 the key file' })),
    ];
  } catch (error) {
    return {
      name,
      status: 'fail',
      text: messageOf(error),
      mend: 'check BITTENSOR_WALLET_PATH, WALLET_NAME, HOTKEY_NAME',
    };
  }
};

/** The callers' clock must be within 120 s of ours (PROTOCOL §1); the servers that are asked anyway tell the time. */
const clock: Probe = async ({ PREWARM_ORIGINS, ALLOW_PRIVATE_URLS }) => {
  const name = 'clock';
  const [origin] = PREWARM_ORIGINS;
  if (!origin)
    return {
      name,
      status: 'ok',
      text: 'not compared: PREWARM_ORIGINS names no server to ask',
      mend: 'timedatectl status',
    };
  const pool = createPool({ policy: createLinkPolicy({ allowPrivate: ALLOW_PRIVATE_URLS }) });
  try {
    const response = await pool.request(origin);
    response.cancel();
    const skewS = (Date.now() - Date.parse(response.headers.date ?? '')) / 1000;
    if (Number.isNaN(skewS)) return { name, status: 'ok', text: `${origin} tells no time` };
    const text = `${skewS.toFixed(1)} s from ${origin}`;
    return Math.abs(skewS) < 30
      ? { name, status: 'ok', text }
      : { name, status: 'fail', text, mend: 'timedatectl set-ntp true' };
  } catch (error) {
    return { name, status: 'warn', text: `${origin}: ${messageOf(error)}` };
  } finally {
    await pool.close();
  }
};

const score: Probe = async ({ SKIP_PITCH, DISABLE_TRACKING }) => {
  const off = [SKIP_PITCH && 'SKIP_PITCH=1', DISABLE_TRACKING && 'DISABLE_TRACKING=1'].filter(Boolean).join(' and ');
  return off
    ? {
        name: 'score',
        status: 'warn',
        text: `${off} forfeits up to half of the quality (PROTOCOL §3)`,
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

const freeGb = async (folder: string) => {
  const { bavail, bsize } = await statfs(folder);
  return (bavail * bsize) / 1e9;
};

const disk: Probe = async () => {
  const free = await freeGb(tmpdir());
  const text = `${free.toFixed(1)} GB free in ${tmpdir()}`;
  return free < 1
    ? { name: 'disk', status: 'warn', text, mend: 'free some space' }
    : { name: 'disk', status: 'ok', text };
};

const shm: Probe = async () => {
  const name = 'shm';
  const free = await access('/dev/shm', constants.W_OK).then(
    () => freeGb('/dev/shm'),
    () => undefined,
  );
  if (free === undefined)
    return {
      name,
      status: 'warn',
      text: 'no /dev/shm: batches go through the temporary folder',
      mend: 'mount a tmpfs there',
    };
  const text = `${(free * 1000).toFixed(0)} MB free in /dev/shm`;
  return free < 0.2 ? { name, status: 'warn', text, mend: 'docker run --shm-size=512m' } : { name, status: 'ok', text };
};

/** Host settings that speed a long, fat link up (F43), each with the line that sets it. */
const tuning: readonly { readonly key: string; readonly good: (value: string) => boolean; readonly line: string }[] = [
  {
    key: 'net.ipv4.tcp_congestion_control',
    good: (v) => v === 'bbr',
    line: 'sysctl -w net.ipv4.tcp_congestion_control=bbr',
  },
  {
    key: 'net.ipv4.tcp_rmem',
    good: (v) => Number(v.split(/\s+/)[2]) >= 1 << 23,
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
      const name = 'network';
      const value = await readFile(`/proc/sys/${key.replaceAll('.', '/')}`, 'utf8').then(
        (text) => text.trim(),
        () => undefined,
      );
      if (value === undefined) return { name, status: 'ok', text: `${key} cannot be read here` };
      const text = `${key} = ${value.replaceAll(/\s+/g, ' ')}`;
      return good(value) ? { name, status: 'ok', text } : { name, status: 'warn', text, mend: line };
    }),
  );

const probes: readonly Probe[] = [node, decoder, models, wallet, clock, score, port, disk, shm, network];

/** Everything that is checked, in the order of the printed lines. A probe that breaks is a failed check, not a crash. */
export async function examine(config: Config): Promise<readonly Check[]> {
  const found = await Promise.all(
    probes.map(async (probe): Promise<Check | readonly Check[]> => {
      try {
        return await probe(config);
      } catch (error) {
        const code = error instanceof TikitakaError ? error.code : 'ERR_INTERNAL';
        return { name: probe.name, status: 'fail', text: `${code}: ${messageOf(error)}` };
      }
    }),
  );
  return found.flat();
}
