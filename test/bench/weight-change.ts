/**
 * `npm run bench:weight-change [SERVICES…]`: what a change of one weight costs the controller before any
 * proxy is sent anything, by the size of the mesh. Two kinds: a **step** of a rollout, which happens again
 * and again without a new commit, and a **commit** of one router, as the reading thread hands it over: no
 * object of it is one that is known. Of each what the loop does (the step and what it has to store), and
 * what is done for a proxy (its snapshot, the check of it, and what differs from the one before): of a node
 * that calls ten services, of one that calls all, and of a gateway before all. Milliseconds of processor
 * time, medians; the longest of all is what the event loop stands still for at most. Nothing of it touches
 * a network, a disk or the clock.
 */
import { proxyId } from '../../controller/base/brand.js';
import {
  type ProxyIdentity,
  resourceTypes,
  type Snapshot,
} from '../../controller/envoy/snapshot.js';
import { changedSaved, initialDurableState } from '../../controller/loop/persist.js';
import { PublicationFactory } from '../../controller/loop/publication.js';
import { startState } from '../../controller/loop/start-state.js';
import type { LoopState } from '../../controller/loop/state.js';
import { stepLoop } from '../../controller/loop/step.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { LoadHistory } from '../../controller/rollout/load-history.js';
import { changedResources } from '../../controller/xds/snapshot-changes.js';
import { meshOf, policyOf } from '../support/mesh.js';
import { accepted } from '../support/reading.js';
import { recordingLogger } from '../support/recording-logger.js';

const stepsMeasured = 30;
const commitsMeasured = 10;
/** Code that has run a few times only is not compiled yet. */
const warmUp = 0.3;
const calledByFew = 10;
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1_000, 10_000];
const settings = { ackDeadlineMs: 30_000 };
const bakeMs = 1000;

const proxies = {
  'calls ten': proxyOf('VirtualNode', 'few'),
  'calls all': proxyOf('VirtualNode', 'web'),
  gateway: proxyOf('VirtualGateway', 'edge'),
} as const;

type ProxyName = keyof typeof proxies;
const proxyNames = Object.keys(proxies) as ProxyName[];
type Column = 'loop' | ProxyName;
const columns: readonly Column[] = ['loop', ...proxyNames];
type Costs = Readonly<Record<Column, number>>;

function proxyOf(kind: 'VirtualNode' | 'VirtualGateway', name: string): ProxyIdentity {
  return { nodeId: name, resource: { mesh: 'demo', kind, name }, instance: name, kind: 'envoy' };
}

/** A mesh of `services`, each with two versions, with a caller of ten, one of all, and a gateway before all. */
function meshWith(services: number, weight: number): Mesh {
  const steps = Array.from({ length: stepsMeasured + 1 }, (_, index) => ({
    progress: index + 1,
    bakeMs,
    approval: false,
  }));
  const names = Array.from({ length: services }, (_, index) => `service-${index}`);
  const mesh = meshOf(
    names.map((name, index) => ({
      name,
      weights: index === 0 ? { v1: 100 - weight, v2: weight } : { v1: 100, v2: 0 },
      gatewayPrefix: `/${name}`,
    })),
    [policyOf({ gates: [], steps })],
  );
  const caller = mesh.virtualNodes.find(({ name }) => name === 'web');
  if (caller === undefined) {
    throw new Error('meshOf has a node web');
  }
  const few = { ...caller, name: 'few', backends: caller.backends.slice(0, calledByFew) };
  const virtualNodes = [...mesh.virtualNodes, few].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...mesh, virtualNodes };
}

class Bench {
  private state: LoopState = startState(
    initialDurableState,
    new LoadHistory(),
    Date.UTC(2026, 0, 1),
  );
  private readonly factory = new PublicationFactory(recordingLogger());
  private readonly snapshots = new Map<ProxyName, Snapshot>();
  private nowMs = Date.UTC(2026, 0, 1);
  storedBytes = 0;

