import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
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
  /** Nothing of it may be told behind work that takes seconds: the model is missing too, and would be told instead. */
  const model = ['--set', 'MODEL=/no/such/model.json'];
  const clip = fileURLToPath(import.meta.url);
  const tooLate: readonly (readonly [why: string, args: readonly string[], said: RegExp, code: number])[] = [
    ['a missing file', ['run', '/no/such.mp4'], /^ERR_SOURCE_CONNECT: Cannot open .*: there is no such file$/m, 1],
    ['a folder', ['run', '/'], /^ERR_SOURCE_CONNECT: \/ is not a file$/m, 1],
    ['another scheme', ['run', 'ftp://localhost/clip.mp4'], /^ERR_SOURCE_REFUSED: .*scheme ftp:/m, 1],
    ['half a link', ['run', 'http://'], /^ERR_SOURCE_REFUSED: .*not a URL/m, 1],
    [
      'a folder that is not there',
      ['run', clip, '--json', '/nope/x'],
      /^ERR_OPTION: --json: cannot write \/nope\/x: there is no folder \/nope$/m,
      2,
    ],
    [
      'a folder instead of a file',
      ['run', clip, '--timeline', '/'],
      /^ERR_OPTION: --timeline: cannot write \/: it is a folder$/m,
      2,
    ],
    [
      'a drawing of another kind',
      ['run', clip, '--annotate', 'x.gif'],
      /^ERR_OPTION: --annotate: .*\.png or \.mp4/m,
      2,
    ],
    ['a missing clip to measure', ['bench', '/no/such.mp4'], /^ERR_SOURCE_CONNECT/m, 1],
    ['a missing truth', ['bench', clip, '--truth', '/no/truth'], /^ERR_OPTION: cannot read \/no\/truth/m, 2],
    ['a list that is none', ['bench', clip, '--batches', '1,x', '--set', 'MODEL=fast'], /^ERR_OPTION: --batches/m, 2],
    ['an empty number', ['bench', clip, '--fastest', ''], /^ERR_OPTION: --fastest must be a number/m, 2],
  ];
  for (const [why, args, said, exit] of tooLate) {
    it(`${args[0]} tells ${why} before it loads models`, async () => {
      const { code, out, err } = await tikitaka(...args, ...(args.includes('--set') ? [] : model));
      assert.match(err, said);
      assert.deepEqual([code, out, err.includes('    at ')], [exit, '', false]);
    });
  }

  for (const [why, args, said] of wrongUse) {
    it(`${why}: ${args.join(' ')}`, async () => {
      const { code, out, err } = await tikitaka(...args);
      assert.match(err, said);
      assert.deepEqual([code, out], [2, '']);
    });
  }
});
