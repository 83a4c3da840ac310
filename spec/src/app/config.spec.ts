import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TikitakaError } from '../../../operators/index.js';
import { configKeys, type LoadConfigOptions, loadConfig, readConfig } from '../../../src/app/config.js';

const load = (options: LoadConfigOptions = {}) => loadConfig({ env: {}, dotenvPaths: [], ...options });

function fault(options: LoadConfigOptions): TikitakaError {
  try {
    load(options);
  } catch (error) {
    assert.ok(error instanceof TikitakaError);
    return error;
  }
  assert.fail('accepted');
}

describe('loadConfig', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tikitaka-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('has a default for everything that is no identity', () => {
    const config = load();
    assert.equal(config.TIME_BUDGET_S, 2);
    assert.equal(config.FRAME_STRIDE, 'auto');
    assert.equal(config.AUTH, 'chain');
    assert.equal(config.ALLOW_PRIVATE_URLS, false);
    assert.equal(config.WALLET_NAME, undefined);
  });

  const readings: readonly (readonly [string, string, unknown, string])[] = [
    ['FRAME_STRIDE', '5', 5, 'a number instead of auto'],
    ['IMG_SIZE', '576', { width: 576, nearest: true, tell: true }, 'a size, else the nearest, which is told'],
    ['IMG_SIZE', '~640', { width: 640, nearest: true, tell: false }, 'the nearest size'],
    ['IMG_SIZE', '768!', { width: 768, nearest: false, tell: false }, 'a size that the model must have'],
    ['USE_NVDEC', 'True', true, 'booleans as Python servers write them'],
    ['ALLOWED_HOTKEYS', ' a, b ,,c ', ['a', 'b', 'c'], 'lists with stray blanks'],
    ['TIME_BUDGET_S', '', 2, 'an empty value is the default'],
  ];
  for (const [key, text, value, why] of readings) {
    it(`reads ${key}=${JSON.stringify(text)}: ${why}`, () => {
      assert.deepEqual(Object.entries(load({ env: { [key]: text } })).find(([name]) => name === key)?.[1], value);
    });
  }

  const faults: readonly (readonly [string, string])[] = [
    ['TIME_BUDGET_S', 'two'],
    ['TIME_BUDGET_S', '-1'],
    ['TIME_BUDGET_S', '0x10'],
    ['PORT', '70000'],
    ['BATCH_SIZE', '1.5'],
    ['AUTH', 'none'],
    ['RAMP_UP', 'perhaps'],
    ['IMG_SIZE', 'big'],
    ['IMG_SIZE', '~768!'],
    ['PRESET', 'fastest'],
  ];
  for (const [key, text] of faults) {
    it(`refuses ${key}=${text}, naming the variable and what was read`, () => {
      const error = fault({ env: { [key]: text } });
      assert.equal(error.code, 'ERR_CONFIG');
      assert.ok(error.message.includes(`${key}="${text}"`), error.message);
    });
  }

  it('lists all faults at once, and where .env was looked for', () => {
    const error = fault({ env: { PORT: 'x', AUTH: 'y' }, dotenvPaths: ['/nowhere/.env'] });
    assert.equal((error.details.faults as unknown[]).length, 2);
    assert.match(error.message, /looked for at \/nowhere\/\.env/);
  });

  it('lets command line beat environment beat .env beat preset', () => {
    const file = join(folder, '.env');
    writeFileSync(file, 'PRESET=accurate\nBATCH_SIZE=3\nMAX_DETECTIONS=7\nTIME_BUDGET_S=4\n');
    const config = load({
      dotenvPaths: [join(folder, 'missing'), file],
      env: { MAX_DETECTIONS: '8', TIME_BUDGET_S: '5' },
      overrides: { TIME_BUDGET_S: '6' },
    });
    assert.equal(config.FRAME_STRIDE, 1, 'preset');
    assert.equal(config.BATCH_SIZE, 3, '.env over preset');
    assert.equal(config.MAX_DETECTIONS, 8, 'environment over .env');
    assert.equal(config.TIME_BUDGET_S, 6, 'command line over environment');
  });

  it('refuses an ENV_FILE that is not there instead of running on defaults', () => {
    assert.throws(() => loadConfig({ env: { ENV_FILE: join(folder, 'nope') } }), { code: 'ERR_CONFIG' });
  });

  describe('names that are none of ours', () => {
    const read = (lines: string, env: Readonly<Record<string, string>> = {}) => {
      const file = join(folder, 'slips.env');
      writeFileSync(file, lines);
      return { file, options: { env, dotenvPaths: [file] } };
    };

    it('stops where an identity or network setting was meant, and tells no value', () => {
      const { file, options } = read('SUBTENSOR_NETWROK=test\nWALLET_PASSWROD=secret\n', { NETUIDS: '261' });
      assert.deepEqual(fault(options).details.faults, [
        `SUBTENSOR_NETWROK in ${file} is no variable of ours, SUBTENSOR_NETWORK is: rename or remove it`,
        `WALLET_PASSWROD in ${file} is no variable of ours, WALLET_PASSWORD is: rename or remove it`,
        'NETUIDS in the environment is no variable of ours, NETUID is: rename or remove it',
      ]);
    });

    it('warns of the others, and where the right name was given too', () => {
      const { options } = read('TIME_BUDGET=1\nNETUID=44\nNETUID_TEST=261\nFAST_MODE=1\n');
      const { config, warnings } = readConfig(options);
      assert.deepEqual(
        warnings.map((text) => text.replace(/ in \S+/, '')),
        [
          'TIME_BUDGET is no variable of ours, TIME_BUDGET_S is: rename or remove it',
          'NETUID_TEST is no variable of ours, NETUID is: rename or remove it',
        ],
      );
      assert.equal(config.NETUID, 44);
    });

    it('says nothing of an empty one', () => {
      assert.deepEqual(readConfig(read('SUBTENSOR_NETWROK=\n').options).warnings, []);
    });
  });

  it('tells which .env was read and what was set rather than left to a default', () => {
    const file = join(folder, 'told.env');
    writeFileSync(file, 'NETUID=44\nPRESET=fast\n');
    const { told, given } = readConfig({ env: { PORT: '1' }, dotenvPaths: [file], overrides: { PLAN: 'fixed' } });
    assert.equal(told, `.env read from ${file}`);
    assert.deepEqual([...given].sort(), ['NETUID', 'PLAN', 'PORT', 'PRESET']);
    assert.equal(readConfig({ env: {}, dotenvPaths: ['/a', '/b'] }).told, '.env looked for at /a, /b: none found');
  });

  it('takes what operators of the Python server have in their files', () => {
    const theirs = {
      ...{ NETUID: '44', SUBTENSOR_NETWORK: 'finney', SUBTENSOR_ADDRESS: 'wss://entrypoint-finney.opentensor.ai:443' },
      ...{ WALLET_NAME: 'default', HOTKEY_NAME: 'default', MIN_STAKE_THRESHOLD: '1000', REFRESH_NODES: 'true' },
      ...{ LOAD_OLD_NODES: 'true', PARTIAL_DOWNLOAD: '1', PARTIAL_DOWNLOAD_MB: '4', DEVICE: 'cuda', BATCH_SIZE: '48' },
      ...{ IMG_SIZE: '416', FRAME_STRIDE: '5', PREFETCH_FRAMES: '192', CONF_THRESHOLD: '0.5', MAX_DETECTIONS: '80' },
      ...{ RAMP_UP: '1', RAMP_UP_FIRST_BATCH: '2', DISABLE_TRACKING: '1', SKIP_PITCH: '1', TIME_BUDGET_S: '2.0' },
      ...{ START_BUDGET_AFTER_FIRST_FRAME: '1', EARLY_FLUSH_FIRST_FRAME: '1', USE_NVDEC: '1', NVDEC_FIXED_SCALE: '1' },
      ...{ NVDEC_OUT_W: '416', NVDEC_OUT_H: '416', DIRECT_URL_STREAM: '0', STREAMING_DOWNLOAD: '0' },
      ...{ ENABLE_PARALLEL_DOWNLOAD: '0', PARALLEL_DOWNLOAD_WORKERS: '8', ENABLE_HTTP2: '1', CHUNKED_STREAMING: '1' },
      ...{ STREAM_MIN_START_BYTES: '262144', STREAM_BUFFER_TIMEOUT_S: '0.1', FIRST_FRAME_TIMEOUT_S: '0.5' },
      ...{ FAST_MODE: '1', PYTORCH_CUDA_ALLOC_CONF: 'expandable_segments:True' },
    };
    const file = join(folder, 'theirs.env');
    writeFileSync(
      file,
      Object.entries(theirs)
        .map(([key, value]) => `export ${key}=${value}   # as shells read it\n`)
        .join(''),
    );
    for (const options of [{ dotenvPaths: [file] }, { env: theirs, dotenvPaths: [] }]) {
      const { config, warnings } = readConfig({ env: {}, ...options });
      assert.deepEqual(warnings, []);
      assert.equal(config.STREAM_MIN_START_BYTES, 262_144);
      assert.equal(config.REFRESH_NODES, true);
    }
  });

  it('ignores variables that are not ours', () => {
    assert.deepEqual(
      Object.keys(load({ env: { PATH: '/bin', constructor: 'x' } })).filter(
        (key) => !configKeys.includes(key as never),
      ),
      [],
    );
  });
});
