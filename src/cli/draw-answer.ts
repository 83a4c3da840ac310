import { TikitakaError } from '../../operators/index.js';
import { annotateVideo } from '../annotate/annotate-video.js';
import { type AnnotatedFrame, drawAnnotatedPictures } from '../annotate/annotated-picture.js';
import { openPictureReader } from '../decode/picture-reader.js';
import type { Answer } from '../questions/football/index.js';
import { writeOutput } from './outputs.js';

/** Pictures on a contact sheet, evenly over the clip, and their width in pixels. Chosen: a sheet of 1920 pixels. */
const SHEET_FRAMES = 6;
const CELL_WIDTH = 960;

/** Of the files that can be drawn. */
export const drawingEndings = ['.png', '.mp4'] as const;

/**
 * Draws an answer over its clip: every frame into an `.mp4`, or a contact sheet of `count` frames (1 for a single picture)
 * into a `.png`. Errors: ERR_OPTION for another ending, ERR_DECODE, ERR_NOT_VIDEO, ERR_ENCODE.
 */
export async function drawAnswer(target: string, answer: Answer, outPath: string, count = SHEET_FRAMES): Promise<void> {
  if (outPath.endsWith('.mp4')) return annotateVideo({ clipPath: target, answer, outPath });
  if (!outPath.endsWith('.png'))
    throw new TikitakaError('ERR_OPTION', `${outPath}: the drawing is a .png or an .mp4 file`);
  const wanted = new Set(
    Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) / count) * answer.frames.length)),
  );
  const width = Math.min(count === 1 ? answer.width : CELL_WIDTH, answer.width);
  const size = { width, height: Math.round((width / answer.width) * answer.height) };
  const drawn: AnnotatedFrame[] = [];
  const reader = await openPictureReader(target);
  try {
    for (let index = 0; drawn.length < wanted.size && (await reader.next()); index++) {
      const frame = answer.frames[index];
      if (frame && wanted.has(index)) drawn.push({ picture: await reader.rgba(size), frame });
    }
  } finally {
    await reader.close();
  }
  if (drawn.length === 0) throw new TikitakaError('ERR_DECODE', `${target} has no picture to draw on`);
  await writeOutput(outPath, await drawAnnotatedPictures(drawn, answer));
}
