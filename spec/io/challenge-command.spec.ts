import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClipServer, createClipServer } from '../../src/tools/demo/clip-server.js';
import { answerOf, manualAnswerer, serverBox, strangerAddress, until } from '../src/server/support.js';
import { tikitaka } from '../support/command-line.js';
import { makeClip } from '../support/make-clip.js';
import { serveBox } from '../support/serve-process.js';

const FRAMES = 100;

describe('tikitaka challenge', function () {
  this.timeout(120_000);

  describe('to a server that checks signatures', () => {
    let folder = '';
    let clips: ClipServer;
    let url = '';
    let server = '';
    let caller = '';
    const box = serveBox(() => folder);
    const wallets = () => ['--set', `BITTENSOR_WALLET_PATH=${folder}`];
    const own = () => [...wallets(), '--set', 'WALLET_NAME=trial', '--set', 'HOTKEY_NAME=server'];
    const newHotkey = async (name: string): Promise<string> => {
      const { out } = await tikitaka('wallet', 'new-hotkey', ...wallets(), '--hotkey', name, '--json');
      return JSON.parse(out).address;
    };
    const put = (...args: readonly string[]) =>
      tikitaka('challenge', `${clips.url}/clip.mp4`, '--to', url, ...own(), ...args);
    const asCaller = ['--wallet', 'trial', '--hotkey', 'caller'];

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tikitaka-challenge-'));
      [server, caller] = [await newHotkey('server'), await newHotkey('caller')];
      clips = await createClipServer({
        files: { '/clip.mp4': await makeClip({ frames: FRAMES, width: 640, height: 360 }) },
        protocol: 'http/1.1',
      });
      const process = await box.start({
        AUTH: 'static',
        ALLOWED_HOTKEYS: caller,
        BITTENSOR_WALLET_PATH: folder,
        WALLET_NAME: 'trial',
        HOTKEY_NAME: 'server',
        HOST: '127.0.0.1',
        PORT: '0',
        STATUS_PORT: 'off',
        ALLOW_PRIVATE_URLS: '1',
        // Ends with the frames that are asked for, however slow the machine is.
        TIME_BUDGET_S: '60',
        FRAME_STRIDE: '50',
        REHEARSE: '0',
        ANSWER_CACHE_S: '0',
      });
      url = (await process.saying(/listening on (\S+)/))?.[1] ?? assert.fail(process.said.join('\n'));
    });
    after(async () => {
      await box.killAll();
      await clips.close();
      await rm(folder, { recursive: true });
    });

    it('signs as a caller does, and shows what a caller sees', async () => {
      const path = join(folder, 'answer.json');
      const { code, out, err } = await put(...asCaller, '--json', path);
      assert.equal(code, 0, err);
      for (const line of [
        new RegExp(`^server +${url}/soccer/challenge$`),
        new RegExp(`^caller +${caller}, for ${server}$`),
        /^available +\{"available":true\}$/,
        /^status +200$/,
        /^first byte +\d+\.\d{3} s$/,
        /^total +\d+\.\d{3} s$/,
        /^bytes +[\d,]+ gzip, [\d,]+ unpacked$/,
        new RegExp(`^frames +${FRAMES} of ${FRAMES} \\(up to the last one answered\\), \\d+ of them empty$`),
        /^score +\d\.\d{3} at most, speed 1\.000 at [\d.]+ s as if none were faster \(--fastest\); quality needs --truth$/,
      ]) {
        assert.ok(
          out.split('\n').some((text) => line.test(text)),
          `${line} is not in\n${out}`,
        );
      }
      assert.equal(JSON.parse(await readFile(path, 'utf8')).frames.length, FRAMES);
    });

    it('takes the answer as it grows', async () => {
      const { code, out, err } = await put(
        '--key',
        join(folder, 'trial', 'hotkeys', 'caller'),
        '--stream',
        '--json',
        '-',
      );
      assert.equal(code, 0, err);
      assert.equal(JSON.parse(out).frames.length, FRAMES);
      assert.match(err, /^ +\d+\.\d{3} s {2}first$/m);
      assert.match(err, /^ +\d+\.\d{3} s {2}answer$/m);
    });

    it('serves a file of this machine meanwhile', async () => {
      const path = join(folder, 'clip.mp4');
      await writeFile(path, await makeClip({ frames: 30, width: 320, height: 180 }));
      const { code, out, err } = await tikitaka('challenge', path, '--to', url, ...own(), ...asCaller);
      assert.equal(code, 0, err);
      assert.match(out, /^frames +30 of 30 /m);
    });

    const refused: readonly (readonly [why: string, args: () => readonly string[], said: RegExp])[] = [
      [
        'nobody signed',
        () => [],
        /^ERR_CHALLENGE_REFUSED: HTTP 422: .*validator-hotkey.*\n-> .*--wallet and --hotkey/m,
      ],
      [
        'a stranger signed',
        () => ['--wallet', 'trial', '--hotkey', 'server'],
        /HTTP 403: Hotkey not found in metagraph\n-> the server does not know 5\w+: AUTH=static takes/,
      ],
      [
        'another server was meant',
        () => [...asCaller, '--miner-hotkey', strangerAddress],
        /HTTP 401: .*that's not me!\n-> the challenge was for 5\w+, which is not the server's own/,
      ],
      [
        'the route is not there',
        () => [...asCaller, '--to', `${url}/nothing`],
        /HTTP 404: Not Found\n-> no such route/,
      ],
      [
        'the link leads to nothing',
        () => [...asCaller, '--set', 'RETRIES=0'],
        /HTTP 502 ERR_SOURCE_STATUS: .*\n-> the server could not read the link/,
      ],
    ];
    for (const [why, args, said] of refused) {
      it(`ends with 1 and the caller's view where ${why}`, async () => {
        const link = why.startsWith('the link') ? `${clips.url}/none.mp4` : `${clips.url}/clip.mp4`;
        const { code, out, err } = await tikitaka('challenge', link, '--to', url, ...own(), ...args());
        assert.match(err, said);
        assert.match(out, /^status +[45]\d\d: callers count it as a failure and give 0$/m);
        assert.deepEqual([code, err.includes('    at ')], [1, false]);
      });
    }

    const wrongUse: readonly (readonly [why: string, args: () => readonly string[], said: RegExp, code: number])[] = [
      ['https', () => ['--to', 'https://127.0.0.1'], /^ERR_OPTION: --to .*plain http/, 2],
      ['no server', () => ['--to', '127.0.0.1:1'], /^ERR_SERVER_CONNECT: .*127\.0\.0\.1:1 .*does not answer/, 1],
      ['two keys', () => [...asCaller, '--key', 'x'], /^ERR_OPTION: give either --key or --wallet/, 2],
      ['a hot key without a wallet', () => ['--hotkey', 'x'], /^ERR_OPTION: --hotkey needs --wallet/, 2],
      [
        'an address that is none',
        () => [...asCaller, '--miner-hotkey', '5x'],
        /^ERR_OPTION: --miner-hotkey 5x: not an ss58/,
        2,
      ],
      ['nobody addressed', () => asCaller, /^ERR_OPTION: whom a challenge is for/, 2],
      [
        'a key file that is not there',
        () => ['--key', '/no/key'],
        /^ERR_KEYFILE: Hot key \/no\/key: there is no such file$/m,
        1,
      ],
      ['a folder that is not there', () => ['--json', '/nope/x'], /^ERR_OPTION: --json: cannot write/, 2],
    ];
    for (const [why, args, said, exit] of wrongUse) {
      it(`refuses ${why}: exit ${exit}`, async () => {
        const settings = why === 'nobody addressed' ? wallets() : own();
        const { code, err } = await tikitaka('challenge', 'http://x/', '--to', url, ...settings, ...args());
        assert.match(err, said);
        assert.equal(code, exit);
      });
    }
  });

  describe('to a server that asks for no signature', () => {
    const box = serverBox();
    afterEach(() => box.closeAll());

    it('is answered unsigned, with the body that callers write', async () => {
      const { answerer, runs, emit } = manualAnswerer();
      const { url } = await box.start({ answerer });
      const outcome = tikitaka('challenge', 'https://example.com/clip.mp4', '--to', url);
      await until(() => runs.length === 1);
      emit(0, answerOf(3));
      const { code, out } = await outcome;
      assert.equal(code, 0);
      assert.match(out, /^caller +nobody: the challenge is not signed$/m);
      assert.match(out, /^frames +3 of 3 .*, 3 of them empty$/m);
      assert.match(runs[0]?.challenge.challengeId ?? '', /^trial-[0-9a-f]{8}$/);
    });

    it('ends with 1 where a stream ends in an error', async () => {
      const { answerer, runs, emit, fail } = manualAnswerer();
      const { url } = await box.start({ answerer });
      const outcome = tikitaka('challenge', 'https://example.com/clip.mp4', '--to', url, '--stream');
      await until(() => runs.length === 1);
      emit(0, { type: 'first', read: () => '{"frame_number":0}' });
      fail(0, new Error('inside'));
      const { code, out, err } = await outcome;
      assert.equal(code, 1);
      assert.match(out, /s {2}first\n.*s {2}error$/m);
      assert.match(err, /^ERR_CHALLENGE_REFUSED: HTTP 500 ERR_INTERNAL: Internal Server Error$/m);
    });
  });
});
