import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cryptoReady } from '../../src/chain/keys.js';
import { type ClipServer, createClipServer } from '../../src/tools/demo/clip-server.js';
import { vectors } from '../src/server/auth-vectors.js';
import { call, challengeBody, signedHeaders } from '../src/server/support.js';
import { makeClip } from '../support/make-clip.js';
import { serveBox, servingSettings } from '../support/serve-process.js';

const FRAMES = 300;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
describe('tikitaka serve', function () {
  this.timeout(240_000);
  let folder = '';
  let clips: ClipServer;
  let settings: Awaited<ReturnType<typeof servingSettings>>;
  const box = serveBox(() => folder);
  before(async () => {
    await cryptoReady();
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-serve-'));
    settings = await servingSettings(folder);
    const clip = await makeClip({ frames: FRAMES, width: 640, height: 360 });
    clips = await createClipServer({ files: { '/clip.mp4': clip }, protocol: 'http/1.1' });
  });
  afterEach(box.killAll);
  after(async () => {
    await clips.close();
    await rm(folder, { recursive: true });
  });

  async function start(given: Readonly<Record<string, string>> | undefined) {
    const server = await box.start(given);
    const status = async () => (await call((await server.saying(/status page and metrics: (\S+)/))?.[1] ?? '')).text;
    return { ...server, status, url: (await server.saying(/listening on (\S+)/))?.[1] };
  }
  const get = (server: { readonly url: string | undefined }, path: string) => call(`${server.url}${path}`);
  const post = (server: { readonly url: string | undefined }, videoUrl: string) => {
    const body = challengeBody(videoUrl);
    return call(`${server.url}/soccer/challenge`, { method: 'POST', headers: signedHeaders(body), body });
  };
  const busy = async (server: { readonly url: string | undefined }) => {
    while ((await get(server, '/availability')).text !== '{"available":false}') await pause(5);
  };

  it('lists all faults of the settings at once, with the place where they were read, and exits 2', async () => {
    const { said, exit, url } = await start({
      AUTH: 'static',
      ALLOWED_HOTKEYS: `${vectors.validator},5Nonsense`,
      PORT: '70000',
      STATUS_PORT: 'none',
      TIME_BUDGET_S: 'two',
      SUBTENSOR_ADDRESS: 'http://node',
      DIRECT_URL_STREAM: '1',
    });
    assert.equal(await exit, 2);
    assert.equal(url, undefined);
    const text = said.join('\n');
    for (const named of [
      'PORT="70000"',
      'STATUS_PORT="none": expected a port from 0 to 65535, or off',
      'TIME_BUDGET_S="two"',
      'SUBTENSOR_ADDRESS="http://node"',
      'WALLET_NAME is not set: ',
      'HOTKEY_NAME is not set: ',
      `ALLOWED_HOTKEYS="${vectors.validator},5Nonsense"`,
      'DIRECT_URL_STREAM="1"',
      `.env read from ${join(folder, '.env')}`,
    ]) {
      assert.ok(text.includes(named), `${named} is not in\n${text}`);
    }
  });

  it('says where it looked where there is no .env at all', async () => {
    await rm(join(folder, '.env'), { force: true });
    const { said, exit } = await start(undefined);
    assert.equal(await exit, 2);
    assert.match(
      said.join('\n'),
      /WALLET_NAME is not set: .*\n.*HOTKEY_NAME is not set: .*\n\(\.env looked for at .*: none found\)/,
    );
  });

  it('serves who is on the list; the first SIGTERM lets the challenge finish and exits 0', async () => {
    const server = await start({ ...settings, ALLOW_PRIVATE_URLS: '1', TIME_BUDGET_S: '3' });
    assert.ok(server.said.some((line) => line.includes(`hot key ${vectors.miner} (main/default)`)));
    assert.equal((await get(server, '/readyz')).status, 200);
    assert.equal((await get(server, '/')).status, 404);
    assert.match(await server.status(), /runs on cpu/);
    assert.equal((await call(`${server.url}/soccer/challenge`, { method: 'POST', body: '{}' })).status, 422);
    assert.match(await server.status(), /<td>ERR_HEADERS_MISSING<td>1<td>/);
    assert.ok(server.said.some((line) => line.includes('WARN  requests refused  reason=ERR_HEADERS_MISSING')));
    const answered = post(server, `${clips.url}/clip.mp4?token=secret`);
    await busy(server);
    server.child.kill('SIGTERM');
    const { status, text } = await answered;
    assert.equal(status, 200);
    assert.equal(JSON.parse(text).frames.length, FRAMES);
    assert.equal(await server.exit, 0);
    const lines = server.said.filter((line) => / challenge |frames/.test(line));
    assert.equal(lines.length, 1, server.said.join('\n'));
    const parts = (lines[0] ?? '').split(' · ');
    assert.match(parts[0] ?? '', /^\d{4}-\d\d-\d\dT\S+Z info {2}challenge test-0001$/);
    assert.deepEqual(parts.slice(1, 3), [vectors.validator, `${clips.url}/clip.mp4`]);
    assert.match(
      parts.slice(3).join(' · '),
      new RegExp(
        `^(answered|partial|late) in .* s · HTTP/1.1 new connection · \\S+ of \\S+ MB in \\d+ requests · first .* s · ${FRAMES}/${FRAMES} frames \\(.* measured.*\\) · .*, libav h264, cpu · total .* of 3.00 s.* · \\S+ KB sent$`,
      ),
    );
  });

  it('the second SIGTERM exits at once, and leaves no process behind', async () => {
    const server = await start({ ...settings, ALLOW_PRIVATE_URLS: '1', TIME_BUDGET_S: '60', FRAME_STRIDE: '1' });
    const cut = post(server, `${clips.url}/clip.mp4`).then(
      () => 'answered',
      () => 'cut',
    );
    await busy(server);
    server.child.kill('SIGTERM');
    await server.saying(/shutting down/);
    server.child.kill('SIGTERM');
    // `exit` waits for stderr to close, which the model processes hold open as long as they live.
    assert.equal(await server.exit, 1);
    assert.equal(await cut, 'cut');
  });

  it('is not ready while no model process lives, and is again when one could be started', async function () {
    if (process.platform !== 'linux') this.skip();
    const name = 'tikitaka-576x320';
    const model = join(folder, `${name}.onnx`);
    const weights = new URL(`../../models/weights/${name}.onnx`, import.meta.url);
    const description = JSON.parse(
      await readFile(new URL(`../../models/descriptions/${name}.json`, import.meta.url), 'utf8'),
    );
    await copyFile(weights, model);
    await writeFile(join(folder, 'model.json'), JSON.stringify({ ...description, file: model }));
    const server = await start({ ...settings, MODEL: join(folder, 'model.json'), REHEARSE: '0' });
    const ready = async () => {
      const { status, text } = await get(server, '/readyz');
      return [status, JSON.parse(text).checks.models.ok];
    };
    assert.deepEqual(await ready(), [200, true]);
    await rm(model);
    const { pid } = server.child;
    while ((await ready())[1]) {
      for (const child of (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')) {
        const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
        if (command.includes('models/runtime')) process.kill(Number(child), 'SIGKILL');
      }
      await pause(20);
    }
    await server.saying(/a model process could not be started/);
    assert.deepEqual(await ready(), [503, false]);
    assert.equal((await get(server, '/availability')).text, '{"available":false}');
    await copyFile(weights, model);
    while (!(await ready())[1]) await pause(20);
    assert.equal((await get(server, '/availability')).text, '{"available":true}');
    server.child.kill('SIGINT');
    assert.equal(await server.exit, 0);
  });

  it('refuses links to this machine unless it is told otherwise', async () => {
    const server = await start({ ...settings, STATUS_PORT: 'off' });
    const { status, text } = await post(server, `${clips.url}/clip.mp4`);
    assert.deepEqual([status, JSON.parse(text).code], [400, 'ERR_SOURCE_REFUSED']);
    assert.ok(server.said.some((line) => line.includes('no status page and no metrics: STATUS_PORT=off')));
    server.child.kill('SIGINT');
    assert.equal(await server.exit, 0);
  });
});
