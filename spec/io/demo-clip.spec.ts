import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type GenerateClipOptions, generateClip } from '../../src/tools/demo/generate.js';
import { recordMatch } from '../../src/tools/demo/match-track.js';
import { createRenderer } from '../../src/tools/demo/renderer.js';
import { drawHere, drawInThreads, type Renderers } from '../../src/tools/demo/renderers.js';

describe('generateClip', () => {
  let cacheFolder: string;
  const small = { seed: 4, seconds: 0.4, width: 192, height: 108, gop: 5 } as const;
  const make = (options: Partial<GenerateClipOptions> = {}) => generateClip({ ...small, cacheFolder, ...options });

  before(async () => {
    cacheFolder = await mkdtemp(join(tmpdir(), 'tikitaka-clip-'));
  });
  after(() => rm(cacheFolder, { recursive: true }));

  it('writes a clip with its truth, finds it again, and reports its progress', async () => {
    const seen: string[] = [];
    const first = await make({ onProgress: (done, total) => seen.push(`${done}/${total}`) });
    assert.equal(first.cached, false);
    assert.deepEqual([seen[0], seen.at(-1), seen.length], ['1/10', '10/10', 10]);
    assert.deepEqual(
      first.truth.frames.map((frame) => frame.frame_number),
      Array.from({ length: 10 }, (_, i) => i),
    );
    const again = await make();
    assert.equal(again.cached, true);
    assert.equal(again.path, first.path);
    assert.deepEqual(again.truth, first.truth);
    assert.deepEqual(JSON.parse(await readFile(first.truthPath, 'utf8')), first.truth);
    assert.deepEqual(
      (await readdir(cacheFolder)).filter((name) => name.includes('.part')),
      [],
    );
  });

  it('draws grass below and people in the stands above', () => {
    const match = recordMatch({ seed: 4, seconds: 1 });
    const pixels = createRenderer({ seed: 4, match, width: 160, height: 90 }).render(0.4);
    const mean = (fromRow: number, toRow: number) =>
      [0, 1, 2].map((channel) => {
        let sum = 0;
        for (let at = fromRow * 160; at < toRow * 160; at++) sum += pixels[at * 4 + channel] ?? 0;
        return sum / ((toRow - fromRow) * 160);
      });
    const [red = 0, green = 0, blue = 0] = mean(45, 90);
    assert.ok(green > 60 && green > red * 1.2 && green > blue * 1.5, `grass is ${red}, ${green}, ${blue}`);
    assert.ok(
      mean(0, 12).every((value) => value > 25),
      `stands are ${mean(0, 12)}`,
    );
  });

  it('draws the same pictures for the same seed, and others for another', () => {
    const hash = (seed: number): string => {
      const match = recordMatch({ seed, seconds: 1 });
      const renderer = createRenderer({ seed, match, width: 160, height: 90 });
      renderer.render(0);
      return createHash('sha256').update(renderer.render(0.4)).digest('hex');
    };
    assert.equal(hash(4), hash(4));
    assert.notEqual(hash(4), hash(5));
  });

  const boxes = async (path: string): Promise<readonly string[]> => {
    const bytes = await readFile(path);
    const found: string[] = [];
    for (let at = 0; at + 8 <= bytes.length; at += Math.max(8, bytes.readUInt32BE(at)))
      found.push(bytes.toString('latin1', at + 4, at + 8));
    return found;
  };

  it('puts the index of an MP4 where it is wanted', async () => {
    const [start, end] = [await make(), await make({ moov: 'end' })];
    const order = async (path: string) => (await boxes(path)).filter((box) => box === 'moov' || box === 'mdat');
    assert.deepEqual(await order(start.path), ['moov', 'mdat']);
    assert.deepEqual(await order(end.path), ['mdat', 'moov']);
  });

  it('writes fragmented MP4', async () => {
    const clip = await make({ container: 'fmp4' });
    assert.equal((await boxes(clip.path)).filter((box) => box === 'moof').length, 2);
  });

  const others = [
    { container: 'mpegts', codec: 'h264', magic: '47' },
    { container: 'mkv', codec: 'h264', magic: '1a45dfa3' },
    { container: 'webm', codec: 'vp9', magic: '1a45dfa3' },
    { container: 'mp4', codec: 'hevc', magic: '000000' },
  ] as const;
  for (const { container, codec, magic } of others) {
    it(`writes ${codec} in ${container}`, async () => {
      const { path } = await make({ container, codec, seconds: 0.2 });
      assert.ok((await stat(path)).size > 500);
      assert.ok((await readFile(path)).toString('hex', 0, 4).startsWith(magic));
    });
  }

  it('leaves nothing behind when it is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (done: number): void => {
      if (done === 2) controller.abort(reason);
    };
    await assert.rejects(make({ seed: 9, onProgress, signal: controller.signal }), reason);
    assert.deepEqual(
      (await readdir(cacheFolder)).filter((name) => name.startsWith('match-9-')),
      [],
    );
  });

  const wrong: readonly (readonly [Partial<GenerateClipOptions>, string])[] = [
    [{ seed: -1 }, 'a negative seed'],
    [{ seconds: 0 }, 'no length'],
    [{ width: 191 }, 'an odd width'],
    [{ fps: 23.98 }, 'a broken frame rate'],
    [{ gop: 0 }, 'no keyframes'],
  ];
  for (const [options, reason] of wrong) {
    it(`refuses ${reason}`, () => assert.rejects(make(options), { code: 'ERR_OPTION' }));
  }

  it('clears away what a killed process left, not what another one is writing', async () => {
    const [old, fresh] = ['match-1-old.mp4.x.part', 'match-1-new.mp4.y.part'].map((name) => join(cacheFolder, name));
    for (const file of [old, fresh]) await writeFile(file, 'half a clip');
    await utimes(old, 1, 1);
    await make({ seed: 11 });
    const names = await readdir(cacheFolder);
    assert.ok(!names.includes(basename(old)) && names.includes(basename(fresh)), `${names}`);
    await rm(fresh);
  });

  it('tells why a folder cannot be used', async () => {
    const { path } = await make();
    await assert.rejects(make({ cacheFolder: path }), { code: 'ERR_CACHE' });
  });
});

describe('drawing in threads', () => {
  const clip = { seed: 4, frameCount: 9, fps: 25, width: 96, height: 54, clipWidth: 96, clipHeight: 54 };
  const all = async (renderers: Renderers): Promise<readonly string[]> => {
    const hashes: string[] = [];
    for (let i = 0; i < clip.frameCount; i++) {
      const { pixels, truth, free } = await renderers.frame(i);
      hashes.push(createHash('sha256').update(pixels).update(JSON.stringify(truth)).digest('hex'));
      free();
    }
    await renderers.close();
    return hashes;
  };

  it('gives the same frames as without', async () => {
    const here = await all(drawHere(clip));
    assert.equal(new Set(here).size, 9);
    assert.deepEqual(await all(drawInThreads(clip, 2)), here);
  });

  it('ends threads that wait for a free slot', async () => {
    const renderers = drawInThreads(clip, 1);
    await renderers.frame(0);
    await renderers.close();
    await assert.rejects(
      renderers
        .frame(8)
        .then(() => renderers.frame(9))
        .then(() => renderers.frame(10)),
      { code: 'ERR_RENDER' },
    );
  });

  it('says when a thread fails', async () => {
    const renderers = drawInThreads({ ...clip, width: Number.NaN }, 1);
    await assert.rejects(renderers.frame(0), { code: 'ERR_RENDER' });
    await renderers.close();
  });
});
