/**
 * D19: `headgate serve` without descriptors, with a full disk or a stopped terminal under its log, and with
 * nobody who reads its log. What it serves stays, whoever is connected stays, and it ends when it is told to.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { checkout, meshFiles, routeFile } from '../../controller/demo/mesh-files.js';
import { createRepository, type DemoRepository } from '../../controller/demo/repository.js';
import { startHeadgate } from '../support/headgate.js';
import { LightProxy } from '../support/light-proxy.js';
import { policyYaml } from '../support/policy-yaml.js';
import { hasTerminals, startOnStoppedTerminal } from '../support/stopped-terminal.js';
import { until } from '../support/until.js';
import { mainFile } from './run-main.js';

interface Context {
  folder: string;
  repository: DemoRepository;
  proxy: LightProxy;
  /** What each test started: ended after it. */
  ends: (() => unknown)[];
}

const starved = suite<Context>('headgate serve, starved');

/** Nothing to wait for: a release is through when the proxy has taken it. */
const policy = policyYaml({
  name: 'at-once',
  steps: ['{ progress: 100, bake: 0s }'],
  fields: ['noData: pass'],
});

/** The longest that a service manager waits before it kills: Kubernetes' default. */
const endsWithinMs = 30_000;

starved.before.each(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-starved-'));
  context.ends = [];
  context.repository = await createRepository(context.folder);
  const ports = { v1: 20001, v2: 20002 };
  const files = meshFiles({ checkout: ports, app: ports });
  await context.repository.commit('first release', { ...files, 'policy.yaml': policy });
  context.proxy = newProxy(context, 15001);
});

starved.after.each(async ({ folder, ends }) => {
  for (const end of ends.reverse()) {
    await end();
  }
  rmSync(folder, { recursive: true, force: true });
});

starved(
  'D19 without descriptors what is served stays, and it goes on once there are some',
  async (context) => {
    const { folder, repository, proxy, ends } = context;
    const args = [
      '--state',
      join(folder, 'state.db'),
      '--xds',
      '127.0.0.1:0',
      '--http',
      '127.0.0.1:0',
    ];
    const controller = await startHeadgate([...serveArgs(context), ...args]);
    ends.push(() => controller.stop('SIGKILL'));
    proxy.connect(controller.xds);
    await proxy.untilHeld('the first release', () => proxy.weights() === 'checkout-v1=10000');

    const open = readdirSync(`/proc/${controller.pid}/fd`).length;
    execFileSync('prlimit', [`--pid=${controller.pid}`, `--nofile=${open + spareDescriptors}`]);
    const port = Number(new URL(controller.url).port);
    const takers: Socket[] = [];
    ends.push(() => giveBack(takers));
    for (let taker = 0; taker < 2 * spareDescriptors; taker += 1) {
      takers.push(connect(port, '127.0.0.1').on('error', () => {}));
    }
    await repository.commit('release v2', { [routeFile]: checkout('v2') });
    await until('the repository cannot be read', () =>
      controller.log().includes('"source.failed"'),
    );
    assert.ok(controller.isRunning());
    assert.ok(proxy.isConnected);
    assert.is(proxy.weights(), 'checkout-v1=10000');

    giveBack(takers);
    await proxy.untilHeld('the second release', () => proxy.weights() === 'checkout-v2=10000');
    assert.ok(proxy.isConnected);
    const late = newProxy(context, 15002);
    late.connect(controller.xds);
    await late.untilHeld('the second release', () => late.weights() === 'checkout-v2=10000');
  },
);

starved('D19 with a full disk under its log it serves and rolls out', async (context) => {
  const full = openSync('/dev/full', 'w');
  context.ends.push(() => closeSync(full));
  const child = await expectService(context, startWith(full));
  assert.is(child.exitCode, 0);
});

starved('D19 with nobody who reads its log it serves, rolls out and ends', async (context) => {
  const pipe = join(context.folder, 'log');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const writer = openSync(pipe, 'w');
  context.ends.push(() => [reader, writer].forEach(closeSync));
  assert.throws(() => fill(reader), /EAGAIN/);
  const child = await expectService(context, startWith(writer));
  assert.is(child.exitCode, 0);
});

if (hasTerminals()) {
  starved('D19 on a terminal that was stopped it serves, rolls out and ends', async (context) => {
    const child = await expectService(context, (command) =>
      startOnStoppedTerminal(command, { stdio: ['ignore', 'ignore', 'inherit'], env }),
    );
    // Its end cannot wait for the thread that waits for the terminal.
    assert.is(child.signalCode, 'SIGKILL');
  });
} else {
  console.log('left out: D19 on a terminal that was stopped; python3 is not there');
}

starved.run();

/** Enough for Git and the thread that reads YAML, and taken by idle connections. */
const spareDescriptors = 40;

function newProxy({ ends }: Context, port: number): LightProxy {
  const proxy = new LightProxy('mesh/shop/virtualNode/web', {
    metadata: { 'headgate.egress': { address: '127.0.0.1', port } },
  });
  ends.push(() => proxy.disconnect());
  return proxy;
}

function serveArgs({ folder, repository }: Context): readonly string[] {
  return ['--repo', repository.bare, '--poll', '200ms', '--cache', join(folder, 'cache.git')];
}

const env = { PATH: process.env.PATH, HOME: process.env.HOME };

/** With `log` as its standard error. */
function startWith(log: number) {
  return ([program = '', ...args]: readonly string[]) =>
    spawn(program, args, { stdio: ['ignore', 'ignore', log], env });
}

/** Has what `start` starts roll out a release, and ends it by a signal. */
async function expectService(
  context: Context,
  start: (command: readonly string[]) => ChildProcess,
): Promise<ChildProcess> {
  const { folder, repository, proxy, ends } = context;
  const [xds = 0, http = 0] = await freePorts(2);
  const args = ['--state', join(folder, 'state.db'), '--drain', '0s'];
  const ports = ['--xds', `127.0.0.1:${xds}`, '--http', `127.0.0.1:${http}`];
  const serve = [process.execPath, mainFile, 'serve', '--log-format', 'json'];
  const child = start([...serve, ...serveArgs(context), ...args, ...ports]);
  ends.push(() => endOf(child, 'SIGKILL'));
  await until('it is ready', async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).ok);
  proxy.connect({ address: '127.0.0.1', port: xds });
  await proxy.untilHeld('the first release', () => proxy.weights() === 'checkout-v1=10000');
  await repository.commit('release v2', { [routeFile]: checkout('v2') });
  await proxy.untilHeld('the second release', () => proxy.weights() === 'checkout-v2=10000');
  const startedMs = performance.now();
  await Promise.race([
    endOf(child, 'SIGTERM'),
    until('it has ended', () => hasEnded(child), endsWithinMs),
  ]);
  const tookMs = Math.round(performance.now() - startedMs);
  assert.ok(hasEnded(child));
  console.log(`figures D19 ${JSON.stringify({ endedMs: tookMs })}`);
  return child;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

/** Throws `EAGAIN` when a pipe that does not block has no room any more. */
function fill(pipe: number): void {
  for (;;) {
    writeSync(pipe, 'x'.repeat(512));
  }
}

function giveBack(sockets: Socket[]): void {
  for (const socket of sockets.splice(0)) {
    socket.destroy();
  }
}
