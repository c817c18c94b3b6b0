#!/usr/bin/env node
/** The program's entry: hands the arguments to the command line, and its result to the shell. */
import { createIo } from './cli/io.js';
import { runCli } from './cli/program.js';

// `headgate history | head` closes the pipe early, which is no error. What runs until a signal ends as by
// one, so that `headgate demo | head` takes its Envoys down too.
let isClosed = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' || process.listenerCount('SIGTERM') === 0) {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  }
  if (!isClosed) {
    isClosed = true;
    process.emit('SIGTERM');
  }
});

process.exitCode = await runCli(process.argv.slice(2), createIo(process.env, process));
