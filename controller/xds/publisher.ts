/** The xDS server as the loop sees it: takes publications, tells of proxies. Start and stop have their order here. */
import type { HostPort } from '../base/socket-address.js';
import type { ResourceType } from '../envoy/snapshot.js';
import type { ProxyResource, Publisher } from '../loop/ports.js';
import { countStreams, largestSets, type SentFigure, type StreamService } from './figures.js';
import { Hub, type XdsDeps } from './hub.js';
import { methodsOf } from './methods.js';
import { proxyResources } from './proxy-resources.js';
import { createGrpcServer } from './server.js';
import { completeSettings, type XdsSettings } from './settings.js';
import { keepVigil, type Vigil } from './vigil.js';

export interface XdsServer extends Publisher {
  /** Asks that were refused since the start, by reason; every reason is there. */
  refusals(): ReadonlyMap<string, number>;
  /** Responses and bytes that were sent since the start, by the type of their resources. */
  sent(): readonly SentFigure[];
  /** Open streams by service; every service is there. */
  streams(): ReadonlyMap<StreamService, number>;
  /** Bytes of the largest set of resources of each type that a connected proxy is served. */
  snapshotBytes(): ReadonlyMap<ResourceType, number>;
  /** The resources of the proxy `id`; undefined where it is not connected. */
  resources(id: string): readonly ProxyResource[] | undefined;
  /**
   * Listens.
   * @throws OpError `xds-listen` where the address cannot be had.
   */
  start(): Promise<HostPort>;
  /**
   * Accepts nothing new, ends the streams one after another over `drainMs`, so that proxies do not go to
   * the next replica in one wave, and resolves when all are gone. Proxies keep what they have.
   */
  stop(drainMs: number): Promise<void>;
}

/** How often what only time brings is looked at: stalled proxies, unanswered responses. */
const tickMs = 1_000;

/** `proxies()` lists a proxy once for each stream; Envoys as `headgate bootstrap` sets them up have one. */
export function createXdsServer(settings: XdsSettings, deps: XdsDeps): XdsServer {
  const complete = completeSettings(settings);
  const hub = new Hub(complete, deps);
  const server = createGrpcServer(complete, methodsOf(hub), {
    ...deps,
    refusals: hub.refusals,
    turns: hub.turns,
    onBroken: (call, error) => hub.broke(call, error),
    onArrival() {
      hub.turns.noteArrival();
      vigil?.alert();
    },
  });
  let cancelTick = (): void => {};
  let vigil: Vigil | undefined;
  const tick = (): void => {
    server.recheck();
    hub.tick();
    cancelTick = deps.clock.after(tickMs, tick);
  };
  return {
    publish: (publication) => hub.publish(publication),
    proxies: () => [...hub.streams].flatMap((stream) => stream.status() ?? []),
    refusals: () => hub.refusals.byReason(),
    sent: () => hub.figures.list(),
    streams: () => countStreams(hub),
    snapshotBytes: () => largestSets(hub),
    resources: (id) => {
      const found = [...hub.streams].find((stream) => stream.id === id);
      return found && proxyResources(found);
    },
    async start() {
      const address = await server.start();
      cancelTick = deps.clock.after(tickMs, tick);
      vigil = keepVigil(deps.clock, () => server.inspect());
      return address;
    },
    async stop(drainMs) {
      cancelTick();
      vigil?.end();
      server.drain(drainMs);
      hub.endStreams(drainMs);
      await server.closed();
    },
  };
}
