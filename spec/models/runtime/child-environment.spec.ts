import assert from 'node:assert/strict';
import { childEnvironment, childFlags } from '../../../models/index.js';

describe('the environment of child processes', () => {
  const telemetry = { ORT_DISABLE_TELEMETRY: '1' };
  const table: [why: string, given: NodeJS.ProcessEnv, expected: NodeJS.ProcessEnv][] = [
    ['says at least that nothing is sent home', {}, {}],
    ['keeps secrets back', { WALLET_PASSWORD: 'x', AWS_SECRET_ACCESS_KEY: 'x', ALLOWED_HOTKEYS: 'x', CI: '1' }, {}],
    [
      'passes on where programs and folders are',
      { PATH: '/bin', HOME: '/h', TMPDIR: '/t' },
      { PATH: '/bin', HOME: '/h', TMPDIR: '/t' },
    ],
    [
      'passes on where devices and their libraries are',
      {
        LD_LIBRARY_PATH: '/cuda',
        CUDA_VISIBLE_DEVICES: '1',
        NVIDIA_DRIVER_CAPABILITIES: 'all',
        VK_ICD_FILENAMES: '/icd',
      },
      {
        LD_LIBRARY_PATH: '/cuda',
        CUDA_VISIBLE_DEVICES: '1',
        NVIDIA_DRIVER_CAPABILITIES: 'all',
        VK_ICD_FILENAMES: '/icd',
      },
    ],
    ['lets nobody turn telemetry on again', { ORT_DISABLE_TELEMETRY: '0' }, {}],
    [
      'takes debugger and profiler out of NODE_OPTIONS, whole words of it',
      { NODE_OPTIONS: '--inspect=0.0.0.0:9229 --max-old-space-size=64 --require "./a --inspect b.js" --cpu-prof' },
      { NODE_OPTIONS: '--max-old-space-size=64 --require "./a --inspect b.js"' },
    ],
    ['leaves NODE_OPTIONS away where nothing is left', { NODE_OPTIONS: '--inspect-brk' }, {}],
  ];
  for (const [why, given, expected] of table) {
    it(why, () => assert.deepEqual(childEnvironment([], given), { ...expected, ...telemetry }));
  }

  it('passes on what a child needs besides, by name or beginning', () => {
    const given = { HTTPS_PROXY: 'a', npm_config_x: 'b', npm_token: 'c' };
    assert.deepEqual(childEnvironment(['HTTPS_PROXY', 'npm_config_*'], given), {
      HTTPS_PROXY: 'a',
      npm_config_x: 'b',
      ...telemetry,
    });
  });

  it('shares no debugger and no profiler', () =>
    assert.deepEqual(childFlags(['--import=tsx', '--inspect-brk=9230', '--prof', '--expose-gc']), [
      '--import=tsx',
      '--expose-gc',
    ]));
});
