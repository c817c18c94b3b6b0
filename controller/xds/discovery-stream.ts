/**
 * One discovery stream of one proxy: its state machine (`stream.ts`), fed with decoded requests and with
 * publications, and emptied into the call as fast as the proxy takes it. At most one message waits in
 * the transport; what is newer is worked out when that one is gone.
 */
import { type ProxyId, proxyId } from '../base/brand.js';
import type { InParts } from '../base/in-parts.js';
import type { ProxyIdentity, ResourceType } from '../envoy/snapshot.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { Call, CallHandler } from './call.js';
import { Gathering } from './gathering.js';
import type { Hub } from './hub.js';
import { excessiveNames } from './name-allowance.js';
import {
  breachOf,
  type DecodedRequest,
  decodeRequest,
  decodeRequestInParts,
  type NodeMessage,
  shortRequestBytes,
  typeOfUrl,
  unreadable,
  userAgentOf,
} from './requests.js';
import { isAnythingDue } from './respond.js';
import { statusByType } from './status.js';
import { createStream, doubtsOf, next, publish, receive, type TypedRequest } from './stream.js';
import { StreamReports } from './stream-reports.js';
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
  private readonly reports: StreamReports;
  private readonly gathering: Gathering;
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
    this.reports = new StreamReports(hub, this);
    this.gathering = new Gathering(hub.deps.clock, () => this.flushIfDue());
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
    const { identity, node } = this;
    return identity === undefined || node === undefined
      ? undefined
      : {
          id: this.id,
          identity,
          address: this.peer,
          connectedAtMs: this.connectedAtMs,
          ackedGeneration: this.state.ackedGeneration,
          types: statusByType(this.state),
          userAgent: userAgentOf(node),
        };
  }

  onMessage(message: Buffer): InParts<void> | undefined {
    if (this.isEnded) {
      return undefined;
    }
    if (message.length > shortRequestBytes) {
      return this.takeInParts(message);
    }
    this.take(message);
    return undefined;
  }

  private take(message: Buffer): void {
    const request = this.read(() => decodeRequest(this.service.variant, message));
    const type = request && this.typeOfAccepted(request);
    const typed = type && this.read(() => request.as(type));
    if (typed !== undefined) {
      this.receive(typed);
    }
  }

  /** The same of a message that may be long. */
  private *takeInParts(message: Buffer): InParts<void> {
    const request = yield* this.readInParts(decodeRequestInParts(this.service.variant, message));
    const type = request && this.typeOfAccepted(request);
    const typed = type && (yield* this.readInParts(request.asInParts(type)));
    if (typed !== undefined && !this.isEnded) {
      this.receive(typed);
    }
  }

  /** Undefined where it cannot be read, which ends the stream. */
  private read<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      return this.rejectUnreadable(error);
    }
  }

  private *readInParts<T>(work: InParts<T>): InParts<T | undefined> {
    try {
      return yield* work;
    } catch (error) {
      return this.rejectUnreadable(error);
    }
  }

  private rejectUnreadable(error: unknown): undefined {
    const { status, message } = unreadable(error);
    this.reject(status, message);
  }

  /** Undefined where the request goes no further: it may not be, or its type is one that others may serve. */
  private typeOfAccepted(request: DecodedRequest): ResourceType | undefined {
    const breach = breachOf(request, this.node, this.service);
    if (breach !== undefined) {
      this.reject('invalidArgument', breach);
      return undefined;
    }
    if (this.node === undefined && !this.connect(request.node ?? {})) {
      return undefined;
    }
    const type = request.typeUrl === '' ? this.service.types[0] : typeOfUrl(request.typeUrl);
    const excess = type && excessiveNames(request, type, this.state, this.hub.streamsAt(this.peer));
    if (excess !== undefined) {
      this.call.askedFor(request.nameCount);
      this.reject('resourceExhausted', excess);
      return undefined;
    }
    return type;
  }

  private receive(request: TypedRequest): void {
    const { state } = this;
    const excess = this.hub.heldNames.excess(request, state.types.get(request.type));
    if (excess !== undefined) {
      this.reject('resourceExhausted', excess);
      return;
    }
    const subscription = state.types.get(request.type)?.subscription;
    const askedBefore = subscription?.askedFor ?? 0;
    this.reports.observe(() => {
      const refusal = receive(state, request, this.hub.deps.clock.now());
      if (refusal !== undefined) {
        this.reports.refused(refusal);
      }
    });
    if (subscription !== undefined) {
      this.hub.heldNames.note(subscription.names);
      this.call.askedFor(subscription.askedFor - askedBefore);
    }
    this.gathering.note(request, this.service);
    if (!this.gathering.isUnderWay) {
      this.flushSoon();
    }
  }

  /** In the turns of its connection. */
  flushSoon(): void {
    this.hub.turns.add(this.call.lane, this);
  }

  onEnd(clean: boolean): void {
    this.hub.remove(this);
    this.isEnded = true;
    if (this.identity !== undefined) {
      this.hub.siblings.remove(this.identity.instance, this);
      this.hub.noteDoubts(this.identity, doubtsOf(this.state));
      this.hub.deps.onEvent({ kind: 'proxyDisconnected', id: this.id, clean });
      this.reports.info('xds.disconnected', { clean });
    }
  }

  /** Takes up the hub's publication. */
  publish(): void {
    this.attempt(() => this.takeUp());
  }

  private takeUp(): void {
    const { identity } = this;
    if (identity === undefined || this.isEnded || !this.hub.mayBeServed(this.call, identity)) {
      return;
    }
    const { snapshot, generation } = this.hub.served(identity);
    this.reports.observe(() => {
      const nowMs = this.hub.deps.clock.now();
      for (const standing of publish(this.state, snapshot, generation, nowMs)) {
        const { type, name, error } = standing;
        this.reports.refused({ type, resources: [name], error, generation });
      }
    });
    this.flushSoon();
  }

  /** Sends what is due, one message at a time. */
  flush(): void {
    this.attempt(() => this.sendNext());
  }

  private sendNext(): void {
    if (this.isEnded || this.gathering.isUnderWay || this.writingSinceMs !== undefined) {
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
      const instance = this.identity?.instance ?? '';
      for (const other of this.hub.siblings.askForReferred(instance, this, { type, resources })) {
        other.flushSoon();
      }
      this.flushIfDue();
    });
  }

  /** Called about once a second: what only time brings. */
  tick(nowMs: number): void {
    this.attempt(() => this.lookAgain(nowMs));
  }

  private lookAgain(nowMs: number): void {
    const { stalledMs } = this.hub.settings;
    if (this.writingSinceMs !== undefined && nowMs - this.writingSinceMs > stalledMs) {
      this.reports.warn('xds.stalled', { forMs: nowMs - this.writingSinceMs });
      this.call.disconnect();
      return;
    }
    this.reports.silence(nowMs);
    this.flushIfDue();
  }

  private flushIfDue(): void {
    if (isAnythingDue(this.state)) {
      this.hub.turns.flush(this.call.lane, this);
    }
  }

  private attempt(work: () => void): void {
    if (!this.hub.attempt(this.call, work)) {
      this.isEnded = true;
    }
  }

  end(): void {
    this.isEnded = true;
    this.call.end('unavailable', 'the control plane is shutting down');
  }

  /** The client has said who it is. False: it may not be. */
  private connect(node: NodeMessage): boolean {
    const { deps } = this.hub;
    if (!this.hub.mayBe(this.call, node.id ?? '')) {
      this.isEnded = true;
      return false;
    }
    this.node = node;
    const peerAddress = this.peer.slice(0, this.peer.lastIndexOf(':'));
    this.identity = deps.identify(node, peerAddress);
    this.hub.siblings.add(this.identity.instance, this);
    this.state.doubts = this.hub.doubtsAbout(this.identity);
    const status = this.status();
    if (status !== undefined) {
      deps.onEvent({ kind: 'proxyConnected', proxy: status });
    }
    this.reports.info('xds.connected', { variant: this.service.variant });
    this.publish();
    return true;
  }

  private reject(status: 'invalidArgument' | 'resourceExhausted', message: string): void {
    this.isEnded = true;
    this.reports.warn('xds.rejected', { status, message });
    this.call.end(status, message);
  }
}
