/**
 * A mesh behind a real xDS server, translated as the controller translates it, without Git and rollouts:
 * what a test publishes is what proxies get.
 */
import { createClock } from '../../controller/clock.js';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import { parseNode } from '../../controller/envoy/identity.js';
import type { Snapshot, SocketAddress } from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import type { ProxyResource, ProxyStatus, PublisherEvent } from '../../controller/loop/ports.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { createXdsServer } from '../../controller/xds/publisher.js';
import { recordingLogger } from './recording-logger.js';
import { meshFromYaml } from './yaml-mesh.js';

export interface ServedMesh {
  readonly xds: SocketAddress;
  /** All so far, oldest first. */
  readonly events: readonly PublisherEvent[];
  /** Resolves when every connected proxy has acknowledged all of it; fails where one refuses any. */
  publish(yaml: string): Promise<void>;
  /** Publishes what `change` makes of each proxy's snapshot, and waits for nobody. */
  publishChanged(yaml: string, change: (snapshot: Snapshot) => Snapshot): void;
  proxies(): readonly ProxyStatus[];
  /** What the proxy `id` is to have and has acknowledged; undefined where it is not connected. */
  resources(id: string): readonly ProxyResource[] | undefined;
  stop(): Promise<void>;
}

/** Serves the mesh of `yaml` at a free port of `address` until it is stopped. */
export async function serveMesh(yaml: string, address = '127.0.0.1'): Promise<ServedMesh> {
  const events: PublisherEvent[] = [];
  let wake = () => {};
  const server = createXdsServer(
    { listen: { address, port: 0 }, loadReportIntervalMs: 100 },
    {
      clock: createClock(),
      logger: recordingLogger(),
      identify: parseNode,
      onEvent: (event) => {
        events.push(event);
        wake();
      },
    },
  );
  let generation = 0;
  const publish = (mesh: Mesh, change = (snapshot: Snapshot) => snapshot) => {
    generation += 1;
    server.publish({
      generation,
      snapshotFor: (proxy) => {
        const made = snapshotFor(mesh, proxy);
        const dangling = made === undefined ? [] : checkSnapshot(made);
        if (dangling.length > 0) {
          throw new Error(dangling.join('; '));
        }
        return made && change(made);
      },
    });
  };
  publish(meshFromYaml(yaml, { mayWarn: true }));
  const acknowledged = async () => {
    while (server.proxies().some((proxy) => proxy.ackedGeneration < generation)) {
      const refused = events.find((event) => event.kind === 'proxyNacked');
      if (refused?.kind === 'proxyNacked') {
        throw new Error(`${refused.resources.join(', ')} refused: ${refused.error}`);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    xds: await server.start(),
    events,
    publish: (next) => {
      publish(meshFromYaml(next, { mayWarn: true }));
      return acknowledged();
    },
    publishChanged: (next, change) => publish(meshFromYaml(next, { mayWarn: true }), change),
    proxies: () => server.proxies(),
    resources: (id) => server.resources(id),
    stop: () => server.stop(0),
  };
}
