/**
 * A real Envoy for tests: started with any bootstrap, on ports that nobody has to plan (its admin
 * interface takes a free one and writes it down), and ended with the test. Its log stays readable for the
 * failure message.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEnvoy } from '../../controller/demo/envoy-binary.js';
import { until } from './until.js';

let found: Promise<string> | undefined;

/** The Envoy of this machine, fetched if need be, once a process. */
export function envoyBinary(): Promise<string> {
  found ??= findEnvoy({ env: process.env, say: (line) => process.stderr.write(`${line}\n`) });
  return found;
}

export interface RunningEnvoy {
  readonly pid: number;
  /** The admin interface, `http://127.0.0.1:PORT`. */
  readonly adminUrl: string;
  /** The body of an admin page, as `/clusters` or `/config_dump`; throws unless it answers 200. */
  admin(path: string): Promise<string>;
  /** Resolves when Envoy says LIVE: every cluster and listener has come. */
  waitUntilLive(): Promise<void>;
  /** All that it logged so far. */
  log(): Promise<string>;
  /** Ends it; `SIGKILL` without a word to anybody. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface EnvoyOptions {
  readonly logLevel?: string;
  /** The user and group that it runs as; undefined: whoever runs the test. */
  readonly uid?: number;
  /** The folder that file names are relative to; undefined: the test's. */
  readonly cwd?: string;
}

/**
 * Starts an Envoy with `bootstrap` (proto JSON), whose admin section is replaced. Throws with its log
 * where it ends before its admin interface answers.
 */
export async function startEnvoy(
  bootstrap: Readonly<Record<string, unknown>>,
  options: EnvoyOptions = {},
): Promise<RunningEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-envoy-'));
  const config = join(folder, 'bootstrap.json');
  const addressFile = join(folder, 'admin-address');
  const logFile = join(folder, 'log');
  const admin = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } };
  await writeFile(config, JSON.stringify({ ...bootstrap, admin }));
  const { uid } = options;
  if (uid !== undefined) {
    await chown(folder, uid, uid);
  }
  const files = ['-c', config, '--admin-address-path', addressFile, '--log-path', logFile];
  const child = spawn(
    await envoyBinary(),
    [...files, '--disable-hot-restart', '--concurrency', '1', '-l', options.logLevel ?? 'info'],
    { stdio: 'ignore', uid, gid: uid, cwd: options.cwd },
  );
  const exited = once(child, 'exit');
  const log = () => readFile(logFile, 'utf8').catch(() => '');
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') => {
    if (isRunning(child)) {
      child.kill(signal);
    }
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const address = await adminAddress(child, addressFile).catch(async (error: unknown) => {
    const text = await log();
    await stop('SIGKILL');
    throw new Error(`envoy did not start: ${String(error)}\n${text}`);
  });
  const adminUrl = `http://${address}`;
  const page = async (path: string) => {
    const answer = await fetch(`${adminUrl}${path}`);
    const body = await answer.text();
    if (answer.status !== 200) {
      throw new Error(`${path} answers ${answer.status}: ${body}`);
    }
    return body;
  };
  return {
    pid: child.pid ?? 0,
    adminUrl,
    admin: page,
    log,
    stop,
    waitUntilLive: () =>
      until('envoy is live', async () => {
        const { status } = await fetch(`${adminUrl}/ready`);
        return status === 200;
      }).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await log()}`);
      }),
  };
}

/**
 * Undefined where Envoy accepts `bootstrap` (an encoded Bootstrap message), else its words. File names in
 * it are relative to `cwd`.
 */
export async function validateBootstrap(
  bootstrap: Uint8Array,
  cwd?: string,
): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-envoy-'));
  const config = join(folder, 'bootstrap.pb');
  await writeFile(config, bootstrap);
  const binary = await envoyBinary();
  const args = ['--mode', 'validate', '-c', config, '--disable-hot-restart', '-l', 'warn'];
  try {
    return await new Promise((resolve) => {
      execFile(binary, args, { timeout: 60_000, cwd }, (error, stdout, stderr) =>
        resolve(error === null ? undefined : `${stdout}${stderr}`),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function adminAddress(child: ChildProcess, addressFile: string): Promise<string> {
  let address = '';
  await until('envoy has written its admin address', async () => {
    address = (await readFile(addressFile, 'utf8').catch(() => '')).trim();
    return /:\d+$/.test(address) || !isRunning(child);
  });
  if (!isRunning(child)) {
    throw new Error(`envoy exited with ${child.exitCode ?? child.signalCode}`);
  }
  return address;
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
