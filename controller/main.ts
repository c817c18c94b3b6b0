#!/usr/bin/env node
/** The program's entry: hands the arguments to the command line, and its result to the shell. */
import { createIo } from './cli/io.js';
import { runCli } from './cli/program.js';

// `headgate history | head` closes the pipe early, which is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exitCode = await runCli(process.argv.slice(2), createIo(process.env, process));
