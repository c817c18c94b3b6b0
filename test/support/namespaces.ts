/**
 * A small network of its own for a test: each task is a network namespace with one interface, all joined
 * by a bridge that stands in a namespace too, so that the machine's own network is never touched. A
 * namespace lives as long as the process in it (`namespace-process.ts`), which ends with the test, also
 * where the test is killed: there is nothing that could be left behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { envoyBinary } from './envoy.js';
import type { Methods, Reply } from './namespace-process.js';

const program = fileURLToPath(new URL('./namespace-process.js', import.meta.url));

/** The user that Envoy runs as, whose own connections App Mesh's rules leave alone. */
export const proxyUid = 1337;

/** A process in a namespace of its own. */
export interface Namespace {
  readonly pid: number;
  /** Runs a method of the process there. */
  call<K extends keyof Methods>(
    method: K,
    ...args: Parameters<Methods[K]>
  ): Promise<Awaited<ReturnType<Methods[K]>>>;
  /** Ends the process and all that it started. */
  stop(): Promise<void>;
}

/** A namespace with an address in the network. */
export interface Task extends Namespace {
  readonly address: string;
}

export interface Network {
  /** The bridge's own namespace, which every task reaches at `address`. */
  readonly hub: Task;
  /** Adds a task at 10.99.0.`host`; `host` from 2 to 254, each once. */
  addTask(host: number): Promise<Task>;
  /** Ends every process, and with them the namespaces. */
  stop(): Promise<void>;
}

const hubAddress = '10.99.0.1';

/**
 * A network without tasks. `hosts` are names and their addresses, known to whoever is in it. Throws where
 * the kernel forbids it.
 */
