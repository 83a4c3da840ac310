import { existsSync, readFileSync } from 'node:fs';

/** Folder URL of the installed package (ends in `/`): the same from `src/app/` under a loader and from `dist/src/app/`. */
export const packageRoot: URL =
  [new URL('../../', import.meta.url), new URL('../../../', import.meta.url)].find((url) =>
    existsSync(new URL('package.json', url)),
  ) ?? new URL('../../', import.meta.url);

/** The installed package's own version. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string };
  return version;
}
