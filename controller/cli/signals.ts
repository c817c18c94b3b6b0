/** How a person or a container stops a command that runs until then. */

/** By convention the exit code of a process that a signal ended: 128 and the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** Resolves at the first SIGINT or SIGTERM. The second ends the process at once. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (isStopping) {
          process.exit(exitCodes[signal]);
        }
        isStopping = true;
        resolve();
      });
    }
  });
}
