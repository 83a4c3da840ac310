import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { reportLine } from '../../models/index.js';
import type { Config } from '../app/config.js';
import { decoderChoice } from '../app/decoder-choice.js';
import { createLogger } from '../app/log.js';
import { chosenModels, openModels } from '../app/model-choice.js';
import { askChainTime, askMetagraph, loadSnapshot, nodeName } from '../chain/index.js';
import { loadDecoder } from '../decode/index.js';
import { createLinkPolicy, createPool } from '../net/index.js';
import { chainOf, snapshotPath } from './chain-settings.js';
import { type Check, type Finding, textOf } from './checks.js';
import { judgeClock, judgePlace, judgeTuning, tuningKeys } from './judgements.js';
import type { Start } from './start-checks.js';

/** Longest wait for the chain: an operator looks at it meanwhile. */
const CHAIN_MS = 5_000;
/** As long as a view of the metagraph is believed. */
const LONGEST_TRUST_S = 86_400;

/** Opens the models as `serve` would: which size, on what, how fast, and why not elsewhere. */
const inference: Check<Start> = {
  name: 'inference',
  mend: 'DEVICE=auto MODEL=fast',
  async look({ config }) {
    try {
      chosenModels(config);
    } catch {
      return { status: 'fail', text: 'not tried: there is no model to load' };
    }
    const set = await openModels(config, createLogger({ ...config, LOG_LEVEL: 'silent' }), false);
    await set.close();
    return set.reports.map((report): Finding => ({ status: 'ok', text: reportLine(report) }));
  },
};

/** Asks the chain as `serve` would, and what it says of us. */
const metagraph: Check<Start> = {
  name: 'metagraph',
  mend: 'SUBTENSOR_ADDRESS=wss://… of a node that answers; serve waits for it with /availability false',
  async look({ config, hotkey }) {
    if (config.AUTH !== 'chain' || !config.REFRESH_NODES) return { status: 'ok', text: 'not asked for' };
    const { url, netuid } = chainOf(config);
    const startedMs = performance.now();
    const snapshot = await askMetagraph({ url, netuid, timeoutMs: CHAIN_MS }).catch((error: unknown) =>
      saved(config, error),
    );
    if ('status' in snapshot) return snapshot;
    const { neurons } = snapshot;
    const callers = neurons.filter(({ taoStake }) => taoStake >= config.MIN_STAKE_THRESHOLD).length;
    const tookS = ((performance.now() - startedMs) / 1000).toFixed(1);
    const text = `${nodeName(url)} answered in ${tookS} s: ${neurons.length} members, ${callers} may call`;
    const own = await hotkey().then(
      ({ address }) => [judgePlace({ snapshot, address, port: config.PORT })],
      () => [],
    );
    if (callers > 0) return [{ status: 'ok', text }, ...own];
    return [{ status: 'warn', text, mend: 'lower MIN_STAKE_THRESHOLD, or check NETUID and the network' }, ...own];
  },
};

/** `serve` answers from a saved metagraph too, until it is a day old. */
async function saved(config: Config, cause: unknown): Promise<Finding> {
  const { url, netuid } = chainOf(config);
  const snapshot = config.LOAD_OLD_NODES
    ? await loadSnapshot(snapshotPath(config), { url, netuid }).catch(() => undefined)
    : undefined;
  const ageS = snapshot ? (Date.now() - snapshot.fetchedAtMs) / 1000 : Number.POSITIVE_INFINITY;
  if (ageS > LONGEST_TRUST_S) throw cause;
  const text = `${textOf(cause)}; the metagraph saved ${(ageS / 60).toFixed(0)} minutes ago would do until it is a day old`;
  return { status: 'warn', text, ...(metagraph.mend === undefined ? {} : { mend: metagraph.mend }) };
}

