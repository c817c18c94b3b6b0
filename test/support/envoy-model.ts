/**
 * A dumb Envoy for the pure stream: it wants what Envoy wants, warms clusters as Envoy 1.40 was seen to,
 * answers late and out of turn, and fails the test where it is sent something that would break traffic.
 * Messages lie in two queues; the test decides which of them moves next.
 */
import { assert, present } from '../../controller/base/assert.js';
import type { EncodedResource, ResourceType } from '../../controller/envoy/snapshot.js';
import { type NamedList, namedList } from '../../controller/xds/named-list.js';
import { next, receive, type TypedRequest } from '../../controller/xds/stream.js';
import type { Response, StreamState, Variant } from '../../controller/xds/stream-state.js';
import type { Refusal } from '../../controller/xds/verdict.js';

const types = ['cluster', 'endpoint', 'listener', 'route'] as const;
type ModelType = (typeof types)[number];

interface ModelTypeState {
  readonly held: Map<string, EncodedResource>;
  names: Set<string>;
  nonce: string;
  version: string;
  /** Nonces of responses that the server has sent and had no answer to. */
  readonly unanswered: Set<string>;
}

export interface ModelOptions {
  /** Takes a line for each message, for people to read where a run fails. */
  readonly log: string[];
  readonly variant: Variant;
  readonly stream: StreamState;
  readonly nowMs: () => number;
  /** True for resources that this Envoy refuses. */
  readonly isBad: (resource: EncodedResource) => boolean;
  /** True where its refusals name the bad resource, as Envoy's do for clusters and listeners. */
  readonly isBlaming: boolean;
}

export class EnvoyModel {
  readonly refusals: Refusal[] = [];
  private options: ModelOptions;
  private readonly states = new Map<ModelType, ModelTypeState>();
  private toServer: TypedRequest[] = [];
  private toClient: Response[] = [];
  private readonly startedAtMs: number;
  /** Clusters that wait for endpoints; while there are any, no request for clusters goes out. */
  private readonly warming = new Set<string>();
  private heldBack: TypedRequest | undefined;
  private isInitialised = false;
  private readonly nonces = new Set<string>();
  private readonly refusedVersions = new Set<string>();
  /** By nonce: what counts as refused once the server has read so. */
  private readonly refusedIn = new Map<string, readonly string[]>();
  /** What it has acknowledged is good, also in a response that it refuses. */
  private readonly provedVersions = new Set<string>();

  constructor(options: ModelOptions) {
    this.options = options;
    this.startedAtMs = options.nowMs();
    for (const type of types) {
      this.states.set(type, {
        held: new Map(),
        names: new Set(),
        nonce: '',
        version: '',
        unanswered: new Set(),
      });
    }
  }

  /** The first requests of a stream; on a new one with what it has from before. */
  connect(options: Partial<ModelOptions> = {}): void {
    this.options = { ...this.options, ...options };
    this.toServer = [];
    this.toClient = [];
    this.heldBack = undefined;
    this.nonces.clear();
    this.refusedVersions.clear();
    this.refusedIn.clear();
    for (const type of types) {
      const state = this.of(type);
      state.nonce = '';
      state.unanswered.clear();
      const isRoot = type === 'cluster' || (type === 'listener' && this.isInitialised);
      if (isRoot || state.names.size > 0) {
        this.firstRequest(type);
      }
    }
  }

  held(type: ModelType): readonly string[] {
    const held = [...this.of(type).held.values()];
    return held.map((resource) => `${resource.name}@${resource.version}`).sort();
  }

  canDeliverRequest(): boolean {
    return this.toServer.length > 0;
  }

  canDeliverResponse(): boolean {
    return this.toClient.length > 0;
  }

  /** The server takes in the oldest request. */
  deliverRequest(): void {
    const request = present(this.toServer.shift(), 'request');
    this.options.log.push(`  ← ${describeRequest(request)}`);
    const state = this.of(request.type as ModelType);
    state.unanswered.delete(request.nonce);
    if (request.error !== undefined) {
      for (const label of this.refusedIn.get(request.nonce) ?? []) {
        this.refusedVersions.add(label);
      }
    }
    if (request.kind === 'sotw' && request.nonce === '') {
      // Written before the first response arrived: it is answered beside that.
      state.unanswered.clear();
    }
    const refusal = receive(this.options.stream, request, this.options.nowMs());
    if (refusal !== undefined) {
      this.refusals.push(refusal);
    }
  }

