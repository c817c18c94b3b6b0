/** Real Envoys as child processes, each with the bootstrap that `headgate bootstrap` would print. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpError } from '../base/op-error.js';
import { renderBootstrap } from '../envoy/bootstrap.js';
import type { SocketAddress } from '../envoy/snapshot.js';

export interface EnvoySettings {
  readonly binary: string;
  /** An empty folder for its files. */
  readonly folder: string;
  /** Unique among the demo's Envoys; names its files. */
  readonly name: string;
  readonly nodeId: string;
  readonly xds: SocketAddress;
  readonly ingress?: SocketAddress;
  readonly egress?: SocketAddress;
}

export interface DemoEnvoy {
  readonly name: string;
  readonly pid: number;
  /** Waits for its end; kills it where it does not end by itself. */
  stop(): Promise<void>;
  /** Ends it at once, as the loss of its machine would. */
  kill(): Promise<void>;
}

/** How long an Envoy may take to end its work once it is told to stop. */
const stopTimeoutMs = 3000;

/** Starts one Envoy; it asks for its configuration as soon as it runs. */
export async function startEnvoy(settings: EnvoySettings): Promise<DemoEnvoy> {
  const { binary, folder, name, nodeId, xds, ingress, egress } = settings;
  const configPath = join(folder, `${name}.json`);
  const logPath = join(folder, `${name}.log`);
  const admin = { address: '127.0.0.1', port: 0 };
  const bootstrap = renderBootstrap({ nodeId, xds: [xds], admin, ingress, egress });
  await writeFile(configPath, JSON.stringify(bootstrap, null, 2));
  const args = ['-c', configPath, '--disable-hot-restart', '--concurrency', '1'];
  const child = spawn(binary, [...args, '-l', 'warning', '--log-path', logPath], {
    stdio: 'ignore',
  });
  await started(child, name);
  child.once('exit', () => undefined);
  return { name, pid: child.pid ?? 0, stop: () => stop(child), kill: () => kill(child) };
}

function started(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(
        new OpError('envoy-start', `Envoy ${name} does not start: ${cause.message}`, { cause }),
      ),
    );
  });
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

function kill(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
