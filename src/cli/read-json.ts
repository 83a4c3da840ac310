import { readFile } from 'node:fs/promises';
import { TikitakaError } from '../../operators/index.js';
import { reasonOf } from './outputs.js';

/** What a file that the command line names holds. Errors: ERR_OPTION where it cannot be read, ERR_ANSWER where it is no JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TikitakaError('ERR_OPTION', `cannot read ${path}: ${reasonOf(cause)}`, { cause, details: { path } });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TikitakaError('ERR_ANSWER', `${path} is not JSON`, { cause, details: { path } });
  }
}
