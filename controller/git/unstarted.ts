/**
 * Programs that cannot be started for want of descriptors. Node.js then makes no streams, and tells of it in
 * an event after the call (libuv's `EMFILE`); simple-git trips over the missing streams before it listens,
 * and an `error` that nobody hears ends the whole process.
 */
import { subscribe } from 'node:diagnostics_channel';

/** From now on, no program that cannot be started ends this process. Whoever started it is told all the same. */
export function surviveUnstarted(): void {
  subscribe('child_process', (message) => {
    const { process: child } = message as { readonly process: NodeJS.EventEmitter };
    child.on('error', () => {});
  });
}

/** Whether simple-git says so, in its way. */
export function isUnstarted(message: string): boolean {
  return /^TypeError: .*undefined/.test(message);
}

export const unstartedText =
  'git cannot be started: no descriptors are left; allow the controller more open files (ulimit -n)';
