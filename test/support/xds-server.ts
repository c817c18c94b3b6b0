/** A real xDS server on a free loopback port, fed with snapshots by node id. */
import { createClock } from '../../controller/clock.js';
import type { ProxyIdentity, Snapshot } from '../../controller/envoy/snapshot.js';
import type { Clock, PublisherEvent } from '../../controller/loop/ports.js';
import type { Admission } from '../../controller/xds/admission.js';
import { createXdsServer, type XdsServer } from '../../controller/xds/publisher.js';
import type { XdsSettings } from '../../controller/xds/settings.js';
import { type LogLine, type RecordingLogger, recordingLogger } from './recording-logger.js';
import { until } from './until.js';
import { XdsClient } from './xds-client.js';
import { identityOf, type SnapshotWords, snapshotOf } from './xds-snapshots.js';

export interface TestServer {
  /** The one that runs now. */
  readonly server: XdsServer;
  readonly address: { readonly address: string; readonly port: number };
  readonly events: readonly PublisherEvent[];
  readonly logger: RecordingLogger;
  /** Of the newest publication. */
  generation(): number;
  /** Publishes: the node's snapshot from now on; the other nodes keep theirs. */
  serve(nodeId: string, snapshot: Snapshot | SnapshotWords | undefined): void;
  /** The first event that `isIt` accepts, past ones too. */
  event<E extends PublisherEvent>(isIt: (event: PublisherEvent) => event is E): Promise<E>;
  /** Resolves once `isTrue`, which is asked after every event. */
  until(isTrue: () => boolean): Promise<void>;
  /** Resolves once the server has logged such a line. */
  untilLogged(isIt: (line: LogLine) => boolean): Promise<void>;
  /** Resolves once `isTrue`, which is asked every few milliseconds: for what no event tells. */
  untilStatus(isTrue: () => boolean): Promise<void>;
  /** A client with a connection of its own, closed with the server. */
  client(): XdsClient;
  /** Stops the server and starts one that knows nothing, at the same address. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestServer(
  settings: Partial<XdsSettings> = {},
  clock: Clock = createClock(),
  admission?: Admission,
): Promise<TestServer> {
  const events: PublisherEvent[] = [];
  const clients: XdsClient[] = [];
  const snapshots = new Map<string, Snapshot>();
  const logger = recordingLogger();
  let waiting: (() => void)[] = [];
  let generation = 0;
  const create = (port: number): XdsServer =>
    createXdsServer(
      { listen: { address: '127.0.0.1', port }, loadReportIntervalMs: 100, ...settings },
      {
        clock,
        logger,
        admission,
        identify: (node): ProxyIdentity => identityOf(node.id ?? ''),
        onEvent: (event) => {
          events.push(event);
          const wake = waiting;
          waiting = [];
          for (const resolve of wake) {
            resolve();
          }
        },
      },
    );
  let server = create(0);
  const address = await server.start();
  const untilEvent = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) {
      await new Promise<void>((resolve, reject) => {
        const kinds = () => events.map((event) => event.kind).join(', ');
        const timer = setTimeout(() => reject(new Error(`events so far: ${kinds()}`)), 30_000);
        waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  };
  return {
    get server() {
      return server;
    },
    address,
    events,
    logger,
    until: untilEvent,
    generation: () => generation,
    serve(nodeId, given) {
      if (given === undefined) {
        snapshots.delete(nodeId);
      } else {
        snapshots.set(nodeId, 'cluster' in given ? given : snapshotOf(given));
      }
      generation += 1;
      const served = new Map(snapshots);
      server.publish({ generation, snapshotFor: (proxy) => served.get(proxy.nodeId) });
    },
    async event(isIt) {
      await untilEvent(() => events.some(isIt));
      return events.find(isIt) ?? Promise.reject(new Error('the event has gone'));
    },
    untilLogged: (isIt) => until('the line is logged', () => logger.lines.some(isIt)),
    untilStatus: (isTrue) => until('the status is as expected', isTrue),
    client() {
      const client = new XdsClient(address);
      clients.push(client);
      return client;
    },
    async restart() {
      await server.stop(0);
      snapshots.clear();
      server = create(address.port);
      await server.start();
    },
    async stop() {
      for (const client of clients) {
        client.close();
      }
      await server.stop(0);
    },
  };
}
