/**
 * The controller as its users run it: `headgate serve` in a process of its own, which a test can kill at
 * any moment, and its API as anybody sees it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RolloutView } from '../../controller/api/rollout-view.js';
import type { StatusView } from '../../controller/api/view.js';
import { until } from './until.js';

const program = fileURLToPath(new URL('../../controller/main.js', import.meta.url));

export interface HeadgateProcess {
  readonly pid: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly xds: { readonly address: string; readonly port: number };
  status(): Promise<StatusView>;
  rollouts(): Promise<readonly RolloutView[]>;
  /** The rollout that `phase` describes, once there is one. */
  rolloutIn(id: string, phases: readonly string[], timeoutMs?: number): Promise<RolloutView>;
  /** The newest rollout that is none of `known`, once there is one. */
  newRollout(known: readonly string[]): Promise<RolloutView>;
  command(id: string, verb: string, reason: string): Promise<number>;
  /** All that it logged, a JSON line each. */
  log(): string;
  isRunning(): boolean;
  /** Sends it a signal and waits for nothing. */
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/**
 * Starts `headgate serve` with `args` and the variables `env`; resolves when it serves. Throws with its log
 * where it ends.
 */
export async function startHeadgate(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<HeadgateProcess> {
  const child = spawn(process.execPath, [program, 'serve', '--log-format', 'json', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  });
  let log = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (chunk: string) => {
    log += chunk;
  });
  const exited = once(child, 'exit');
  const started = await startedLine(child, () => log);
  const url = started.http;
  const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(started.xds) ?? [];
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}${path}`);
    if (response.status !== 200) {
      throw new Error(`${path} answered ${response.status}`);
    }
    return (await response.json()) as T;
  };
  const rollouts = () => get<readonly RolloutView[]>('/api/v1/rollouts');
  const find = async (what: string, isIt: (one: RolloutView) => boolean, timeoutMs?: number) => {
    let found: RolloutView | undefined;
    let all: readonly RolloutView[] = [];
    await until(
      what,
      async () => {
        all = await rollouts();
        found = all.find(isIt);
        return found !== undefined;
      },
      timeoutMs,
    ).catch((error: unknown) => {
      const seen = all.map(({ id, phase, step, reason }) => ({ id, phase, step, reason }));
      throw new Error(`${String(error)}: ${JSON.stringify(seen)}`);
    });
    return found as RolloutView;
  };
  return {
    pid: child.pid ?? 0,
    url,
    xds: { address, port: Number(port) },
    status: () => get('/api/v1/status'),
    rollouts,
    rolloutIn: (id, phases, timeoutMs) =>
      find(
        `rollout ${id} to be ${phases.join(' or ')}`,
        (one) => one.id === id && phases.includes(one.phase),
        timeoutMs,
      ),
    newRollout: (known) => find('a new rollout', (one) => !known.includes(one.id)),
    command: async (id, verb, reason) => {
      const response = await fetch(`${url}/api/v1/rollouts/${id}/${verb}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ reason }),
      });
      await response.arrayBuffer();
      return response.status;
    },
    log: () => log,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    signal: (name) => void child.kill(name),
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
      }
      await exited;
    },
  };
}

interface StartedLine {
  readonly http: string;
  readonly xds: string;
}

async function startedLine(child: ChildProcess, log: () => string): Promise<StartedLine> {
  let line: string | undefined;
  await until(
    'headgate serves',
    () => {
      line = log()
        .split('\n')
        .find((candidate) => candidate.includes('"headgate.started"'));
      return line !== undefined || child.exitCode !== null || child.signalCode !== null;
    },
    180_000,
  );
  if (line === undefined) {
    throw new Error(`headgate ended with ${child.exitCode ?? child.signalCode}:\n${log()}`);
  }
  return JSON.parse(line) as StartedLine;
}