export async function startNetwork(hosts: Readonly<Record<string, string>>): Promise<Network> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-network-'));
  await chmod(folder, 0o755);
  const started: Namespace[] = [];
  const stop = async () => {
    await Promise.all(started.map((one) => one.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const lines = Object.entries({ localhost: '127.0.0.1', ...hosts });
  await writeFile(join(folder, 'hosts'), lines.map(([name, ip]) => `${ip} ${name}\n`).join(''));
  // Nobody answers there, and says so at once: names are those of the hosts file alone.
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${hubAddress}\n`);
  await writeFile(join(folder, 'envoy'), '');
  const binary = await envoyBinary();
  const start = async (): Promise<Namespace> => {
    const namespace = await startNamespace({ HEADGATE_ENVOY: join(folder, 'envoy') });
    started.push(namespace);
    await namespace.call('run', 'ip', 'link', 'set', 'lo', 'up');
    for (const file of ['hosts', 'resolv.conf']) {
      await namespace.call('run', 'mount', '--bind', join(folder, file), `/etc/${file}`);
    }
    // Where Envoy was found its own user may not be allowed to look.
    await namespace.call('run', 'mount', '--bind', binary, join(folder, 'envoy'));
    return namespace;
  };
  try {
    const bridge = await start();
    const ip = (...args: string[]) => bridge.call('run', 'ip', ...args);
    await ip('link', 'add', 'bridge', 'type', 'bridge');
    await ip('address', 'add', `${hubAddress}/24`, 'dev', 'bridge');
    await ip('link', 'set', 'bridge', 'up');
    const hub = { ...bridge, address: hubAddress };
    const addTask = async (host: number): Promise<Task> => {
      const task = await start();
      const address = `10.99.0.${host}`;
      const own = ['name', 'eth0', 'netns', String(task.pid)];
      await ip('link', 'add', `task${host}`, 'type', 'veth', 'peer', ...own);
      await ip('link', 'set', `task${host}`, 'master', 'bridge', 'up');
      await task.call('run', 'ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
      await task.call('run', 'ip', 'link', 'set', 'eth0', 'up');
      await task.call('run', 'ip', 'route', 'add', 'default', 'via', hub.address);
      return { ...task, address };
    };
    return { hub, addTask, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Sends the task's TCP connections through the proxy in it, by the rules of App Mesh's proxy-init: what
 * comes in for `applicationPorts` goes to port 15000, what goes out to 15001, but for what the proxy's
 * own user sends, SSH, the metadata services, and what stays within the task.
 */
export async function intercept(
  task: Namespace,
  applicationPorts: readonly number[],
): Promise<void> {
  const toEgress = ['-A', 'APPMESH_EGRESS', '-p', 'tcp'];
  const rules = [
    ['-N', 'APPMESH_INGRESS'],
    ['-N', 'APPMESH_EGRESS'],
    ['-A', 'APPMESH_EGRESS', '-m', 'owner', '--uid-owner', String(proxyUid), '-j', 'RETURN'],
    [...toEgress, '-m', 'multiport', '--dports', '22', '-j', 'RETURN'],
    [...toEgress, '-d', '169.254.169.254', '-j', 'RETURN'],
    [...toEgress, '-d', '169.254.170.2', '-j', 'RETURN'],
    [...toEgress, '-j', 'REDIRECT', '--to-ports', '15001'],
    [...'-A OUTPUT -p tcp -m addrtype ! --dst-type LOCAL -j APPMESH_EGRESS'.split(' ')],
    ...applicationPorts.map((port) => [
      ...`-A APPMESH_INGRESS -p tcp --dport ${port} -j REDIRECT --to-ports 15000`.split(' '),
    ]),
    [...'-A PREROUTING -p tcp -m addrtype ! --src-type LOCAL -j APPMESH_INGRESS'.split(' ')],
  ];
  for (const rule of rules) {
    await task.call('run', 'iptables', '-w', '-t', 'nat', ...rule);
  }
}

/** Why nothing can be intercepted on this machine; undefined where it can. */
export async function interceptionObstacle(): Promise<string | undefined> {
  let task: Namespace | undefined;
  try {
    task = await startNamespace({});
    await task.call('run', 'ip', 'link', 'add', 'bridge', 'type', 'bridge');
    await task.call('run', 'ip', 'link', 'add', 'one', 'type', 'veth', 'peer', 'name', 'other');
    await intercept(task, [8080]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await task?.stop();
  }
}

/** A namespace with nothing but its own loopback. Throws where the kernel forbids it. */
export async function startLonely(): Promise<Namespace> {
  const namespace = await startNamespace({});
  try {
    await namespace.call('run', 'ip', 'link', 'set', 'lo', 'up');
    return namespace;
  } catch (error) {
    await namespace.stop();
    throw error;
  }
}

async function startNamespace(env: NodeJS.ProcessEnv): Promise<Namespace> {
  const args = ['--net', '--mount', '--', process.execPath, '--enable-source-maps', program];
  const child = spawn('unshare', args, {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const ask = asker(child);
  const namespace: Namespace = {
    pid: child.pid ?? 0,
    call: (method, ...args) => ask(method, args) as never,
    stop: async () => {
      if (child.connected) {
        child.disconnect();
      }
      await exited;
    },
  };
  await namespace.call('run', 'true');
  return namespace;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Sends requests to `child` and gives each its reply; when it ends, all that wait fail with its words. */
function asker(
  child: ChildProcess,
): (method: string, args: readonly unknown[]) => Promise<unknown> {
  const waiting = new Map<number, Waiting>();
  let words = '';
  let end: Error | undefined;
  let requests = 0;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words += text;
  });
  child.on('message', (message) => {
    const reply = message as Reply;
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error === undefined) {
      waiter?.resolve(reply.value);
    } else {
      waiter?.reject(new Error(reply.error));
    }
  });
  const endAll = (error: Error) => {
    end = error;
    for (const { reject } of waiting.values()) {
      reject(error);
    }
  };
  child.once('error', endAll);
  child.once('close', (code) => endAll(new Error(`ended with ${code}: ${words.trim()}`)));
  return (method, args) =>
    new Promise((resolve, reject) => {
      if (end !== undefined) {
        reject(end);
        return;
      }
      requests += 1;
      waiting.set(requests, { resolve, reject });
      // What cannot be sent is sent to a process that ends, and its end is told with its words.
      child.send({ id: requests, method, args }, () => {});
    });
}
