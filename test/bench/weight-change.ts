/**
 * `npm run bench:weight-change [SERVICES…]`: what one change of one weight costs the controller before any
 * proxy is sent anything: the loop's step, the effective mesh, and the snapshot of a proxy that calls ten
 * services and of one that calls all. Medians in milliseconds of processor time, by the size of the mesh.
 * Nothing of it touches a network, a disk or the clock.
 */

import type { ProxyIdentity } from '../../controller/envoy/snapshot.js';
import { initialDurableState } from '../../controller/loop/persist.js';
import type { Publication } from '../../controller/loop/ports.js';
import { PublicationFactory } from '../../controller/loop/publication.js';
import { startState } from '../../controller/loop/start-state.js';
import type { LoopState } from '../../controller/loop/state.js';
import { stepLoop } from '../../controller/loop/step.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { LoadHistory } from '../../controller/rollout/load-history.js';
import { meshOf } from '../support/mesh.js';
import { accepted } from '../support/reading.js';
import { recordingLogger } from '../support/recording-logger.js';

const rounds = 20;
const calledByFew = 10;
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1_000, 10_000];
const settings = { ackDeadlineMs: 30_000 };
const startMs = Date.UTC(2026, 0, 1);

/** The proxy of `few` calls ten services, that of `web` calls all. */
const proxies = { few: proxyOf('few'), all: proxyOf('web') };

function proxyOf(name: string): ProxyIdentity {
  const resource = { mesh: 'demo', kind: 'VirtualNode', name } as const;
  return { nodeId: `mesh/demo/virtualNode/${name}`, resource, instance: name, kind: 'envoy' };
}

function meshWith(services: number): Mesh {
  const names = Array.from({ length: services }, (_, index) => `service-${index}`);
  const mesh = meshOf(names.map((name) => ({ name, weights: { v1: 100, v2: 0 } })));
  const caller = mesh.virtualNodes.find(({ name }) => name === 'web');
  if (caller === undefined) {
    throw new Error('meshOf has a node web');
  }
  const few = { ...caller, name: 'few', backends: caller.backends.slice(0, calledByFew) };
  const virtualNodes = [...mesh.virtualNodes, few].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...mesh, virtualNodes };
}

/** The same with another weight of the first service; everything else is the same objects. */
function moved(mesh: Mesh, weight: number): Mesh {
  const virtualRouters = mesh.virtualRouters.map((router) =>
    router.name === 'service-0'
      ? {
          ...router,
          routes: router.routes.map((route) => ({
            ...route,
            targets: route.targets.map((target, index) => ({
              ...target,
              weight: index === 0 ? 100 - weight : weight,
            })),
          })),
        }
      : router,
  );
  return { ...mesh, virtualRouters };
}

interface Costs {
  readonly step: number;
  readonly few: number;
  readonly all: number;
}

function measureOne(state: LoopState, factory: PublicationFactory, mesh: Mesh, id: string) {
  const revision = { id, author: 'ann', title: id, committedAtMs: startMs };
  const begin = cpuMs();
  let next = stepLoop(state, accepted(revision, [mesh]), settings, startMs).state;
  next = stepLoop(next, { kind: 'tick' }, settings, startMs).state;
  const stepped = cpuMs();
  const publication: Publication = factory.create(next);
  publication.snapshotFor(proxies.few);
  const few = cpuMs();
  publication.snapshotFor(proxies.all);
  const all = cpuMs();
  return { state: next, costs: { step: stepped - begin, few: few - stepped, all: all - few } };
}

/** Processor time, so that a busy machine does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function median(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(2);
}

console.log('| services | loop, commit | snapshot: calls ten | snapshot: calls all |');
console.log('| --- | ---: | ---: | ---: |');
for (const services of sizes) {
  const factory = new PublicationFactory(recordingLogger());
  const first = meshWith(services);
  let state = startState(initialDurableState, new LoadHistory(), startMs);
  const list: Costs[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const result = measureOne(state, factory, moved(first, round + 1), `c${round}`);
    state = result.state;
    list.push(result.costs);
  }
  const warm = list.slice(rounds / 4);
  const columns = (['step', 'few', 'all'] as const).map((key) =>
    median(warm.map((costs) => costs[key])),
  );
  console.log(`| ${[services, ...columns].join(' | ')} |`);
}