  constructor(private readonly services: number) {
    this.commit(0);
    for (const identity of Object.values(proxies)) {
      const proxy = {
        ...{ id: proxyId(identity.instance), identity, address: '', connectedAtMs: this.nowMs },
        // It acknowledges whatever it is given.
        ...{ ackedGeneration: Number.MAX_SAFE_INTEGER, types: {}, userAgent: '' },
      };
      this.state = stepLoop(
        this.state,
        { kind: 'proxyConnected', proxy },
        settings,
        this.nowMs,
      ).state;
    }
  }

  /** Another weight of the first service, in objects that nobody has seen. */
  commit(weight: number): Costs {
    const mesh = structuredClone(meshWith(this.services, weight));
    const revision = { id: `c${weight}`, author: 'ann', title: '', committedAtMs: 0 };
    return this.measure(accepted(revision, [mesh]));
  }

  /** Lets time pass until something else is served; the costs of that tick. */
  step(): Costs {
    const { generation } = this.state;
    for (;;) {
      this.nowMs += bakeMs;
      const costs = this.measure({ kind: 'tick' });
      if (this.state.generation > generation) {
        return costs;
      }
    }
  }

  private measure(event: Parameters<typeof stepLoop>[1]): Costs {
    const before = this.state;
    let begin = cpuMs();
    this.state = stepLoop(before, event, settings, this.nowMs).state;
    const writes = changedSaved(before, this.state);
    const loop = cpuMs() - begin;
    this.storedBytes = writes.reduce((sum, { json }) => sum + (json?.length ?? 0), 0);
    const publication = this.factory.create(this.state);
    const costs = proxyNames.map((name) => {
      begin = cpuMs();
      const snapshot = publication.snapshotFor(proxies[name]);
      const known = this.snapshots.get(name);
      if (snapshot !== undefined) {
        this.snapshots.set(name, snapshot);
        for (const type of known === undefined ? [] : resourceTypes) {
          changedResources(known ?? snapshot, snapshot, type);
        }
      }
      return [name, cpuMs() - begin] as const;
    });
    return { loop, ...(Object.fromEntries(costs) as Record<ProxyName, number>) };
  }
}

/** Processor time, so that a busy machine does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function warm(list: readonly Costs[]): readonly Costs[] {
  return list.slice(Math.floor(list.length * warmUp));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

interface Row {
  readonly medians: readonly number[];
  readonly longest: number;
  readonly storedBytes: number;
}

function rowOf(list: readonly Costs[], storedBytes: number): Row {
  const medians = columns.map((column) => median(warm(list).map((costs) => costs[column])));
  const sums = warm(list).map((costs) => columns.reduce((sum, column) => sum + costs[column], 0));
  return { medians, longest: Math.max(...sums), storedBytes };
}

const rows: { readonly what: string; readonly services: number; readonly row: Row }[] = [];
for (const services of sizes) {
  const bench = new Bench(services);
  bench.commit(100);
  const steps = Array.from({ length: stepsMeasured }, () => bench.step());
  rows.push({ what: 'step', services, row: rowOf(steps, bench.storedBytes) });
  const commits = Array.from({ length: commitsMeasured }, (_, index) => bench.commit(50 + index));
  rows.push({ what: 'commit', services, row: rowOf(commits, bench.storedBytes) });
}
console.log(`| | services | ${columns.join(' | ')} | all in one go, longest | stored bytes |`);
console.log(`| --- | ---: | ${columns.map(() => '---:').join(' | ')} | ---: | ---: |`);
for (const { what, services, row } of rows) {
  const figures = [...row.medians, row.longest].map((value) => value.toFixed(2));
  console.log(`| ${[what, services, ...figures, row.storedBytes].join(' | ')} |`);
}
for (const kind of ['step', 'commit']) {
  const [first, ...others] = rows.filter(({ what }) => what === kind);
  for (const { services, row } of others) {
    const ratios = row.medians.map((value, index) => value / (first?.row.medians[index] ?? 1));
    const texts = columns.map((column, index) => `${column} ${ratios[index]?.toFixed(1)}`);
    console.log(`${kind}, ${services} / ${first?.services} services: ${texts.join(', ')}`);
  }
}
