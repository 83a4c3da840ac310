import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { vectors } from '../src/server/auth-vectors.js';

/** By its file: the server runs in another folder. */
const loader = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface ServeProcess {
  readonly child: ChildProcess;
  /** Lines on stderr so far. */
  readonly said: readonly string[];
  /** The exit code, once everything that holds stderr open is gone: the model processes do. */
  readonly exit: Promise<number | null>;
  /** The first line that matches, said already or still to come; undefined where the process ends without it. */
  saying(pattern: RegExp): Promise<RegExpExecArray | undefined>;
}

/** Writes the server's hot key as Bittensor would, and names it in settings that reach nobody else. */
export async function servingSettings(folder: string) {
  const hotkeys = join(folder, 'wallets', 'main', 'hotkeys');
  await mkdir(hotkeys, { recursive: true });
  const secretSeed = `0x${Buffer.from(vectors.minerSeed).toString('hex')}`;
  await writeFile(join(hotkeys, 'default'), JSON.stringify({ secretSeed }), { mode: 0o600 });
  return {
    AUTH: 'static',
    ALLOWED_HOTKEYS: vectors.validator as string,
    BITTENSOR_WALLET_PATH: join(folder, 'wallets'),
    WALLET_NAME: 'main',
    HOTKEY_NAME: 'default',
    HOST: '127.0.0.1',
    PORT: '0',
    STATUS_PORT: '0',
  };
}

/** Servers of a spec file, each started as an operator does it: own folder, own `.env`, nothing else. Call `killAll` after each test. */
export function serveBox(folder: () => string) {
  const running: ChildProcess[] = [];
  return {
    async start(settings?: Readonly<Record<string, string>>): Promise<ServeProcess> {
      const lines = Object.entries(settings ?? {}).map(([key, value]) => `${key}=${value}\n`);
      if (settings) await writeFile(join(folder(), '.env'), lines.join(''));
      const child = spawn(process.execPath, [`--import=${loader}`, main, 'serve'], {
        cwd: folder(),
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env.PATH, HOME: folder() },
      });
      running.push(child);
      assert.ok(child.stderr);
      const said: string[] = [];
      const lineReader = createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
      const exit = once(child, 'close').then(([code]): number | null => code);
      return {
        child,
        said,
        exit,
        saying: (pattern) =>
          new Promise((resolve) => {
            const look = (lines: readonly string[]) => {
              const found = lines.map((line) => pattern.exec(line)).find((match) => match !== null);
              if (found) resolve(found);
            };
            look(said);
            lineReader.on('line', (line) => look([line]));
            void exit.then(() => resolve(undefined));
          }),
      };
    },
    async killAll() {
      const left = running.splice(0).filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      await Promise.all(left.map((child) => child.kill('SIGKILL') && once(child, 'exit')));
    },
  };
}
