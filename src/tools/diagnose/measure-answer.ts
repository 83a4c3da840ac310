import { gzipSync } from 'node:zlib';
import type { ModelPicture, PictureFinding, PictureFormat } from '../../../models/index.js';
import { TikitakaError } from '../../../operators/index.js';
import { createAnswerEncoder, createScene, describeFinding } from '../../questions/football/index.js';
import { coldWarm } from './figures.js';
import { type Measuring, timed } from './measuring.js';

export interface AnswerOptions {
  readonly found: PictureFinding;
  readonly picture: ModelPicture | undefined;
  readonly input: PictureFormat;
  readonly dropUnscored: boolean;
}

const FIELDS = { challenge_id: 'diagnose', processing_time: 1.234 } as const;
/** As the server compresses (src/server/wire-answer.ts). */
const GZIP_LEVEL = 3;
/** Where the clip does not tell. Chosen: the usual clip. */
const USUAL = { frames: 750, pictures: 15 } as const;

/** Encodes an answer for the whole clip in which every picture of the first pass shows what was found in one. */
export async function measureAnswer(options: AnswerOptions, measuring: Measuring): Promise<void> {
  const { found, picture, input, dropUnscored } = options;
  const { container } = measuring.measured;
  if (!picture) throw new TikitakaError('ERR_DECODE', 'no frame of the clip could be decoded');
  await measuring.run('answer encoding', async () => {
    const frames = container?.frames ?? USUAL.frames;
    const pictures = Math.min(frames, container?.keyframes ?? USUAL.pictures);
    const { sourceWidth: width, sourceHeight: height } = picture;
    const findingAt = (index: number) => describeFinding({ ...picture, ...input, index, ptsUs: index * 40_000 }, found);
    const findings = Array.from({ length: pictures }, (_, i) => findingAt(Math.floor((i * frames) / pictures)));
    const understand = () => {
      const scene = createScene({ frameCount: frames, width, height });
      scene.add(findings);
      scene.snapshot();
      return scene;
    };
    const coldSceneMs = await timed(async () => understand());
    const warmSceneMs = await timed(async () => understand());
    const scene = understand();
    const encoder = createAnswerEncoder({ dropUnscored });
    const zipped = () => gzipSync(encoder.json(FIELDS), { level: GZIP_LEVEL });
    const encode = async () => {
      encoder.update(scene.snapshot());
      zipped();
    };
    const coldMs = await timed(encode);
    scene.add([findingAt(Math.min(frames - 1, 1))]);
    scene.snapshot();
    const warmMs = await timed(encode);
    measuring.measured.answer = {
      frames,
      scene: coldWarm([coldSceneMs], [warmSceneMs]),
      encode: coldWarm([coldMs], [warmMs]),
      jsonBytes: encoder.json(FIELDS).length,
      gzipBytes: zipped().length,
    };
  });
}
