#!/usr/bin/env node
import { reasonOf } from './cli/outputs.js';
import { main } from './cli/program.js';

// Who reads may leave (`| head`), a disk may be full: that ends with 1 like any other failure, not with a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`ERR_OUTPUT: cannot write to stdout: ${reasonOf(error)}\n`);
  process.exitCode = 1;
});
// Nobody is left to be told.
process.stderr.on('error', () => undefined);

const code = await main(process.argv);
if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = code;
// A process manager's channel keeps a process alive as long as somebody listens to it.
if (process.connected) process.disconnect();