/** Callers' nonces must be within 120 s of our clock. Only those are asked that `serve` would ask anyway. */
const clock: Check<Start> = {
  name: 'clock',
  async look({ config }) {
    if (config.AUTH === 'off') return { status: 'ok', text: 'AUTH=off: no caller signs the time' };
    const [origin] = config.PREWARM_ORIGINS;
    const found = [
      ...(config.AUTH === 'chain' && config.REFRESH_NODES ? [await byTheChain(chainOf(config).url)] : []),
      ...(origin ? [await byAnOrigin(origin, config.ALLOW_PRIVATE_URLS)] : []),
    ];
    if (found.length > 0) return found;
    const text = `not checked: AUTH=${config.AUTH} asks no chain, and PREWARM_ORIGINS names no server`;
    return { status: 'warn', text, mend: 'timedatectl status' };
  },
};

async function byTheChain(url: string): Promise<Finding> {
  try {
    return judgeClock({ ...(await askChainTime({ url, timeoutMs: CHAIN_MS })), nowMs: Date.now() });
  } catch (error) {
    const text = `not checked against the chain: ${textOf(error)}`;
    return { status: 'warn', text, mend: 'timedatectl status' };
  }
}

async function byAnOrigin(origin: string, allowPrivate: boolean): Promise<Finding> {
  const pool = createPool({ policy: createLinkPolicy({ allowPrivate }) });
  try {
    const response = await pool.request(origin);
    response.cancel();
    const skewS = (Date.now() - Date.parse(response.headers.date ?? '')) / 1000;
    if (Number.isNaN(skewS)) return { status: 'ok', text: `${origin} tells no time` };
    const text = `${skewS.toFixed(1)} s from ${origin}`;
    return Math.abs(skewS) < 30 ? { status: 'ok', text } : { status: 'fail', text, mend: 'timedatectl set-ntp true' };
  } catch (error) {
    return { status: 'warn', text: `not checked against ${origin}: ${textOf(error)}` };
  } finally {
    await pool.close();
  }
}

/** What decodes where libav does not load. */
const ffmpeg: Check<Start> = {
  name: 'ffmpeg',
  async look({ config }) {
    try {
      const { decoder } = await loadDecoder({ ...decoderChoice(config), decoder: 'ffmpeg' });
      return { status: 'ok', text: `${decoder}, where libav does not load` };
    } catch (error) {
      const text = `no fallback decoder: ${textOf(error)}`;
      return { status: 'warn', text, mend: 'set FFMPEG_PATH, or apt-get install ffmpeg' };
    }
  },
};

const freeGb = async (folder: string) => {
  const { bavail, bsize } = await statfs(folder);
  return (bavail * bsize) / 1e9;
};

const disk: Check<Start> = {
  name: 'disk',
  async look() {
    const free = await freeGb(tmpdir());
    const text = `${free.toFixed(1)} GB free in ${tmpdir()}`;
    return free < 1 ? { status: 'warn', text, mend: 'free some space' } : { status: 'ok', text };
  },
};

const shm: Check<Start> = {
  name: 'shm',
  async look() {
    const free = await access('/dev/shm', constants.W_OK).then(
      () => freeGb('/dev/shm'),
      () => undefined,
    );
    if (free === undefined) {
      const text = 'no /dev/shm: batches go through the temporary folder';
      return { status: 'warn', text, mend: 'mount a tmpfs there' };
    }
    const text = `${(free * 1000).toFixed(0)} MB free in /dev/shm`;
    return free < 0.2 ? { status: 'warn', text, mend: 'docker run --shm-size=512m' } : { status: 'ok', text };
  },
};

const network: Check<Start> = {
  name: 'network',
  look: async () =>
    Promise.all(
      tuningKeys.map(async (key) =>
        judgeTuning(key, await readFile(`/proc/sys/${key.replaceAll('.', '/')}`, 'utf8').catch(() => undefined)),
      ),
    ),
};

/** What `doctor` tries besides a start: what takes longer, and what a server can live without. */
export const doctorChecks: readonly Check<Start>[] = [inference, metagraph, clock, ffmpeg, disk, shm, network];
