import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseModel } from '../../models/index.js';
import { createClipServer } from '../../src/tools/demo/clip-server.js';
import { type GenerateClipOptions, generateClip } from '../../src/tools/demo/generate.js';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line as a user would, in a process of its own; it must end by itself. */
function tikitaka(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import=tsx', main, ...args],
      { timeout: 120_000, maxBuffer: 1 << 26, env: { ...process.env, LOG_LEVEL: 'warn', TIME_BUDGET_S: '60', ...env } },
      (error, out, err) => resolve({ code: error ? (typeof error.code === 'number' ? error.code : 99) : 0, out, err }),
    );
  });
}

interface WireAnswer {
  readonly frames: readonly {
    readonly frame_number: number;
    readonly keypoints: readonly (readonly [number, number])[];
    readonly objects: readonly { readonly id: number; readonly class_id: number; readonly bbox: readonly number[] }[];
  }[];
}

describe('tikitaka run', function () {
  this.timeout(180_000);
  let folder = '';
  const small = { seed: 3, seconds: 1, width: 640, height: 360, gop: 10 } as const;
  const make = async (more: Partial<GenerateClipOptions> = {}) =>
    (await generateClip({ ...small, cacheFolder: folder, ...more })).path;
  const answer = async (path: string, env: NodeJS.ProcessEnv = {}): Promise<WireAnswer> => {
    const { code, out, err } = await tikitaka(['run', path, '--plan', 'fixed', '--stride', '5', '--quiet'], env);
    assert.equal(code, 0, err);
    return JSON.parse(out);
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-cli-'));
  });
  after(() => rm(folder, { recursive: true }));

  const clips: readonly (readonly [string, Partial<GenerateClipOptions>])[] = [
    ['MP4 with its index at the start', {}],
    ['MP4 with its index at the end', { moov: 'end' }],
    ['fragmented MP4', { container: 'fmp4' }],
    ['WebM with VP9', { container: 'webm' }],
    ['MPEG-TS', { container: 'mpegts' }],
    ['MP4 with HEVC', { codec: 'hevc' }],
  ];
  for (const [name, options] of clips) {
    it(`answers every frame of ${name}`, async () => {
      const { frames } = await answer(await make(options));
      assert.deepEqual(
        frames.map((frame) => frame.frame_number),
        Array.from({ length: 25 }, (_, i) => i),
      );
      assert.ok(frames.every(({ keypoints }) => keypoints.length === 32));
      const people = frames.map(({ objects }) => objects.filter(({ class_id }) => class_id !== 0).length);
      assert.ok(
        people.every((count) => count >= 5),
        `people per frame: ${people.join()}`,
      );
    });
  }

  it('finds the same with the ffmpeg child as with libav in process', async () => {
    const path = await make();
    const [libav, ffmpeg] = [await answer(path), await answer(path, { DECODER: 'ffmpeg' })];
    assert.equal(ffmpeg.frames.length, libav.frames.length);
    for (const [i, frame] of libav.frames.entries()) {
      const other = ffmpeg.frames[i]?.objects ?? [];
      assert.ok(
        Math.abs(frame.objects.length - other.length) <= 1,
        `frame ${i}: ${frame.objects.length} and ${other.length} objects`,
      );
      const near = frame.objects.filter((a) =>
        other.some((b) => a.bbox.every((v, k) => Math.abs(v - (b.bbox[k] ?? 0)) < 4)),
      );
      assert.ok(
        near.length >= frame.objects.length * 0.85,
        `frame ${i}: ${near.length} of ${frame.objects.length} boxes agree`,
      );
    }
  });

  it('gives the same bytes for the same clip under a fixed plan', async () => {
    const path = await make();
    const [first, second] = [await answer(path), await answer(path)];
    assert.deepEqual(second.frames, first.frames);
  });

  it('answers no box at a CONF_THRESHOLD of 1, and fewer the higher it is; unset, the description decides', async () => {
    const path = await make();
    const boxes = async (env: NodeJS.ProcessEnv) => {
      const { frames } = await answer(path, env);
      return frames.reduce((sum, { objects }) => sum + objects.length, 0);
    };
    const [none, few, usual, many] = [
      await boxes({ CONF_THRESHOLD: '1' }),
      await boxes({ CONF_THRESHOLD: '0.8' }),
      await boxes({}),
      await boxes({ CONF_THRESHOLD: '0.13' }),
    ];
    assert.equal(none, 0);
    assert.ok(few < usual && usual < many, `${few}, ${usual}, ${many}`);
    const { description, file } = chooseModel({ model: 'fast' });
    const deaf = { ...description, thresholds: { ball: 1, person: 1 } };
    const json = join(folder, 'deaf.json');
    await writeFile(json, JSON.stringify(deaf));
    await copyFile(file, join(folder, description.file ?? ''));
    assert.equal(await boxes({ MODEL: json }), 0);
  });

  it('runs models of different input sizes side by side', async () => {
    const path = await make();
    const at = async (width: number) => {
      const { file, description } = chooseModel({ model: 'fast', imageSize: { width, nearest: false } });
      const json = join(folder, `${description.name}.json`);
      await writeFile(json, JSON.stringify(description));
      await copyFile(file, join(folder, `${description.name}.onnx`));
      return json;
    };
    const alone = await answer(path, { MODEL: await at(576) });
    const both = await answer(path, { PLAYER_MODEL: await at(576), PITCH_MODEL: await at(768) });
    const people = ({ frames }: WireAnswer) =>
      frames.flatMap(({ objects }) => objects.filter(({ class_id }) => class_id !== 0)).length;
    assert.ok(
      people(both) > 0.9 * people(alone),
      `${people(both)} with both, ${people(alone)} with the small one alone`,
    );
  });

  it('writes answer, timeline and provenance where told', async () => {
    const [json, timeline] = [join(folder, 'a.json'), join(folder, 't.json')];
    const { code, out, err } = await tikitaka([
      'run',
      await make(),
      '--json',
      json,
      '--timeline',
      timeline,
      '--provenance',
    ]);
    assert.equal(code, 0, err);
    assert.equal(out, '');
    assert.match(await readFile(json, 'utf8'), /"source":"measured"/);
    assert.ok(JSON.parse(await readFile(timeline, 'utf8')).traceEvents.length > 5);
    assert.match(err, /infer/);
  });

  it('answers what a truncated and a corrupted clip still hold', async () => {
    const whole = await readFile(await make());
    const cut = join(folder, 'cut.mp4');
    await writeFile(cut, whole.subarray(0, Math.floor(whole.length * 0.6)));
    const corrupt = join(folder, 'corrupt.mp4');
    const damaged = Buffer.from(whole);
    for (let at = Math.floor(whole.length * 0.5); at < whole.length * 0.6; at++) damaged[at] = (at * 131) & 255;
    await writeFile(corrupt, damaged);
    for (const path of [cut, corrupt]) {
      const { code, out, err } = await tikitaka(['run', path, '--quiet']);
      assert.equal(code, 0, err);
      assert.equal(JSON.parse(out).frames.length, 25);
      if (path !== cut) continue;
      assert.equal(JSON.parse(out).problem, 'ERR_SOURCE_TRUNCATED');
      assert.match(err, /partial: \d+ of 25 frames .*not be read to its end \(ERR_SOURCE_TRUNCATED\)/);
    }
  });

  describe('says what is wrong in one line with a code', () => {
    let url = '';
    let close = async () => {};
    before(async () => {
      const files = { '/text.mp4': Buffer.from('<html><body>not here</body></html>'), '/empty.mp4': Buffer.alloc(0) };
      const server = await createClipServer({ files, protocol: 'http/1.1' });
      url = server.url;
      close = server.close;
    });
    after(() => close());

    const failures: readonly (readonly [string, () => readonly string[], string, number])[] = [
      ['an unknown option', () => ['run', 'x.mp4', '--frobnicate'], 'error: unknown option', 2],
      ['a missing argument', () => ['run'], 'error: missing required argument', 2],
      ['a malformed setting', () => ['run', 'x.mp4', '--budget', 'soon'], 'ERR_CONFIG: TIME_BUDGET_S="soon"', 2],
      ['an unknown setting', () => ['run', 'x.mp4', '--set', 'NO_SUCH=1'], 'ERR_OPTION', 2],
      ['a size the model does not have', () => ['run', import.meta.filename, '--img-size', '700!'], 'ERR_OPTION', 2],
      ['a missing file', () => ['run', '/no/such/file.mp4'], 'ERR_SOURCE', 1],
      ['an unreachable host', () => ['run', 'http://127.0.0.1:1/a.mp4', '--set', 'RETRIES=0'], 'ERR_SOURCE_CONNECT', 1],
      ['a 404', () => ['run', `${url}/none.mp4`], 'ERR_SOURCE_STATUS', 1],
      ['a web page instead of a video', () => ['run', `${url}/text.mp4`], 'ERR_NOT_VIDEO', 1],
      ['an empty file', () => ['run', `${url}/empty.mp4`], 'ERR_SOURCE_EMPTY', 1],
    ];
    for (const [name, args, text, exit] of failures) {
      it(`for ${name}: ${text}, exit ${exit}`, async () => {
        const { code, out, err } = await tikitaka(args());
        assert.ok(
          err.split('\n').some((line) => line.startsWith(text)),
          err,
        );
        assert.equal(code, exit);
        assert.equal(out, '');
      });
    }
  });
});
