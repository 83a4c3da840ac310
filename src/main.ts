#!/usr/bin/env node
import { main } from './cli/program.js';

process.exitCode = await main(process.argv);
// A process manager that listens to us (PM2) would keep an ended program alive.
process.channel?.unref();
