import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClip } from '../../src/container/index.js';
import { choosePacketDecoder, createFramePool, findFfmpeg, loadDecoder, nvdecFault } from '../../src/decode/index.js';
import { collect, input, visitAll } from '../support/decoding.js';
import { makeClip } from '../support/make-clip.js';
import { memorySource } from '../support/memory-source.js';

const open = async (choice: Parameters<typeof choosePacketDecoder>[0]) => {
  const clip = await openClip(memorySource(await makeClip()));
  assert.ok(clip.kind === 'indexed');
  const pool = createFramePool({ slots: 2, bytesPerSlot: input.width * input.height * 3 });
  return { clip, ...(await choosePacketDecoder(choice, { index: clip.index, input, pool })) };
};

describe('choice of the decoder', () => {
  it('takes libav by itself and ffmpeg when told to, without a fallback', async () => {
    for (const [decoder, name] of [
      ['auto', /^libav h264$/],
      ['libav', /^libav h264$/],
      ['ffmpeg', /^ffmpeg \S+ h264$/],
    ] as const) {
      const opened = await open({ decoder });
      assert.match(opened.decoder.name, name);
      assert.deepEqual(opened.fallbacks, []);
      await opened.decoder.close();
    }
  });

  it('decodes in software where there is no card, and says why', async () => {
    const opened = await open({ decoder: 'auto', nvdec: { fixedScale: false } });
    if (/cuvid/.test(opened.decoder.name)) assert.deepEqual(opened.fallbacks, []);
    else {
      assert.equal(opened.fallbacks.length, 1);
      assert.match(opened.fallbacks[0] ?? '', /^no hardware decoding: .+/);
    }
    const visit = visitAll(opened.clip, { keep: [0, 5] });
    assert.deepEqual(await collect(opened.decoder.run(visit, opened.clip.reader.samples(visit))), [0, 5]);
    await opened.decoder.close();
  });

  it('refuses an FFMPEG_PATH at which no ffmpeg runs, rather than take another', async () => {
    await assert.rejects(open({ decoder: 'ffmpeg', ffmpegPath: '/nowhere/ffmpeg' }), {
      code: 'ERR_DECODER_UNAVAILABLE',
    });
  });

  it('finds an ffmpeg on PATH before the one of the package, and passes over one that does not run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tikitaka-path-'));
    try {
      const fake = join(folder, 'ffmpeg');
      await writeFile(fake, '#!/bin/sh\necho "ffmpeg version 7.1.2-test Copyright"\n');
      await chmod(fake, 0o755);
      const found = await findFfmpeg({ searchPath: folder });
      // ffmpeg-static is asked first, where its download succeeded.
      if (!found.path.includes('ffmpeg-static'))
        assert.deepEqual(found, { path: fake, version: '7.1.2-test', major: 7 });
      await writeFile(fake, '#!/bin/sh\nexit 1\n');
      assert.notEqual((await findFfmpeg({ searchPath: folder })).path, fake);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('tells what would decode before there is a clip', async () => {
    const auto = await loadDecoder({ decoder: 'auto' });
    assert.match(auto.decoder, /^libav \S+ in process$/);
    assert.deepEqual(auto.fallbacks, []);
    assert.match((await loadDecoder({ decoder: 'ffmpeg' })).decoder, /^ffmpeg \S+ at \//);
    const none = loadDecoder({ decoder: 'ffmpeg', ffmpegPath: '/nowhere/ffmpeg' });
    await assert.rejects(none, { code: 'ERR_DECODER_UNAVAILABLE' });
  });

  it('tells why no card decodes, or that one does', async () => {
    const fault = await nvdecFault();
    assert.ok(fault === undefined || /h264_cuvid|NVIDIA/.test(fault), fault);
  });
});
