/**
 * One discovery stream of one proxy: its state machine (`stream.ts`), fed with decoded requests and with
 * publications, and emptied into the call as fast as the proxy takes it. At most one message waits in
 * the transport; what is newer is worked out when that one is gone.
 */
import { type ProxyId, proxyId } from '../base/brand.js';
import { errorText } from '../base/op-error.js';
import type { ProxyIdentity, ResourceType } from '../envoy/snapshot.js';
import type { ProxyStatus, ProxyTypeStatus } from '../loop/ports.js';
import type { Call, CallHandler } from './call.js';
import type { Hub } from './hub.js';
import { burstMs, nodeBytesMax } from './limits.js';
import { excessiveNames } from './name-allowance.js';
import { nodeBytes } from './node-size.js';
import {
  type DecodedRequest,
  decodeRequest,
  type NodeMessage,
  typeOfUrl,
  userAgentOf,
} from './requests.js';
import type { Sent } from './siblings.js';
import { createStream, doubtsOf, next, publish, receive, type TypedRequest } from './stream.js';
import type { StreamState, Variant } from './stream-state.js';

export interface DiscoveryService {
  readonly variant: Variant;
  /** All types on the aggregated service; the others serve one, which their requests need not name. */
  readonly types: readonly ResourceType[];
  readonly isAggregated: boolean;
}

export class DiscoveryStream implements CallHandler {
  readonly id: ProxyId;
  readonly state: StreamState;
  node: NodeMessage | undefined;
  private readonly hub: Hub;
  private readonly call: Call;
  readonly service: DiscoveryService;
  private readonly connectedAtMs: number;
  private identity: ProxyIdentity | undefined;
  /** When the message that the transport still holds was written. */
  private writingSinceMs: number | undefined;
  private readonly silentNonces = new Map<ResourceType, string>();
  private gathering: 'not yet' | 'now' | 'done' = 'not yet';
  private isEnded = false;

  constructor(hub: Hub, call: Call, service: DiscoveryService) {
    const number = hub.nextStreamNumber();
    this.hub = hub;
    this.call = call;
    this.service = service;
    this.connectedAtMs = hub.deps.clock.now();
    this.id = proxyId(`proxy-${number}${hub.settings.idSuffix}`);
    this.state = createStream(
      {
        variant: service.variant,
        types: service.types,
        noncePrefix: `${number}-`,
        ackTimeoutMs: hub.settings.ackTimeoutMs,
        findSet: (type, version) => hub.recentSets.find(type, version),
        findLatest: (type, name) => hub.recentSets.findLatest(type, name),
        keepSet: (type, set) => hub.recentSets.add(type, set),
      },
      this.connectedAtMs,
    );
    hub.add(this);
  }

  get peer(): string {
    return this.call.peer;
  }

  get nodeId(): string {
    return this.identity?.nodeId ?? '';
  }

  /** Undefined until the proxy has said who it is. */
  status(): ProxyStatus | undefined {
    const { identity, node, state } = this;
    if (identity === undefined || node === undefined) {
      return undefined;
    }
    const types: Partial<Record<ResourceType, ProxyTypeStatus>> = {};
    for (const typeState of state.types.values()) {
      if (typeState.isRequested) {
        types[typeState.type] = typeState.status;
      }
    }
    return {
      id: this.id,
      identity,
      address: this.peer,
      connectedAtMs: this.connectedAtMs,
      ackedGeneration: state.ackedGeneration,
      types,
      userAgent: userAgentOf(node),
    };
  }

