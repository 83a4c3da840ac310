import assert from 'node:assert/strict';
import { tikitaka } from '../../support/command-line.js';

describe('the command line', () => {
  const wrongUse: readonly (readonly [why: string, args: readonly string[], said: RegExp])[] = [
    [
      '--set takes one value and leaves the clip',
      ['run', '--set', 'TIME_BUDGET_S=soon', 'x.mp4'],
      /TIME_BUDGET_S="soon"/,
    ],
    ['--set may stand twice', ['run', '--set', 'PORT=x', '--set', 'RETRIES=x', 'x.mp4'], /RETRIES="x".*\nPORT="x"/],
    ['--set behind the clip', ['run', 'x.mp4', '--set', 'PORT=x'], /PORT="x"/],
    ['serve has --port', ['serve', '--port', '70000'], /PORT="70000"/],
    ['serve has --host', ['serve', '--host', 'here', '--port', '-1'], /PORT="-1"/],
    ['serve says what is not set', ['serve', '--set', 'AUTH=static'], /WALLET_NAME is not set: /],
    ['chain status has --set', ['chain', 'status', '--set', 'NETUID=many'], /NETUID="many"/],
    ['chain status has a list of networks', ['chain', 'status', '--network', 'moon'], /SUBTENSOR_NETWORK="moon"/],
    ['chain register has --set', ['chain', 'register', '--ip', '1.2.3.4', '--set', 'PORT=x'], /PORT="x"/],
    ['chain register judges the port', ['chain', 'register', '--ip', '1.2.3.4', '--port', 'x'], /PORT="x"/],
    ['models check has --set', ['models', 'check', '--set', 'DEVICE=tpu', 'x.onnx'], /DEVICE="tpu"/],
    ['models check judges the device', ['models', 'check', '--device', 'tpu', 'x.onnx'], /DEVICE="tpu"/],
    ['models evaluate has --set', ['models', 'evaluate', '--set', 'ORT_THREADS=0', '.'], /ORT_THREADS="0"/],
  ];
  for (const [why, args, said] of wrongUse) {
    it(`${why}: ${args.join(' ')}`, async () => {
      const { code, out, err } = await tikitaka(...args);
      assert.match(err, said);
      assert.deepEqual([code, out], [2, '']);
    });
  }
});
