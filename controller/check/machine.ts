/** The machine: Node, Git, free ports, room for the state, the clock. */
import { execFile } from 'node:child_process';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type HostPort, renderHostPort } from '../base/socket-address.js';
import { attempt, type Check, failure, ok, skipped, warning } from './result.js';

const run = promisify(execFile);

/** `advice` is what there is to say of this Node; undefined: nothing. */
export function nodeCheck(version: string, advice: string | undefined): Check {
  return advice === undefined ? ok('Node.js', version) : warning('Node.js', version, `${advice}.`);
}

export function gitCheck(): Promise<Check> {
  return attempt('Git', 'Install Git; Headgate starts the program `git`.', async () => {
    const { stdout } = await run('git', ['--version'], { timeout: 10_000 });
    return ok('Git', stdout.trim().replace(/^git version /, ''));
  });
}

/** Whether `listen` can be had by a controller that is yet to start. */
export async function portIsFree(name: string, listen: HostPort): Promise<Check> {
  const place = renderHostPort(listen);
  if (listen.port === 0) {
    return ok(name, 'any free port');
  }
  const server = createServer();
  const error = await new Promise<NodeJS.ErrnoException | undefined>((settle) => {
    server.once('error', settle);
    server.listen({ host: listen.address, port: listen.port }, () => settle(undefined));
  });
  server.close();
  switch (error?.code) {
    case undefined:
      return ok(name, `${place} is free`);
    case 'EADDRINUSE':
      return failure(
        name,
        `${place} is taken`,
        'Stop what listens there, or take another port. A controller that runs already is asked without --pre.',
      );
    case 'EACCES':
      return failure(name, `${place} may not be had`, 'Ports below 1024 need root: take another.');
    default:
      return failure(name, `${place}: ${error?.message}`, 'Name an address of this machine.');
  }
}

const connectMs = 3_000;

/** Whether something answers where the controller is to listen. */
export async function portAnswers(name: string, listen: HostPort): Promise<Check> {
  const place = renderHostPort(listen);
  if (listen.port === 0) {
    return skipped(name, 'any free port: nobody knows which');
  }
  const socket = connect({ host: listen.address, port: listen.port, timeout: connectMs });
  const error = await new Promise<string | undefined>((settle) => {
    socket.once('connect', () => settle(undefined));
    socket.once('error', ({ message }) => settle(message));
    socket.once('timeout', () => settle('it does not answer'));
  });
  socket.destroy();
  return error === undefined
    ? ok(name, `${place} answers`)
    : failure(name, `${place}: ${error}`, 'Is `headgate serve` running with these settings?');
}

/** A history of years, and Git's objects beside it, are tens of megabytes. */
const roomBytesMin = 200 * 1024 * 1024;

/** Whether the state's file can be written where it is to be. */
export function stateCheck(state: string): Promise<Check> {
  const name = 'state';
  if (/^[a-z+]+:\/\//i.test(state) && !state.startsWith('file:')) {
    return Promise.resolve(skipped(name, 'a database: `headgate serve` says whether it answers'));
  }
  const path = resolve(state.replace(/^file:(\/\/)?/, ''));
  const folder = dirname(path);
  return attempt(name, `Make ${folder} a folder that this user may write to.`, async () => {
    const existing = await stat(path).catch(() => undefined);
    await access(existing === undefined ? folder : path, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const freeMb = Math.round((bavail * bsize) / 1024 / 1024);
    return bavail * bsize < roomBytesMin
      ? warning(name, `${path}: ${freeMb} MB are free`, 'Make room: a full disk stops rollouts.')
      : ok(name, `${path}, ${existing === undefined ? 'new' : 'there'}, ${freeMb} MB free`);
  });
}

/** Certificates and signed requests bear a few minutes, windows of policies a second or two. */
const skewMaxMs = 5_000;

/** `date`: the other side's, from the header of an answer that came in between. */
export function clockCheck(
  whose: string,
  date: string | null | undefined,
  period: { readonly fromMs: number; readonly toMs: number },
): Check {
  const name = 'clock';
  // The header has whole seconds.
  const theirsMs = Date.parse(date ?? '') + 500;
  if (Number.isNaN(theirsMs)) {
    return skipped(name, `${whose} does not tell its time`);
  }
  const { fromMs, toMs } = period;
  const skewMs = Math.round(theirsMs < fromMs ? theirsMs - fromMs : Math.max(0, theirsMs - toMs));
  const seconds = Math.abs(skewMs / 1000).toFixed(0);
  return Math.abs(skewMs) <= skewMaxMs
    ? ok(name, `that of ${whose} is the same`)
    : warning(
        name,
        `${whose} is ${seconds} s ${skewMs > 0 ? 'ahead' : 'behind'}`,
        'Let both machines take their time from NTP.',
      );
}
