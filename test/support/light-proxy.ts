/**
 * A proxy without traffic: over one delta ADS stream it asks for what Envoy would ask for, acknowledges
 * what it is told to, keeps what it has when its stream ends, and counts the bytes that it is sent. It
 * costs a thousandth of an Envoy, so tests can have many, on any replica.
 */
import { decodeMessage, encodeMessage } from '../../controller/envoy/encode.js';
import { type ResourceType, resourceTypes } from '../../controller/envoy/snapshot.js';
import { struct } from '../../controller/envoy/values.js';
import { until } from './until.js';
import { adsPath, type RawStream, typeUrl, XdsClient } from './xds-client.js';

export interface LightProxyOptions {
  /** Answers each response: undefined accepts it, a text refuses it. */
  readonly judge?: (type: ResourceType, names: readonly string[]) => string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** True: a stream that is lost is opened again, at the same place, as Envoy does. */
  readonly reconnects?: boolean;
}

/** Soon, and not in a tight loop. */
const retryMs = 100;

type Target = { readonly address: string; readonly port: number };
type Json = Readonly<Record<string, unknown>>;

/** What is asked for by name, in this order: what the clusters and the listeners refer to. */
const namedTypes = ['endpoint', 'route'] as const;
type NamedType = (typeof namedTypes)[number];

