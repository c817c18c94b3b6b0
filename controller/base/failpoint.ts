/**
 * Places at which a test kills the process: at every border to the disk, the network and people. A
 * failpoint does nothing unless `setFailpoint` named it, which the program does once at its start and
 * only where `HEADGATE_FAILPOINT` says so.
 */

/** Every failpoint, so that a test can go through them all. */
export const failpoints = [
  'store.commit.before',
  'store.commit.inside',
  'store.commit.after',
  'store.delivered.before',
  'store.delivered.after',
  'loop.publish.before',
  'loop.publish.after',
  'notify.send.before',
  'notify.send.after',
  'lease.taken',
  'lease.released',
  'follow.read',
  'source.read',
] as const;

export type Failpoint = (typeof failpoints)[number];

let armed: { readonly name: Failpoint; left: number; readonly act: () => void } | undefined;

/** `text` is a failpoint's name, `name:3` its third time. `act` is what then happens. */
export function setFailpoint(text: string, act: () => void): void {
  const [name, times = '1'] = text.split(':');
  const found = failpoints.find((one) => one === name);
  if (found === undefined || !/^[1-9]\d{0,5}$/.test(times)) {
    throw new Error(`there is no failpoint ${text}; there are ${failpoints.join(', ')}`);
  }
  armed = { name: found, left: Number(times), act };
}

export function failpoint(name: Failpoint): void {
  if (armed?.name === name) {
    armed.left -= 1;
    if (armed.left === 0) {
      armed.act();
    }
  }
}