  onMessage(message: Buffer): void {
    if (this.isEnded) {
      return;
    }
    let request: DecodedRequest;
    try {
      request = decodeRequest(this.service.variant, message);
    } catch (error) {
      this.reject('invalidArgument', `the request cannot be read: ${errorText(error)}`);
      return;
    }
    if (this.node === undefined && nodeBytes(this.service.variant, message) > nodeBytesMax) {
      this.reject('resourceExhausted', `the node takes more than ${nodeBytesMax} bytes`);
      return;
    }
    const type = this.typeOf(request);
    if (this.isEnded || !this.isIdentified(request) || type === undefined) {
      // The type is one that others may serve; what this stream serves goes on.
      return;
    }
    const { hub, state } = this;
    const excess = excessiveNames(request, type, state, hub.streamsAt(this.peer));
    if (excess !== undefined) {
      this.call.askedFor(request.nameCount);
      this.reject('resourceExhausted', excess);
      return;
    }
    let typed: TypedRequest;
    try {
      typed = request.as(type);
    } catch (error) {
      this.reject('invalidArgument', `the request cannot be read: ${errorText(error)}`);
      return;
    }
    const askedBefore = state.types.get(type)?.subscription.askedFor ?? 0;
    this.observe(() => {
      const refusal = receive(this.state, typed, this.hub.deps.clock.now());
      if (refusal !== undefined) {
        this.reportRefusal(refusal.type, refusal.resources, refusal.error, refusal.generation);
      }
    });
    this.call.askedFor((state.types.get(type)?.subscription.askedFor ?? 0) - askedBefore);
    if (!this.isGathering(typed)) {
      this.hub.turns.add(this);
    }
  }

  onEnd(clean: boolean): void {
    this.hub.remove(this);
    this.isEnded = true;
    if (this.identity !== undefined) {
      this.hub.siblings.remove(this.identity.instance, this);
      this.hub.noteDoubts(this.identity, doubtsOf(this.state));
      this.hub.deps.onEvent({ kind: 'proxyDisconnected', id: this.id, clean });
      this.hub.deps.logger.info('xds.disconnected', this.about({ clean }));
    }
  }

  /** Takes up the hub's publication. */
  publish(): void {
    const { identity } = this;
    if (identity === undefined || this.isEnded || !this.mayBeServed(identity)) {
      return;
    }
    const { snapshot, generation } = this.hub.served(identity);
    this.observe(() => {
      const nowMs = this.hub.deps.clock.now();
      for (const standing of publish(this.state, snapshot, generation, nowMs)) {
        this.reportRefusal(standing.type, [standing.name], standing.error, generation);
      }
    });
    this.hub.turns.add(this);
  }

  /** Invariant H10: nothing of a node reaches a caller that may not be that node. */
  private mayBeServed({ nodeId }: ProxyIdentity): boolean {
    if (this.call.caller.mayBe(nodeId)) {
      return true;
    }
    const message = `a stream of ${this.call.caller.name} has come to be node ${nodeId}`;
    this.hub.deps.logger.error('invariant.violated', { invariant: 'H10', message });
    this.call.end('permissionDenied', 'the caller may not be this node');
    return false;
  }

  /** Sends what is due, one message at a time. */
  flush(): void {
    if (this.isEnded || this.gathering === 'now' || this.writingSinceMs !== undefined) {
      return;
    }
    const nowMs = this.hub.deps.clock.now();
    const response = next(this.state, nowMs);
    if (response === undefined) {
      return;
    }
    this.writingSinceMs = nowMs;
    const { type } = response;
    const resources = this.state.types.get(type)?.inFlight.at(-1)?.fresh ?? [];
    const message = this.hub.encoder.encode(response);
    const bytes = message.reduce((sum, part) => sum + part.length, 0);
    this.hub.figures.sent(type, bytes);
    this.call.write(message, () => {
      this.writingSinceMs = undefined;
      // Not before: the proxy is to hear of what it warms first.
      for (const other of this.siblingsThatFollow({ type, resources })) {
        this.hub.turns.add(other);
      }
      this.flush();
    });
  }

  private siblingsThatFollow(sent: Sent): readonly DiscoveryStream[] {
    const { identity } = this;
    return identity === undefined
      ? []
      : this.hub.siblings.askForReferred(identity.instance, this, sent);
  }

  /** Called about once a second: what only time brings. */
  tick(nowMs: number): void {
    const { stalledMs } = this.hub.settings;
    if (this.writingSinceMs !== undefined && nowMs - this.writingSinceMs > stalledMs) {
      this.hub.deps.logger.warn('xds.stalled', this.about({ forMs: nowMs - this.writingSinceMs }));
      this.call.disconnect();
      return;
    }
    this.reportSilence(nowMs);
    this.flush();
  }

  end(): void {
    this.isEnded = true;
    this.call.end('unavailable', 'the control plane is shutting down');
  }

