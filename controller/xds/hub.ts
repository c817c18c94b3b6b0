/**
 * What the streams of one server share: the publication, the encoder, the clock, and who is connected.
 * Streams that have something to do are flushed in turns, so that a publication to thousands of them
 * never keeps the process from reading requests for long.
 */

import { forgetOldest } from '../base/forget-oldest.js';
import { hashShare } from '../base/hash.js';
import { printable } from '../base/printable.js';
import { SetMap } from '../base/set-map.js';
import { type ProxyIdentity, resourceTypes, type Snapshot } from '../envoy/snapshot.js';
import type { Clock, Logger, Publication, PublisherEvent } from '../loop/ports.js';
import type { Admission } from './admission.js';
import type { Call } from './call.js';
import type { DiscoveryStream } from './discovery-stream.js';
import { type Doubts, noDoubts } from './doubts.js';
import { createResponseEncoder, type ResponseEncoder } from './encode-response.js';
import { Figures } from './figures.js';
import { HeldNames } from './held-names.js';
import { doubtfulProxiesMax } from './limits.js';
import type { LoadReportStream } from './load-reports.js';
import type { MetricsStream } from './metrics-stream.js';
import { RecentSets } from './recent-sets.js';
import { Refusals } from './refusals.js';
import type { NodeMessage } from './requests.js';
import type { CompleteXdsSettings } from './settings.js';
import { Siblings } from './siblings.js';
import { Turns } from './turns.js';

export interface XdsDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called in the order in which things happen, also from within `publish`. */
  onEvent(event: PublisherEvent): void;
  /** Who a node is; `peer` is the address that it connects from, without the port. */
  identify(node: NodeMessage, peer: string): ProxyIdentity;
  /** Who may open streams; undefined: everybody, in plain text. */
  readonly admission?: Admission;
}

/** Of the time that a server takes to stop: the rest is for the last words to arrive. */
const endedWithin = 0.9;

export class Hub {
  readonly settings: CompleteXdsSettings;
  readonly deps: XdsDeps;
  readonly encoder: ResponseEncoder;
  /** In the order in which they connected. */
  readonly streams = new Set<DiscoveryStream>();
  private readonly byPeer = new SetMap<string, DiscoveryStream>();
  readonly recentSets = new RecentSets();
  /** Of the publication: what at least one proxy was given. */
  private given = new Set<Snapshot>();
  readonly siblings = new Siblings<DiscoveryStream>();
  readonly loadReports = new Set<LoadReportStream>();
  readonly refusals: Refusals;
  readonly figures = new Figures();
  readonly heldNames: HeldNames;
  readonly metrics = new Set<MetricsStream>();
  private publication: Publication | undefined;
  /** Streams that may have something to send: what arrives together is answered together. */
  readonly turns: Turns;
  private streamCount = 0;
  /** What the last stream of a proxy left open, by instance. */
  private readonly doubts = new Map<string, Doubts>();

  constructor(settings: CompleteXdsSettings, deps: XdsDeps) {
    this.settings = settings;
    this.deps = deps;
    this.encoder = createResponseEncoder(settings.controlPlane);
    this.refusals = new Refusals(deps);
    this.heldNames = new HeldNames(settings.namesBytesMax);
    this.turns = new Turns(() => performance.now());
  }

  /** A number that no other stream of this process has. */
  nextStreamNumber(): number {
    this.streamCount += 1;
    return this.streamCount;
  }

  publish(publication: Publication): void {
    this.publication = publication;
    this.given = new Set();
    for (const stream of this.streams) {
      stream.publish();
    }
    for (const stream of this.loadReports) {
      stream.tellClusters();
    }
  }

