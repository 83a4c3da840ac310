import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { parse } from 'dotenv';
import { TikitakaError } from '../../../operators/index.js';

/** A `.env` as it was found, or not. */
export interface DotenvFile {
  /** The file that was read; undefined where none was found. */
  readonly path: string | undefined;
  readonly values: Readonly<Record<string, string>>;
  /** For people: which file was read, or where it was looked for. */
  readonly told: string;
}

export interface DotenvOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where to look, the first that exists is read. Default: ENV_FILE, the working directory, ~/.config/tikitaka. */
  readonly paths?: readonly string[] | undefined;
}

/** Errors, thrown at call: ERR_CONFIG where ENV_FILE names a file that is not there, or the file cannot be read. */
export function readDotenv({ env, paths }: DotenvOptions): DotenvFile {
  const named = env.ENV_FILE ? resolve(env.ENV_FILE) : undefined;
  const places = paths ?? [...(named ? [named] : []), resolve('.env'), resolve(homedir(), '.config/tikitaka/.env')];
  const path = places.find((place) => existsSync(place));
  const told = path ? `.env read from ${path}` : `.env looked for at ${places.join(', ')}: none found`;
  if (named && path !== named && !paths) {
    throw new TikitakaError('ERR_CONFIG', `ENV_FILE="${env.ENV_FILE}" does not exist (${told})`);
  }
  try {
    return { path, values: path ? parse(readFileSync(path)) : {}, told };
  } catch (cause) {
    throw new TikitakaError('ERR_CONFIG', `${path} cannot be read as a .env`, { cause });
  }
}
