/**
 * `npm run bench:abuse -- [--only NAME,…] [--clients 50] [--services 100] [--seconds 8] [--strangers]`: plays every attack
 * against a server process of its own while clients that behave get updates, and prints a table: what came
 * of the attack, how far the server's memory rose at most, and the clients' 99th percentile beside what it
 * was on the same server before. The first row is of a process that keeps a processor busy and sends nothing:
 * so much an attacker costs that shares the machine. A quarter of a minute for each attack; every row is saved when it is there,
 * in `test-output/bench/`. It needs Linux's /proc.
 *
 * With `--strangers` the attackers are no programs of this machine, so that who is cut is kept out: everything
 * runs in a network namespace whose loopback has one more address, which needs root.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { present } from '../../../controller/base/assert.js';
import { attacks } from '../../support/abuse/attacks.js';
import { type AttackResult, type Siege, startSiege } from '../../support/abuse/siege.js';
import { openReport } from '../report.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    clients: { type: 'string', default: '50' },
    services: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '8' },
    strangers: { type: 'boolean', default: false },
    'attacked-at': { type: 'string' },
  },
});
if (options.strangers && options['attacked-at'] === undefined) {
  process.exit(runInNamespace());
}
const ms = Number(options.seconds) * 1000;
const statusNames: Readonly<Record<string, string>> = {
  '0': 'OK',
  '3': 'INVALID_ARGUMENT',
  '8': 'RESOURCE_EXHAUSTED',
  '12': 'UNIMPLEMENTED',
  '13': 'INTERNAL',
  '14': 'UNAVAILABLE',
};
const report = openReport('abuse.md');
const row = (cells: readonly (string | number)[]) => report.say(`| ${cells.join(' | ')} |`);
row(['attack', 'what a peer does', 'sent', 'outcome', 'memory, MB', 'p99, ms', 'calm', 'ratio']);
row(['---', '---', '---:', '---', '---:', '---:', '---:', '---:']);
const busy = 'busy-processor';
if (isAsked(busy)) {
  row(
    await measure(busy, 'keeps a processor of this machine busy, sends nothing', besideBusyProcess),
  );
}
for (const { name, what } of attacks) {
  if (isAsked(name)) {
    row(await measure(name, what, (siege) => siege.attack(name, ms)));
  }
}

function isAsked(name: string): boolean {
  return options.only === undefined || options.only.split(',').includes(name);
}

async function besideBusyProcess(siege: Siege): Promise<AttackResult> {
  const burner = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  const served = await siege.calm(ms);
  burner.kill('SIGKILL');
  await once(burner, 'exit');
  return { ...served, connections: 0, cut: 0, sent: 0, ended: {} };
}

async function measure(
  name: string,
  what: string,
  play: (siege: Siege) => Promise<AttackResult>,
): Promise<readonly (string | number)[]> {
  const siege = await startSiege({
    services: Number(options.services),
    clients: Number(options.clients),
    attackedAt: options['attacked-at'],
  });
  try {
    // The first seconds of a process are slower than the rest.
    await siege.calm(ms / 4);
    const calm = p99((await siege.calm(ms / 2)).updateMs);
    const result = await play(siege);
    const under = p99(result.updateMs);
    const figures = [result.peakMb.toFixed(0), under.toFixed(1), calm.toFixed(1)];
    return [name, what, result.sent, outcome(result), ...figures, (under / calm).toFixed(1)];
  } finally {
    await siege.stop();
  }
}

/** This program once more, where only it is. Answers its exit code. */
function runInNamespace(): number {
  const address = '10.99.0.1';
  const setUp = `ip link set lo up && ip address add ${address}/32 dev lo && exec "$0" "$@"`;
  const program = [process.execPath, ...process.argv.slice(1), '--attacked-at', address];
  const { status } = spawnSync('unshare', ['--net', 'sh', '-c', setUp, ...program], {
    stdio: 'inherit',
  });
  return status ?? 1;
}

function outcome({ connections, cut, ended }: AttackResult): string {
  const ends = Object.entries(ended).map(
    ([status, count]) => `${count} streams ${statusNames[status] ?? status}`,
  );
  return [`${cut} of ${connections} connections cut`, ...ends].join(', ');
}

function p99(sorted: readonly number[]): number {
  return present(sorted[Math.floor(sorted.length * 0.99)], 'an update');
}