export class LightProxy {
  /** Of discovery responses since the last `connect`. */
  bytes = 0;
  /** Resources that came since the last `connect`, as `type name`. */
  received: string[] = [];
  /** By type and name. */
  readonly held = new Map<ResourceType, Map<string, { version: string; resource: Json }>>(
    resourceTypes.map((type) => [type, new Map()]),
  );
  readonly refused: string[] = [];
  /** Its routes' weights since it was made, each as it was first held. */
  readonly weightsHeld: string[] = [];
  /** Names that this stream is subscribed to. */
  private readonly subscribed = new Map<NamedType, ReadonlySet<string>>();
  private client: XdsClient | undefined;
  private stream: RawStream | undefined;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    readonly nodeId: string,
    private readonly options: LightProxyOptions = {},
  ) {}

  get isConnected(): boolean {
    return this.stream !== undefined;
  }

  /**
   * Opens a stream to `target`, with the versions of all that it has. As Envoy does, it asks again for all
   * that its clusters and listeners refer to, also for what it never got: who has the clusters already is
   * not sent them again, and nothing else would make it ask.
   */
  connect(target: Target): void {
    this.disconnect();
    this.bytes = 0;
    this.received = [];
    const client = new XdsClient(target);
    const stream = client.open(adsPath.delta);
    this.client = client;
    this.stream = stream;
    stream.call.on('data', (message: Buffer) => {
      if (this.stream === stream) {
        this.take(message);
      }
    });
    const lost = () => {
      if (this.stream === stream) {
        this.stream = undefined;
        client.close();
        if (this.options.reconnects === true) {
          this.retry = setTimeout(() => this.connect(target), retryMs).unref();
        }
      }
    };
    stream.call.on('error', lost);
    stream.call.on('end', lost);
    const node = {
      id: this.nodeId,
      cluster: 'test',
      user_agent_name: 'light',
      ...(this.options.metadata === undefined ? {} : { metadata: struct(this.options.metadata) }),
    };
    this.send('cluster', { ...this.versionsOf('cluster'), node });
    this.subscribed.clear();
    for (const type of namedTypes) {
      this.subscribe(type, this.versionsOf(type));
    }
    this.send('listener', this.versionsOf('listener'));
  }

  /** As a killed process does: without a word. */
  disconnect(): void {
    const { stream, client } = this;
    clearTimeout(this.retry);
    this.stream = undefined;
    this.client = undefined;
    stream?.call.cancel();
    client?.close();
  }

  /** The weights of a route's clusters, as this proxy has them: `a=90 b=10`. */
  weights(): string {
    const found: string[] = [];
    for (const { resource } of this.mapOf('route').values()) {
      walk(resource, (value) => {
        const { name, weight } = value;
        if (typeof name === 'string' && typeof weight === 'object' && weight !== null) {
          found.push(`${name.split('_')[3] ?? name}=${(weight as { value?: number }).value ?? 0}`);
        }
      });
    }
    return found.sort().join(' ');
  }

  async untilHeld(what: string, isIt: (proxy: LightProxy) => boolean): Promise<void> {
    await until(`${this.nodeId}: ${what}`, () => isIt(this));
  }

  private mapOf(type: ResourceType) {
    return this.held.get(type) ?? new Map<string, { version: string; resource: Json }>();
  }

  private versionsOf(type: ResourceType) {
    const versions = [...this.mapOf(type)].map(([name, { version }]) => [name, version] as const);
    return { initial_resource_versions: Object.fromEntries(versions) };
  }

  private send(type: ResourceType, message: Json): void {
    this.stream?.call.write(
      encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
        type_url: typeUrl(type),
        ...message,
      }),
    );
  }

  private take(message: Buffer): void {
    const response = decodeMessage('envoy.service.discovery.v3.DeltaDiscoveryResponse', message);
    const type = resourceTypes.find((one) => typeUrl(one) === response.type_url);
    if (type === undefined) {
      return;
    }
    this.bytes += message.length;
    const resources = response.resources ?? [];
    const names = resources.map(({ name = '' }) => name);
    this.received.push(...names.map((name) => `${type} ${name}`));
    const refusal = this.options.judge?.(type, names);
    if (refusal !== undefined) {
      this.refused.push(...names);
      this.send(type, {
        response_nonce: response.nonce,
        error_detail: { code: 3, message: refusal },
      });
      return;
    }
    const map = this.mapOf(type);
    for (const { name = '', version = '', resource } of resources) {
      map.set(name, { version, resource: (resource ?? {}) as Json });
    }
    for (const name of response.removed_resources ?? []) {
      map.delete(name);
    }
    this.send(type, { response_nonce: response.nonce });
    if (type === 'route' && this.weights() !== this.weightsHeld.at(-1)) {
      this.weightsHeld.push(this.weights());
    }
    if (type === 'cluster' || type === 'listener') {
      this.subscribe(type === 'cluster' ? 'endpoint' : 'route');
    }
  }

  /** Asks for what is referred to from now on, and gives up what is not any more. */
  private subscribe(type: NamedType, versions: Json = {}): void {
    const before = this.subscribed.get(type) ?? new Set();
    const wanted = this.referredTo(type);
    const added = [...wanted].filter((name) => !before.has(name));
    const gone = [...before].filter((name) => !wanted.has(name));
    this.subscribed.set(type, wanted);
    for (const name of gone) {
      this.mapOf(type).delete(name);
    }
    if (added.length > 0 || gone.length > 0) {
      this.send(type, {
        resource_names_subscribe: added,
        resource_names_unsubscribe: gone,
        ...versions,
      });
    }
  }

  private referredTo(type: NamedType): ReadonlySet<string> {
    const names = new Set<string>();
    const add = (name: unknown) => {
      if (typeof name === 'string' && name !== '') {
        names.add(name);
      }
    };
    if (type === 'endpoint') {
      for (const [name, { resource }] of this.mapOf('cluster')) {
        const { service_name } = (resource.eds_cluster_config ?? {}) as Json;
        add(resource.type === 'EDS' ? service_name || name : undefined);
      }
    } else {
      for (const { resource } of this.mapOf('listener').values()) {
        walk(resource, ({ route_config_name }) => add(route_config_name));
      }
    }
    return names;
  }
}

function walk(value: unknown, see: (value: Json) => void): void {
  if (Array.isArray(value)) {
    for (const one of value) {
      walk(one, see);
    }
  } else if (typeof value === 'object' && value !== null) {
    see(value as Json);
    walk(Object.values(value), see);
  }
}
