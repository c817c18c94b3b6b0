/**
 * The product's xDS server, fed by HTTP instead of a mesh, for suites that test or measure xDS servers
 * from outside. A node that was given a state has that; others have the synthetic mesh where there is
 * one, and else are not known, so that their requests wait.
 */
import type { HostPort } from '../base/socket-address.js';
import { parseNode } from '../envoy/identity.js';
import type { ProxyIdentity, Snapshot } from '../envoy/snapshot.js';
import type { Clock, Logger } from '../loop/ports.js';
import { createXdsServer } from '../xds/publisher.js';
import { type ControlServer, startControlServer } from './control-server.js';
import { type NodeState, parseState, stateSnapshot } from './state.js';
import { createSyntheticMesh } from './synthetic.js';

export interface TargetOptions {
  readonly xds: HostPort;
  readonly control: HostPort;
  /** Absent: no synthetic mesh. */
  readonly synthetic?: {
    readonly services: number;
    /** Nodes `node-00000` and following that have it, each a snapshot of its own. Absent: all share one. */
    readonly nodes?: number;
  };
}

export interface Target {
  readonly xds: HostPort;
  readonly control: HostPort;
  stop(): Promise<void>;
}

/** Long enough for a suite to see how streams end one after another, short enough not to hold it up. */
const drainMs = 1_000;

/** As in the product: often enough for a rollout to see load soon. */
const loadReportIntervalMs = 1_000;

/** @throws OpError or Node's error where an address cannot be had. */
export async function startTarget(
  options: TargetOptions,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<Target> {
  const given = new Map<string, NodeState>();
  const states = new Map<string, (kind: ProxyIdentity['kind']) => Snapshot>();
  const mesh = options.synthetic && createSyntheticMesh(options.synthetic.services);
  const server = createXdsServer(
    // Load clients are thousands of proxies at one address.
    { listen: options.xds, loadReportIntervalMs, connectionsPerAddressMax: 20_000 },
    // Who connects and what is refused is in the log; there is no rollout that it could stop.
    { ...deps, identify: parseNode, onEvent: () => {} },
  );
  let generation = 0;
  const publish = (): void => {
    generation += 1;
    const meshFor = mesh && meshSnapshots(() => mesh.snapshot(), options.synthetic?.nodes);
    const served = new Map(states);
    server.publish({
      generation,
      snapshotFor: ({ nodeId, kind }) => served.get(nodeId)?.(kind) ?? meshFor?.(nodeId),
    });
  };
  publish();
  const xds = await server.start();
  let control: ControlServer;
  try {
    control = await startControlServer(options.control, {
      setState(body) {
        const { node, state } = parseState(body, (id) => given.get(id));
        given.set(node, state);
        states.set(node, bothKinds(state));
        publish();
      },
      trigger() {
        if (mesh === undefined) {
          throw new Error('there is no synthetic mesh: start with --services');
        }
        // The answer goes out first: whoever measures counts from when it asked.
        const marker = mesh.trigger();
        setImmediate(publish);
        return { marker };
      },
    });
  } catch (error) {
    await server.stop(0);
    throw error;
  }
  return {
    xds,
    control: control.address,
    async stop() {
      await control.stop();
      await server.stop(drainMs);
    },
  };
}

/** Each kind of client is translated for once, and only where one asks. */
function bothKinds(state: NodeState): (kind: ProxyIdentity['kind']) => Snapshot {
  const snapshots = new Map<ProxyIdentity['kind'], Snapshot>();
  return (kind) => {
    const snapshot = snapshots.get(kind) ?? stateSnapshot(state, kind);
    snapshots.set(kind, snapshot);
    return snapshot;
  };
}

/** The synthetic mesh as each node has it from one publication to the next. */
function meshSnapshots(
  make: () => Snapshot,
  nodes: number | undefined,
): (nodeId: string) => Snapshot | undefined {
  if (nodes === undefined) {
    const shared = make();
    return () => shared;
  }
  const own = new Map<string, Snapshot>();
  return (nodeId) => {
    const number = Number(/^node-(\d{5,})$/.exec(nodeId)?.[1] ?? Number.NaN);
    if (!(number < nodes)) {
      return undefined;
    }
    const snapshot = own.get(nodeId) ?? make();
    own.set(nodeId, snapshot);
    return snapshot;
  };
}
