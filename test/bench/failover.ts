/**
 * `npm run bench:failover -- [--rounds 20] [--lease 15s] [--faults kill,pause]`: how long nobody leads when the leader is killed,
 * paused or cut off from the database, and what proxies are sent meanwhile. Three replicas in processes of
 * their own on one PostgreSQL of its own, light proxies on each.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { openReplicas, type ReplicaStage, viewOf } from '../replicas/replica-stage.js';
import type { HeadgateProcess } from '../support/headgate.js';
import type { Undo } from '../support/stage.js';
import { until } from '../support/until.js';

type Fault = 'kill' | 'pause' | 'partition' | 'stop';
const faults: readonly Fault[] = ['pause', 'partition', 'kill', 'stop'];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      lease: { type: 'string', default: '15s' },
      faults: { type: 'string', default: faults.join(',') },
    },
  });
  const undo: Undo = [];
  try {
    const names = ['a', 'b', 'c'];
    const stage = await openReplicas(undo, { names, lease: values.lease });
    console.log(`lease ${values.lease}; seconds from the fault to another replica that leads`);
    for (const fault of faults.filter((one) => values.faults.split(',').includes(one))) {
      const seconds: number[] = [];
      let bytes = 0;
      for (let round = 0; round < Number(values.rounds); round += 1) {
        const measured = await measure(stage, fault);
        seconds.push(measured.tookMs / 1000);
        console.error(`${fault} ${round + 1}: ${(measured.tookMs / 1000).toFixed(2)} s`);
        bytes += measured.bytes;
      }
      seconds.sort((left, right) => left - right);
      const median = seconds[Math.floor(seconds.length / 2)] ?? 0;
      const worst = seconds.at(-1) ?? 0;
      console.log(
        `${fault.padEnd(10)} median ${median.toFixed(2)} s, worst of ${seconds.length} ` +
          `${worst.toFixed(2)} s, ${bytes} bytes sent to proxies`,
      );
    }
  } finally {
    for (const step of undo.reverse()) {
      await step();
    }
  }
}

async function measure(stage: ReplicaStage, fault: Fault) {
  const { leader, others } = await stage.roles();
  const name = (await viewOf(leader))?.name ?? '';
  const link = stage.links.get(name);
  const proxy = stage.proxy();
  const [first] = others;
  proxy.connect((first ?? leader).xds);
  await proxy.untilHeld('routes', () => proxy.held.get('route')?.size === 1);
  const before = proxy.bytes;
  const startedMs = performance.now();
  strike(leader, fault, () => link?.set('hole'));
  await until('another one leads', async () => {
    const views = await Promise.all(others.map(viewOf));
    return views.some((view) => view?.role === 'leading');
  });
  const tookMs = performance.now() - startedMs;
  const bytes = proxy.bytes - before;
  proxy.disconnect();
  link?.set('open');
  if (fault === 'kill' || fault === 'stop') {
    await leader.stop('SIGKILL');
    await stage.start(name);
  } else {
    leader.signal('SIGCONT');
  }
  return { tookMs, bytes };
}

function strike(leader: HeadgateProcess, fault: Fault, cutOff: () => void): void {
  const signals = { kill: 'SIGKILL', pause: 'SIGSTOP', stop: 'SIGTERM' } as const;
  if (fault === 'partition') {
    cutOff();
  } else {
    leader.signal(signals[fault]);
  }
}

await main();
