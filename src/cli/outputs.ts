import { constants } from 'node:fs';
import { access, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { OptionError, TikitakaError } from '../../operators/index.js';

/** What the system says of a path, in words; never with a stack. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return (code && reasons[code]) ?? (error instanceof Error ? error.message : String(error));
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EEXIST: 'a file is in its place',
  ENOSPC: 'no space is left',
};

/** A path that an option names, and the endings that it may have. */
export interface Output {
  readonly path: string | undefined;
  readonly endings?: readonly string[];
}

/**
 * Checks that what a command will write at its end can be written, before it works for seconds or hours. `-` is stdout. Throws ERR_OPTION that
 * names the option.
 */
export async function checkOutputs(outputs: Readonly<Record<string, Output>>): Promise<void> {
  for (const [option, { path, endings }] of Object.entries(outputs)) {
    if (path === undefined || path === '-') continue;
    const refuse = (why: string) => new OptionError(`${option}: cannot write ${path}: ${why}`, { option, path });
    if (endings && !endings.some((ending) => path.endsWith(ending)))
      throw refuse(`it must be a ${endings.join(' or ')} file`);
    const found = await stat(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw refuse(reasonOf(error));
    });
    if (found?.isDirectory()) throw refuse('it is a folder');
    await access(found ? path : dirname(resolve(path)), constants.W_OK).catch((error: unknown) => {
      throw refuse(isMissing(error) ? `there is no folder ${dirname(resolve(path))}` : reasonOf(error));
    });
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Writes a result. Errors: ERR_OUTPUT where the place has gone or the disk is full. */
export async function writeOutput(path: string, data: string | Uint8Array): Promise<void> {
  await writeFile(path, data).catch((cause: unknown) => {
    throw new TikitakaError('ERR_OUTPUT', `cannot write ${path}: ${reasonOf(cause)}`, { cause, details: { path } });
  });
}

/** Makes the folder that an option names, with those above it. Throws ERR_OPTION. */
export async function makeFolder(option: string, path: string): Promise<void> {
  await makeEach(resolve(path)).catch((error: unknown) => {
    throw new OptionError(`${option}: cannot make the folder ${path}: ${reasonOf(error)}`, { option, path });
  });
}

/** One by one: Node's own recursion never ends where a file system takes no folders (`/proc`). */
async function makeEach(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (!found && dirname(path) !== path) await makeEach(dirname(path));
  await mkdir(path);
}
