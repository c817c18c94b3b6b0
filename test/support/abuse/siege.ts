/**
 * A server process that is attacked while well-behaved clients are served by it: what the attack costs the
 * server in memory, and the clients in time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Received, XdsClient } from '../xds-client.js';
import { startTarget, type TargetProcess } from '../xds-target.js';

const attackerProgram = fileURLToPath(new URL('./attacker.js', import.meta.url));

export interface SiegeResult {
  /** Of each update to each client, in milliseconds, sorted. */
  readonly updateMs: readonly number[];
  /** How far the server's memory rose above where it was before, at most; in MB. */
  readonly peakMb: number;
}

export interface AttackResult extends SiegeResult {
  readonly connections: number;
  readonly cut: number;
  readonly sent: number;
  readonly ended: Readonly<Record<string, number>>;
}

export interface Siege {
  readonly target: TargetProcess;
  /** One update, to all clients. */
  update(): Promise<Pick<SiegeResult, 'updateMs'>>;
  /** Serves updates to the clients for `ms`; with an attack's name, under that attack. */
  calm(ms: number): Promise<SiegeResult>;
  attack(name: string, ms: number): Promise<AttackResult>;
  stop(): Promise<void>;
}

const routeOfTrigger = 'svc-0000.default:80';

/** `attackedAt`: an address of this machine by which attackers come, in place of the loopback that clients use. */
export async function startSiege(options: {
  readonly services: number;
  readonly clients: number;
  readonly attackedAt?: string | undefined;
}): Promise<Siege> {
  const { attackedAt } = options;
  const listen = attackedAt === undefined ? [] : ['--xds', '0.0.0.0:0'];
  const target = await startTarget(['--services', `${options.services}`, ...listen]);
  const clients = Array.from({ length: options.clients }, () => target.client());
  const listeners = await Promise.all(clients.map((client, index) => listenTo(client, index)));
  const serveFor = async (ms: number): Promise<SiegeResult> => {
    const updateMs: number[] = [];
    const baseMb = residentMb(target.pid);
    let peakMb = 0;
    const sampler = setInterval(() => {
      peakMb = Math.max(peakMb, residentMb(target.pid) - baseMb);
    }, 50);
    const startedMs = performance.now();
    while (performance.now() - startedMs < ms) {
      updateMs.push(...(await update(target, listeners)));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    clearInterval(sampler);
    return { updateMs: updateMs.sort((a, b) => a - b), peakMb };
  };
  return {
    target,
    update: async () => ({ updateMs: await update(target, listeners) }),
    calm: serveFor,
    async attack(name, ms) {
      const { address, port } = target.xds;
      const to = [attackedAt ?? address, `${port}`];
      const attacker = spawn(process.execPath, [attackerProgram, name, ...to], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const exited = once(attacker, 'exit');
      // The first line says that it has begun, the second what came of it.
      const lines = createInterface(attacker.stdout)[Symbol.asyncIterator]();
      await lines.next();
      const served = await serveFor(ms);
      attacker.stdin.end();
      const { value: tally } = await lines.next();
      await exited;
      return { ...served, ...JSON.parse(tally) };
    },
    stop: async () => void (await target.stop()),
  };
}

/** How long each client waited for one update, from when it was asked for. */
async function update(
  target: TargetProcess,
  listeners: readonly Listener[],
): Promise<readonly number[]> {
  const askedMs = performance.now();
  const { json } = await target.post('/trigger');
  const { marker } = json as { readonly marker: string };
  const arrivals = await Promise.all(listeners.map((listener) => listener.saw(marker)));
  return arrivals.map((atMs) => atMs - askedMs);
}

interface Listener {
  /** When the update with `marker` came. */
  saw(marker: string): Promise<number>;
}

/** A client that takes and acknowledges every update of the route that a trigger changes. */
async function listenTo(client: XdsClient, index: number): Promise<Listener> {
  const stream = client.delta(`node-${String(index).padStart(5, '0')}`);
  stream.send('route', { resource_names_subscribe: [routeOfTrigger] });
  stream.ack(await stream.receive('route'));
  let newest = { response: '', atMs: 0 };
  let wake = (): void => {};
  let failure: unknown;
  const take = ({ resources, ...response }: Received): void => {
    newest = { response: JSON.stringify(resources), atMs: performance.now() };
    stream.ack({ resources, ...response });
    wake();
  };
  void (async () => {
    for (;;) {
      take(await stream.next('an update', patienceMs));
    }
  })().catch((error: unknown) => {
    failure = error;
    wake();
  });
  return {
    async saw(marker) {
      while (!newest.response.includes(marker)) {
        if (failure !== undefined) {
          throw failure;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return newest.atMs;
    },
  };
}

/** Well-behaved clients are served, however slowly: one that is not for so long has been forgotten. */
const patienceMs = 60_000;

/** Resident memory of a process. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