  /**
   * A proxy that comes back sends the first requests of all types in one burst. Until they have come, it
   * is not known which routes it has, so no removal of clusters can be judged.
   */
  private isGathering(request: TypedRequest): boolean {
    const comesBack =
      request.kind === 'sotw' ? request.versionInfo !== '' : request.initialVersions.size > 0;
    if (this.gathering === 'not yet' && comesBack && this.service.isAggregated) {
      this.gathering = 'now';
      this.hub.deps.clock.after(burstMs, () => {
        this.gathering = 'done';
        this.flush();
      });
    } else if (this.gathering === 'not yet') {
      this.gathering = 'done';
    }
    return this.gathering === 'now';
  }

  /** Undefined where the request is of a type that is not served here; that must not end the stream. */
  private typeOf({ typeUrl }: DecodedRequest): ResourceType | undefined {
    const { isAggregated, types } = this.service;
    if (typeUrl !== '') {
      return typeOfUrl(typeUrl);
    }
    if (isAggregated) {
      this.reject('invalidArgument', 'type_url is empty, which an aggregated stream needs');
    }
    return types[0];
  }

  /** Only the first request is bound to say who the proxy is, whatever its type. */
  private isIdentified({ node }: DecodedRequest): boolean {
    if (this.node === undefined && node === undefined) {
      this.reject('invalidArgument', 'node is empty in the first request of the stream');
      return false;
    }
    if (this.node !== undefined) {
      const isSame = node === undefined || (node.id ?? '') === (this.node.id ?? '');
      if (!isSame) {
        this.reject('invalidArgument', `node.id is ${node.id}, and was ${this.node.id} before`);
      }
      return isSame;
    }
    if (!this.hub.mayBe(this.call, node?.id ?? '')) {
      this.isEnded = true;
      return false;
    }
    this.node = node;
    this.connect(node);
    return true;
  }

  private connect(node: NodeMessage | undefined): void {
    const { deps } = this.hub;
    const peerAddress = this.peer.slice(0, this.peer.lastIndexOf(':'));
    this.identity = deps.identify(node ?? {}, peerAddress);
    this.hub.siblings.add(this.identity.instance, this);
    this.state.doubts = this.hub.doubtsAbout(this.identity);
    const status = this.status();
    if (status !== undefined) {
      deps.onEvent({ kind: 'proxyConnected', proxy: status });
    }
    this.hub.deps.logger.info('xds.connected', this.about({ variant: this.service.variant }));
    this.publish();
  }

  /** Runs `change` and says so where the proxy has now acknowledged a newer generation. */
  private observe(change: () => void): void {
    const before = this.state.ackedGeneration;
    change();
    const status = this.state.ackedGeneration > before ? this.status() : undefined;
    if (status !== undefined) {
      this.hub.deps.onEvent({ kind: 'proxyAcked', proxy: status });
    }
  }

  private reportRefusal(
    type: ResourceType,
    resources: readonly string[],
    error: string,
    generation: number,
  ): void {
    const proxy = this.status();
    if (proxy !== undefined) {
      this.hub.deps.onEvent({ kind: 'proxyNacked', proxy, type, resources, error, generation });
      this.hub.deps.logger.warn('xds.refused', this.about({ type, resources, error, generation }));
    }
  }

  /** A response that is unanswered for long is said once: the proxy is stuck, or warms something. */
  private reportSilence(nowMs: number): void {
    for (const { type, inFlight } of this.state.types.values()) {
      const oldest = inFlight[0];
      const isSilent =
        oldest !== undefined && nowMs - oldest.sentAtMs >= this.hub.settings.ackTimeoutMs;
      if (isSilent && this.silentNonces.get(type) !== oldest.nonce) {
        this.silentNonces.set(type, oldest.nonce);
        const resources = oldest.resources.slice(0, 5).map((resource) => resource.name);
        this.hub.deps.logger.warn(
          'xds.unanswered',
          this.about({ type, resources, forMs: nowMs - oldest.sentAtMs }),
        );
      }
    }
  }

  private reject(status: 'invalidArgument' | 'resourceExhausted', message: string): void {
    this.isEnded = true;
    this.hub.deps.logger.warn('xds.rejected', this.about({ status, message }));
    this.call.end(status, message);
  }

  /** `fields` of a log line with those that say which proxy it is about. */
  private about(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return { proxy: this.id, node: this.nodeId, peer: this.peer, ...fields };
  }
}