  /**
   * Does `work` for the stream of `call`. False: it threw, which is a bug of ours; that stream is ended, so
   * that its client begins anew, and no other is.
   */
  attempt(call: Call, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.broke(call, error);
      return false;
    }
  }

  /** A bug of ours has shown in what was done for `call`. */
  broke(call: Call, error: unknown): void {
    const { peer, caller } = call;
    this.deps.logger.error('xds.broken', { peer, caller: caller.name, error });
    call.end('internal', 'a bug of the control plane; its log has the place');
  }

  /** Whether the caller may be the node that it says it is. If not, the call is ended. */
  mayBe(call: Call, nodeId: string): boolean {
    const { caller, peer } = call;
    if (caller.mayBe(nodeId)) {
      return true;
    }
    const node = nodeId === '' ? 'a node without an id' : `node ${printable(nodeId).slice(0, 200)}`;
    const message = `${caller.name} may not be ${node}`;
    this.refusals.add({ reason: 'node', peer, caller: caller.name, message });
    call.end(
      'permissionDenied',
      `${message}; correct node.id of the proxy, or the rule or token that says what it may be`,
    );
    return false;
  }

  /** Invariant H10: nothing of a node reaches a caller that may not be that node. */
  mayBeServed(call: Call, { nodeId }: ProxyIdentity): boolean {
    if (call.caller.mayBe(nodeId)) {
      return true;
    }
    const message = `a stream of ${call.caller.name} has come to be node ${nodeId}`;
    this.deps.logger.error('invariant.violated', { invariant: 'H10', message });
    call.end('permissionDenied', 'the caller may not be this node');
    return false;
  }

  tick(): void {
    const nowMs = this.deps.clock.now();
    for (const stream of this.streams) {
      stream.tick(nowMs);
    }
  }

  /**
   * Ends all streams within `overMs`: peers one after another, at equal distances and in no order that they
   * know, and all streams of a peer at once, so that it goes to another replica once and not in a wave.
   */
  endStreams(overMs: number): void {
    const byPeer = new Map<string, { end(): void }[]>();
    for (const stream of [...this.streams, ...this.loadReports, ...this.metrics]) {
      const streams = byPeer.get(stream.peer) ?? [];
      streams.push(stream);
      byPeer.set(stream.peer, streams);
    }
    const peers = [...byPeer].sort(([a], [b]) => hashShare(a) - hashShare(b));
    for (const [place, [, streams]] of peers.entries()) {
      this.deps.clock.after((place / peers.length) * endedWithin * overMs, () => {
        for (const stream of streams) {
          stream.end();
        }
      });
    }
  }

  /** What the proxy is to be served, and the publication that says so. */
  served(identity: ProxyIdentity): { readonly snapshot?: Snapshot; readonly generation: number } {
    const snapshot = this.publication?.snapshotFor(identity);
    if (snapshot !== undefined && !this.given.has(snapshot)) {
      this.given.add(snapshot);
      for (const type of resourceTypes) {
        this.recentSets.add(type, snapshot[type]);
      }
    }
    return { snapshot, generation: this.publication?.generation ?? 0 };
  }

  /** A stream of the proxy has ended. */
  noteDoubts({ instance }: ProxyIdentity, doubts: Doubts): void {
    this.doubts.delete(instance);
    if (doubts.size > 0) {
      this.doubts.set(instance, doubts);
    }
    forgetOldest(this.doubts, doubtfulProxiesMax);
  }

  doubtsAbout({ instance }: ProxyIdentity): Doubts {
    return this.doubts.get(instance) ?? noDoubts;
  }

  add(stream: DiscoveryStream): void {
    this.streams.add(stream);
    this.byPeer.add(stream.peer, stream);
  }

  remove(stream: DiscoveryStream): void {
    this.streams.delete(stream);
    this.byPeer.remove(stream.peer, stream);
    for (const { subscription } of stream.state.types.values()) {
      this.heldNames.drop(subscription.names);
    }
  }

  /** The streams on the connection from `peer`, in the order in which they were opened. */
  streamsAt(peer: string): Iterable<DiscoveryStream> {
    return this.byPeer.under(peer);
  }

  /** The stream of the same proxy: on the same connection, of the same node where several share it. */
  findStream(peer: string, nodeId: string): DiscoveryStream | undefined {
    const onConnection = [...this.streamsAt(peer)];
    return onConnection.findLast((stream) => stream.nodeId === nodeId) ?? onConnection.at(-1);
  }
}
