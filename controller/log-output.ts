/**
 * Where the lines of the log go, whatever that is: a file on a disk that may be full, a terminal, or a pipe
 * that nobody may read. No line ever holds up what the process does, nor its end: what cannot be written is
 * lost, and what follows it is written again as soon as that can be.
 */
import { fstatSync, writeSync } from 'node:fs';

export interface LogOutput {
  /** A line, with its end. */
  write(line: string): void;
}

/** Characters that wait while whoever reads does not; beyond this lines are dropped, not written late. */
const waitingMax = 1024 * 1024;

/** To stderr. */
export function createLogOutput(): LogOutput {
  const kind = fstatSync(stderrFd);
  return kind.isFIFO() || kind.isSocket() ? toReader() : toFile();
}

const stderrFd = 2;

function toFile(): LogOutput {
  return {
    write(line) {
      try {
        writeSync(stderrFd, line);
      } catch {
        // A full disk loses lines.
      }
    },
  };
}

/**
 * Not by way of a thread: one that waits for a reader holds up the end of the process for good. A reader
 * that ends loses all lines.
 */
function toReader(): LogOutput {
  const { stderr } = process;
  stderr.on('error', () => {});
  return {
    write(line) {
      if (!stderr.destroyed && stderr.writableLength + line.length <= waitingMax) {
        stderr.write(line);
      }
    },
  };
}
