export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `tikitaka ...args` in this process, with what it writes and its exit code. */
export async function tikitaka(...args: readonly string[]): Promise<Outcome> {
  const { stdout, stderr } = process;
  const writes = { out: stdout.write, err: stderr.write };
  const written = { out: '', err: '' };
  stdout.write = (text: string | Uint8Array) => {
    written.out += Buffer.from(text).toString();
    return true;
  };
  stderr.write = (text: string | Uint8Array) => {
    written.err += Buffer.from(text).toString();
    return true;
  };
  try {
    // As `main.ts` and the commands are loaded: mocha's own way gives a second copy of every class.
    const { main } = await import('../../src/cli/program.js');
    const code = await main(['node', 'tikitaka', ...args]);
    return { code, ...written };
  } finally {
    stdout.write = writes.out;
    stderr.write = writes.err;
  }
}
