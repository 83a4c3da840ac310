import assert from 'node:assert/strict';
import { configKeys } from '../../../../src/app/config.js';
import { nearestName } from '../../../../src/app/settings/index.js';

describe('nearestName', () => {
  const inFile: readonly (readonly [name: string, nearest: string | undefined, why: string])[] = [
    ['SUBTENSOR_NETWROK', 'SUBTENSOR_NETWORK', 'two letters exchanged'],
    ['NET_UID', 'NETUID', 'one letter too many'],
    ['AUHT', 'AUTH', 'a short name, exchanged letters are one slip'],
    ['WALET_NAME', 'WALLET_NAME', 'a letter left out'],
    ['subtensor_network', 'SUBTENSOR_NETWORK', 'small letters'],
    ['HOTKEY', 'HOTKEY_NAME', 'the beginning of one'],
    ['TIME_BUDGET', 'TIME_BUDGET_S', 'the beginning of one, without its unit'],
    ['WALLET_PATH', 'BITTENSOR_WALLET_PATH', 'two words of one'],
    ['BT_WALLET_NAME', 'WALLET_NAME', "Bittensor's own spelling: one with a word more"],
    ['SUBTENSOR_CHAIN_ENDPOINT', 'SUBTENSOR_NETWORK', 'unlike any, but it can only mean the chain'],
    ['WALLET_HOTKEY', 'WALLET_NAME', 'unlike any, but it can only mean the wallet'],
    ['BATCHSIZE', 'BATCH_SIZE', 'a stroke left out'],
    ['NETUID', undefined, 'one of ours'],
    ['PYTORCH_CUDA_ALLOC_CONF', undefined, "the Python server's"],
    ['ENABLE_PARALLEL_DOWNLOAD', undefined, "the Python server's"],
    ['NVDEC_OUT_W', undefined, "the Python server's"],
    ['OPENAI_API_KEY', undefined, "another program's"],
    ['NAME', undefined, 'a word that many of ours hold'],
    ['PATH', undefined, 'two letters off AUTH is too far for four'],
  ];
  for (const [name, nearest, why] of inFile) {
    it(`in a .env takes ${name} for ${nearest ?? 'none'}: ${why}`, () => {
      assert.equal(nearestName(name, configKeys), nearest);
    });
  }

  const inEnvironment: readonly (readonly [name: string, nearest: string | undefined, why: string])[] = [
    ['SUBTENSOR_NETWROK', 'SUBTENSOR_NETWORK', 'a long name, one slip'],
    ['NETUIDS', 'NETUID', 'a name that no other program has'],
    ['npm_config_netuid', undefined, 'small letters and a prefix: npm'],
    ['netuid', undefined, 'small letters: PM2 and npm write such'],
    ['WALLET_PATH', undefined, 'may be of another program'],
    ['BT_WALLET_NAME', undefined, "Bittensor's own tools"],
    ['SUBTENSOR_CHAIN_ENDPOINT', undefined, "Bittensor's own tools"],
    ['HOTKEY', undefined, 'a beginning alone'],
    ['OAUTH', undefined, 'short names resemble many'],
    ['PORTS', undefined, 'short names resemble many'],
    ['MODELS', undefined, 'short names resemble many'],
  ];
  for (const [name, nearest, why] of inEnvironment) {
    it(`in the environment takes ${name} for ${nearest ?? 'none'}: ${why}`, () => {
      assert.equal(nearestName(name, configKeys, 'environment'), nearest);
    });
  }

  it('finds nothing of ours in the environments of common machines', () => {
    const common =
      'PATH HOME HOST_NAME HOSTNAME LOGNAME LANG LC_ALL SHELL SHLVL TERM USER PWD OLDPWD EDITOR PAGER TZ MAIL DISPLAY SSH_AUTH_SOCK ' +
      'XDG_CACHE_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET NODE_ENV NODE_OPTIONS NODE_PATH NVM_DIR ' +
      'NVM_BIN PM2_HOME PM2_USAGE NODE_APP_INSTANCE CUDA_VISIBLE_DEVICES CUDA_HOME NVIDIA_VISIBLE_DEVICES NVIDIA_DRIVER_CAPABILITIES LD_LIBRARY_PATH ' +
      'DOCKER_HOST KUBERNETES_SERVICE_HOST KUBERNETES_PORT HTTP_PROXY HTTPS_PROXY NO_PROXY GITHUB_TOKEN AWS_REGION DATABASE_URL REDIS_URL ' +
      'API_KEY SECRET_KEY PYTHONPATH VIRTUAL_ENV CONDA_PREFIX OMP_NUM_THREADS MALLOC_ARENA_MAX LOG_FILE LOG_PATH BATCH MODE DEBUG';
    const found = common.split(' ').flatMap((name) => nearestName(name, configKeys, 'environment') ?? []);
    assert.deepEqual(found, []);
  });
});
