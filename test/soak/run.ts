/**
 * `npm run soak -- [--minutes 10] [--every 5s] [--proxies 100]`: the controller in a process of its own, a
 * commit every few seconds that moves all traffic to the other version, 100 proxies without traffic and
 * three real Envoys under load. Prints what the process holds as time passes, how that grows over the second
 * half, and the requests that were lost; exit code 1 where one was, or where something grows beyond doubt.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseDuration } from '../../controller/base/duration.js';
import { checkout, routeFile } from '../../controller/demo/mesh-files.js';
import { openThreeEnvoys, renderLosses } from '../bench/three-envoys.js';
import type { HeadgateProcess } from '../support/headgate.js';
import { LightProxy } from '../support/light-proxy.js';
import { policyYaml, successGate } from '../support/policy-yaml.js';
import type { Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import { lowest, type Sample, slopePerHour } from './slope.js';

/** A rollout that the next commit often takes over in the middle, as a busy team's does. */
const policy = policyYaml({
  name: 'quick',
  steps: [
    '{ progress: 10, bake: 500ms }',
    '{ progress: 50, bake: 500ms }',
    '{ progress: 100, bake: 500ms }',
  ],
  gates: [successGate('2s', 5)],
  fields: ['noData: pass'],
});

/** What is looked at: the name in the metrics, what it is called here, and how much an hour is growth. */
const measures = [
  { metric: 'nodejs_heap_size_used_bytes', name: 'heap MiB', unit: 2 ** 20, limit: 30 },
  { metric: 'process_resident_memory_bytes', name: 'resident MiB', unit: 2 ** 20, limit: 120 },
  { metric: 'process_open_fds', name: 'descriptors', unit: 1, limit: 12 },
  { metric: 'nodejs_active_handles_total', name: 'handles', unit: 1, limit: 12 },
  // Timers that keep no process alive are no resources to Node.js: a leak of those shows in the heap.
  { metric: 'nodejs_active_resources_total', name: 'resources', unit: 1, limit: 12 },
] as const;

const sampleMs = 2_000;
/** A server that closes an idle connection in the very moment of the next request has not failed. */
const closing = { headers: { connection: 'close' } };
/** The compiler's and the cache's first minutes are no leak. */
const warmShare = 0.5;
const printEvery = 15;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      every: { type: 'string', default: '5s' },
      proxies: { type: 'string', default: '100' },
    },
  });
  const undo: Undo = [];
  try {
    const { stage, headgate } = await openThreeEnvoys(policy, undo, 0);
    const proxies = Array.from({ length: Number(values.proxies) }, (_, index) => {
      const egress = { address: '127.0.0.1', port: 20_000 + index };
      const proxy = new LightProxy('mesh/shop/virtualNode/web', {
        metadata: { 'headgate.egress': egress },
      });
      undo.push(() => proxy.disconnect());
      proxy.connect(headgate.xds);
      return proxy;
    });
    const expected = proxies.length + stage.envoys.length;
    await until(
      'all are synced',
      async () => (await headgate.status()).proxies.synced === expected,
    );
    const forMs = Number(values.minutes) * 60_000;
    const stop = new AbortController();
    undo.push(() => stop.abort());
    const commits = commitUntil(
      stop.signal,
      parseDuration(values.every) ?? 5_000,
      stage.repository,
    );
    const series = await watch(headgate, forMs, proxies).finally(() => stop.abort());
    const count = await commits;
    await until('the last commit is applied', async () => {
      const { revision } = await headgate.status();
      return revision.applied === revision.desired;
    });
    process.exitCode = report(series, forMs) ? 1 : 0;
    const lost = stage.loads.reduce((sum, load) => sum + load.counts().lost, 0);
    const apart = proxies.filter(({ isConnected }) => !isConnected).length;
    console.log(`${count} commits, ${expected} proxies, ${apart} disconnected`);
    console.log(renderLosses(stage.loads));
    process.exitCode = lost > 0 || apart > 0 ? 1 : process.exitCode;
  } finally {
    for (const step of undo.reverse()) {
      await step();
    }
  }
}

async function commitUntil(
  signal: AbortSignal,
  everyMs: number,
  repository: { commit(title: string, files: Readonly<Record<string, string>>): Promise<unknown> },
): Promise<number> {
  let count = 0;
  while (!signal.aborted) {
    count += 1;
    const version = count % 2 === 0 ? 'v1' : 'v2';
    await repository
      .commit(`release ${count}`, { [routeFile]: checkout(version) })
      .catch((error: unknown) => {
        // The folder goes when the run fails, and then that is what went wrong.
        if (!signal.aborted) {
          throw error;
        }
      });
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
  return count;
}

type Series = ReadonlyMap<string, readonly Sample[]>;

async function watch(
  headgate: HeadgateProcess,
  forMs: number,
  proxies: readonly LightProxy[],
): Promise<Series> {
  const series = new Map<string, Sample[]>(measures.map(({ name }) => [name, []]));
  const startedMs = performance.now();
  console.log(['minute', ...measures.map(({ name }) => name)].join(' | '));
  for (let round = 0; performance.now() - startedMs < forMs; round += 1) {
    if (!headgate.isRunning()) {
      throw new Error(`the controller has ended: ${headgate.log().slice(-2000)}`);
    }
    const text = await (await fetch(`${headgate.url}/metrics`, closing)).text();
    const atMs = performance.now() - startedMs;
    const row = measures.map(({ metric, name, unit }) => {
      const line = text.split('\n').find((one) => one.startsWith(`${metric} `));
      const value = Number(line?.slice(metric.length + 1) ?? Number.NaN) / unit;
      if (!Number.isNaN(value)) {
        series.get(name)?.push({ atMs, value });
      }
      return value.toFixed(unit === 1 ? 0 : 1);
    });
    if (round % printEvery === 0) {
      console.log([(atMs / 60_000).toFixed(1), ...row].join(' | '));
      // What the proxies remember for other tests would be this process's own leak.
      for (const proxy of proxies) {
        proxy.weightsHeld.length = 0;
        proxy.received.length = 0;
      }
    }
    await delay(sampleMs);
  }
  return series;
}

/** True where something grows. */
function report(series: Series, forMs: number): boolean {
  const from = forMs * warmShare;
  const windowMs = forMs / 20;
  let grows = false;
  for (const { name, limit } of measures) {
    const late = (series.get(name) ?? []).filter(({ atMs }) => atMs >= from);
    const slope = slopePerHour(lowest(late, windowMs));
    const isOver = slope > limit || late.length < 2;
    grows ||= isOver;
    console.log(`${name}: ${slope.toFixed(1)} an hour, limit ${limit}${isOver ? ' GROWS' : ''}`);
  }
  return grows;
}

await main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
