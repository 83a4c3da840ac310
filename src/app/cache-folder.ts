import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what can be made again is kept: $XDG_CACHE_HOME/tikitaka, else ~/.cache/tikitaka. */
export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tikitaka');