  /** The server sends what it has to send; each response is checked as it leaves. */
  pump(): void {
    const { stream, nowMs } = this.options;
    for (let response = next(stream, nowMs()); response; response = next(stream, nowMs())) {
      this.options.log.push(describeResponse(response));
      this.checkSent(response);
      this.toClient.push(response);
    }
  }

  /** Envoy takes in the oldest response. */
  deliverResponse(): void {
    const response = present(this.toClient.shift(), 'response');
    this.options.log.push(`  Envoy takes ${response.nonce}`);
    const type = response.type as ModelType;
    const state = this.of(type);
    state.nonce = response.nonce;
    const bad = response.resources.filter((resource) => this.options.isBad(resource));
    const isRefused = bad.length > 0;
    const news = response.resources.filter(
      ({ name, version }) => state.held.get(name)?.version !== version,
    );
    this.apply(response, bad);
    if (isRefused) {
      const blamed = this.options.isBlaming ? bad : news;
      const labels = blamed.map(({ name, version }) => `${name}@${version}`);
      this.refusedIn.set(
        response.nonce,
        labels.filter((label) => !this.provedVersions.has(label)),
      );
    } else {
      for (const { name, version } of response.resources) {
        this.provedVersions.add(`${name}@${version}`);
      }
      state.version = response.version;
    }
    const names = bad.map((resource) => `${resource.name}: not valid`).join(', ');
    const error = this.options.isBlaming ? names : 'something is not valid';
    this.answer(type, response.nonce, isRefused ? error : undefined);
    this.follow(type);
    this.checkTraffic();
  }

  private checkSent(response: Response): void {
    const { variant } = this.options;
    const type = response.type as ModelType;
    const state = this.of(type);
    assert(!this.nonces.has(response.nonce), `nonce ${response.nonce} was used twice`);
    this.nonces.add(response.nonce);
    state.unanswered.add(response.nonce);
    // Endpoints and routes of delta are also sent on request, whatever is on its way.
    const isGated = variant === 'sotw' || type === 'cluster' || type === 'listener';
    const isInTime = this.options.nowMs() === this.startedAtMs;
    const { size } = state.unanswered;
    assert(!isGated || !isInTime || size === 1, `${size} responses of ${type} at once`);
    const names = response.resources.map((resource) => resource.name);
    assert(new Set(names).size === names.length, `a name twice in ${names}`);
    assert(variant === 'delta' || response.removed.length === 0, 'removals in state of the world');
    const isPartial = variant === 'sotw' && (type === 'endpoint' || type === 'route');
    assert(!isPartial || names.length > 0, `an empty response of ${type}`);
    for (const resource of response.resources) {
      const label = `${resource.name}@${resource.version}`;
      assert(!this.refusedVersions.has(label), `${type} ${label} was refused and is sent again`);
      for (const reference of resource.references) {
        if (type === 'route' && reference.type === 'cluster') {
          const isThere = this.of('cluster').held.has(reference.name);
          assert(isThere, `route ${resource.name} names ${reference.name}, which Envoy has not`);
        }
      }
    }
  }

  /** No route that Envoy has names a cluster that it has not: those requests would be answered 503. */
  private checkTraffic(): void {
    for (const route of this.of('route').held.values()) {
      for (const { name } of route.references) {
        const isThere = this.of('cluster').held.has(name);
        assert(isThere, `route ${route.name} has lost its cluster ${name}`);
      }
    }
  }

  private apply(response: Response, bad: readonly EncodedResource[]): void {
    const { held } = this.of(response.type as ModelType);
    const isList =
      this.options.variant === 'sotw' &&
      (response.type === 'cluster' || response.type === 'listener');
    const listed = new Set(response.resources.map((resource) => resource.name));
    for (const name of isList ? [...held.keys()] : []) {
      if (!listed.has(name)) {
        held.delete(name);
      }
    }
    for (const name of response.removed) {
      held.delete(name);
    }
    const { names } = this.of(response.type as ModelType);
    const isNamed = response.type === 'endpoint' || response.type === 'route';
    const wanted = response.resources.filter(({ name }) => !isNamed || names.has(name));
    for (const { name } of response.type === 'endpoint' ? wanted : []) {
      // Refused ones end the warming too: the cluster goes on with what it has.
      this.endWarming(name);
    }
    // Envoy takes the good resources of a response that it refuses.
    for (const resource of wanted.filter((each) => !bad.includes(each))) {
      const before = held.get(resource.name);
      held.set(resource.name, resource);
      const [endpoints] = resource.references;
      if (response.type === 'cluster' && before?.version !== resource.version && endpoints) {
        this.warming.add(resource.name);
      }
    }
  }

