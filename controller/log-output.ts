/**
 * Where the lines of the log go, whatever that is: a file on a disk that may be full or hang, a terminal that
 * was stopped, or a pipe that nobody may read. No line ever holds up what the process does, nor its end:
 * what cannot be written is lost and counted, and what follows it is written again as soon as that can be.
 */
import { fstatSync, write, writeSync } from 'node:fs';

export interface LogOutput {
  /** A line, with its end. */
  write(line: string): void;
}

/** Characters that wait while whoever takes them does not; beyond this lines are dropped, not written late. */
const waitingMax = 1024 * 1024;

/** What takes longer than this is taken to hang: the process does not wait for it to end. */
const hungMs = 1_000;

let lost = 0;

/** Lines since the start of the process that could not be written. */
export function lostLines(): number {
  return lost;
}

/** To stderr. */
export function createLogOutput(): LogOutput {
  const kind = fstatSync(stderrFd);
  return kind.isFIFO() || kind.isSocket() ? toReader() : toFile();
}

const stderrFd = 2;

/**
 * By way of one of libuv's threads, since a write to a disk or a terminal can block: one at a time, so no
 * more than one of the threads ever waits for it, and the lines that came meanwhile go with the next.
 */
function toFile(): LogOutput {
  let waiting: string[] = [];
  let length = 0;
  let writingSinceMs: number | undefined;
  const takeAll = (): readonly string[] => {
    const lines = waiting;
    waiting = [];
    length = 0;
    return lines;
  };
  const writeNext = (): void => {
    const lines = takeAll();
    if (lines.length > 0) {
      writingSinceMs = performance.now();
      writeAll(Buffer.from(lines.join('')), (isWritten) => {
        // A full disk loses lines.
        lost += isWritten ? 0 : lines.length;
        writingSinceMs = undefined;
        writeNext();
      });
    }
  };
  process.once('exit', () => {
    if (writingSinceMs !== undefined && performance.now() - writingSinceMs > hungMs) {
      // The end of a process waits for its threads, and this one may never come back.
      process.kill(process.pid, 'SIGKILL');
      return;
    }
    try {
      writeSync(stderrFd, takeAll().join(''));
    } catch {
      // There is nobody left to tell.
    }
  });
  return {
    write(line) {
      if (length + line.length > waitingMax) {
        lost += 1;
        return;
      }
      waiting.push(line);
      length += line.length;
      if (writingSinceMs === undefined) {
        writeNext();
      }
    },
  };
}

/** A write may take a part only. */
function writeAll(bytes: Buffer, done: (isWritten: boolean) => void): void {
  write(stderrFd, bytes, (error, written) => {
    if (error !== null) {
      done(false);
    } else if (written < bytes.length) {
      writeAll(bytes.subarray(written), done);
    } else {
      done(true);
    }
  });
}

/**
 * Not by way of a thread: a pipe need not block, and its reader may never come back. A reader that ends
 * loses all lines.
 */
function toReader(): LogOutput {
  const { stderr } = process;
  stderr.on('error', () => {});
  return {
    write(line) {
      if (!stderr.destroyed && stderr.writableLength + line.length <= waitingMax) {
        stderr.write(line);
      } else {
        lost += 1;
      }
    },
  };
}
