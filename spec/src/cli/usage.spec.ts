import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { tikitaka } from '../../support/command-line.js';

const clip = fileURLToPath(import.meta.url);

describe('the command line', () => {
  const wrongUse: readonly (readonly [why: string, args: readonly string[], said: RegExp])[] = [
    [
      '--set takes one value and leaves the clip',
      ['run', '--set', 'TIME_BUDGET_S=soon', 'x.mp4'],
      /TIME_BUDGET_S="soon"/,
    ],
    ['--set may stand twice', ['run', '--set', 'PORT=x', '--set', 'RETRIES=x', 'x.mp4'], /RETRIES="x".*\nPORT="x"/],
    ['--set behind the clip', ['run', 'x.mp4', '--set', 'PORT=x'], /PORT="x"/],
    ['an option needs a value', ['run', 'x.mp4', '--budget', ''], /^ERR_OPTION: --budget <seconds> has no value$/m],
    ['a setting needs a value', ['run', 'x.mp4', '--set', 'PORT='], /^ERR_OPTION: --set PORT=: expected KEY=VALUE/m],
    [
      'a folder cannot take the place of a file',
      ['demo', '--out', clip],
      /^ERR_OPTION: --out: .*a file is in its place$/m,
    ],
    ['a folder cannot lie in a file', ['demo', '--out', `${clip}/x`], /^ERR_OPTION: --out: .*a file is in its place$/m],
    ['nothing can be made in /proc', ['demo', '--out', '/proc/nope'], /^ERR_OPTION: --out: cannot make the folder/m],
    ['a hot key is an address', ['chain', 'status', '--hotkey', 'x'], /^ERR_HOTKEY: "x" is not an ss58 address$/m],
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
    ['a missing clip for the demo link', ['diagnose', '--demo', '--demo-clip', '/no/clip'], /^ERR_SOURCE_CONNECT/m, 1],
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
    it(`${args[0]}: ${why}`, async () => {
      const { code, out, err } = await tikitaka(...args);
      assert.match(err, said);
      assert.deepEqual([code, out], [2, '']);
    });
  }
});