  private endWarming(endpoints: string): void {
    for (const cluster of this.of('cluster').held.values()) {
      if (cluster.references.some((reference) => reference.name === endpoints)) {
        this.warming.delete(cluster.name);
      }
    }
  }

  /** What Envoy asks for because of what it has just got. */
  private follow(type: ModelType): void {
    for (const name of this.warming) {
      if (!this.of('cluster').held.has(name)) {
        this.warming.delete(name);
      }
    }
    if (type === 'cluster') {
      this.want('endpoint', this.referredFrom('cluster', 'endpoint'), this.warming.size > 0);
    } else if (type === 'listener') {
      this.want('route', this.referredFrom('listener', 'route'), false);
    }
    if (this.warming.size === 0 && this.heldBack !== undefined) {
      this.toServer.push(this.heldBack);
      this.heldBack = undefined;
    }
    if (!this.isInitialised && type !== 'listener' && this.warming.size === 0) {
      this.isInitialised = true;
      this.firstRequest('listener');
    }
  }

  private referredFrom(type: ModelType, to: ResourceType): Set<string> {
    const references = [...this.of(type).held.values()].flatMap((resource) => resource.references);
    return new Set(
      references.filter((reference) => reference.type === to).map((reference) => reference.name),
    );
  }

  private want(type: ModelType, names: Set<string>, isWarming: boolean): void {
    const state = this.of(type);
    const added = [...names].filter((name) => !state.names.has(name));
    const dropped = [...state.names].filter((name) => !names.has(name));
    for (const name of dropped) {
      state.held.delete(name);
    }
    const isFirst = state.names.size === 0 && state.nonce === '';
    state.names = names;
    if (this.options.variant === 'sotw') {
      if (added.length > 0 || dropped.length > 0 || isWarming) {
        this.sendSotw(type, state.nonce);
      }
    } else if (isFirst && added.length > 0) {
      this.firstRequest(type);
    } else if (added.length > 0 || dropped.length > 0) {
      this.toServer.push({
        kind: 'delta',
        type,
        subscribe: namedList(added),
        unsubscribe: namedList(dropped),
        initialVersions: new Map(),
        nonce: '',
      });
    }
  }

  private firstRequest(type: ModelType): void {
    const state = this.of(type);
    if (this.options.variant === 'sotw') {
      this.sendSotw(type, '');
      return;
    }
    this.toServer.push({
      kind: 'delta',
      type,
      subscribe: namedList([...state.names]),
      unsubscribe: namedList([]),
      initialVersions: new Map([...state.held].map(([name, { version }]) => [name, version])),
      nonce: '',
    });
  }

  private answer(type: ModelType, nonce: string, error: string | undefined): void {
    if (this.options.variant === 'sotw') {
      this.sendSotw(type, nonce, error);
      return;
    }
    this.send({
      kind: 'delta',
      type,
      subscribe: namedList([]),
      unsubscribe: namedList([]),
      initialVersions: new Map(),
      nonce,
      ...(error === undefined ? {} : { error }),
    });
  }

  private sendSotw(type: ModelType, nonce: string, error?: string): void {
    const state = this.of(type);
    this.send({
      kind: 'sotw',
      type,
      versionInfo: state.version,
      resourceNames: namedList([...state.names]),
      nonce,
      ...(error === undefined ? {} : { error }),
    });
  }

  private send(request: TypedRequest): void {
    if (request.type === 'cluster' && this.warming.size > 0 && request.nonce !== '') {
      this.heldBack = request;
    } else {
      this.toServer.push(request);
    }
  }

  private of(type: ModelType): ModelTypeState {
    return present(this.states.get(type), type);
  }
}

function describeResponse({ type, nonce, resources, removed }: Response): string {
  const names = resources.map((resource) => String(resource.any)).join(' ');
  return `→ ${type} ${nonce} [${names}] removed [${removed.join(' ')}]`;
}

function describeRequest(request: TypedRequest): string {
  const { type, nonce, error = '' } = request;
  const names =
    request.kind === 'sotw'
      ? textOf(request.resourceNames)
      : `+${textOf(request.subscribe)} -${textOf(request.unsubscribe)}`;
  return `${type} ${nonce} [${names}] ${error}`;
}

function textOf({ names, hasWildcard }: NamedList): string {
  return [...(hasWildcard ? ['*'] : []), ...names].join(' ');
}
