/** A terminal that takes nothing any more, as one that somebody stopped with Ctrl-S: a write to it blocks. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';

/** Becomes the program of its arguments, which then holds both ends of the terminal, and reads neither. */
const onStoppedTerminal = `
import os, pty, sys
reader, terminal = pty.openpty()
os.set_blocking(terminal, False)
try:
    while True:
        os.write(terminal, b'x' * 512)
except BlockingIOError:
    pass
os.set_blocking(terminal, True)
os.set_inheritable(reader, True)
os.dup2(terminal, 2)
os.execvp(sys.argv[1], sys.argv[1:])
`;

/** False where there is no Python to make one. */
export function hasTerminals(): boolean {
  return spawnSync('python3', ['-c', 'import pty']).status === 0;
}

/** Starts `command` with such a terminal as its standard error. */
export function startOnStoppedTerminal(
  command: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  return spawn('python3', ['-c', onStoppedTerminal, ...command], options);
}
