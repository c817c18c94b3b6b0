/**
 * What one proxy is to be given: resources of each xDS type, each encoded once to bytes, each with a
 * content hash as its version. `envoy` makes them, `xds` sends them and never looks inside.
 */

export const resourceTypes = ['cluster', 'endpoint', 'listener', 'route', 'secret'] as const;

/** The order is the order of make-before-break (xDS protocol, "Eventual consistency considerations"). */
export type ResourceType = (typeof resourceTypes)[number];

/** `type.googleapis.com/` and this is the type URL. */
export const protoTypeOf: Readonly<Record<ResourceType, string>> = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  endpoint: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'envoy.config.listener.v3.Listener',
  route: 'envoy.config.route.v3.RouteConfiguration',
  secret: 'envoy.extensions.transport_sockets.tls.v3.Secret',
};

export interface EncodedResource {
  readonly name: string;
  /**
   * Content hash of `any`, or of the parts that it is put together from: the same content has the same version
   * on every replica, for ever.
   */
  readonly version: string;
  /** The encoded `google.protobuf.Any` (type_url and value) of the resource. */
  readonly any: Buffer;
  /**
   * Names of resources that this one refers to (a listener's route configurations, a route's
   * clusters, a cluster's endpoints): what must be acknowledged before this may be sent.
   */
  readonly references: readonly ResourceReference[];
}

export interface ResourceReference {
  readonly type: ResourceType;
  readonly name: string;
  /** Of a secret: what for. */
  readonly use?: SecretUse;
}

/** A certificate with its key, to show; or authorities, to check others by. */
export type SecretUse = 'certificate' | 'trust';

export interface ResourceSet {
  /** Hash over the names and versions of `byName`. */
  readonly version: string;
  /** In code-unit order of the names. */
  readonly byName: ReadonlyMap<string, EncodedResource>;
  /** The set that this one was made from, which was made from no other and has the same names; and where they differ. */
  readonly patch?: { readonly base: ResourceSet; readonly names: readonly string[] };
}

/** Identical content is the identical object wherever possible: the cache compares by identity first. */
export type Snapshot = Readonly<Record<ResourceType, ResourceSet>>;

/** What is known of a proxy when it connects. */
export interface ProxyIdentity {
  /** As the proxy sent it. */
  readonly nodeId: string;
  /** Undefined where the node id has not App Mesh's form. */
  readonly resource?: {
    readonly mesh: string;
    readonly kind: 'VirtualNode' | 'VirtualGateway';
    readonly name: string;
  };
  /** Stable over reconnects: what a proxy's place in the order of waves is computed from. */
  readonly instance: string;
  /** Where its listeners go; undefined: App Mesh's 0.0.0.0:15000 and 0.0.0.0:15001, original destination. */
  readonly ingress?: SocketAddress;
  readonly egress?: SocketAddress;
  /** The IP address at which others reach it: what it announces as an endpoint of its virtual node. */
  readonly announce?: string;
  /** gRPC clients with xDS built in get API listeners. */
  readonly kind: 'envoy' | 'grpc';
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}
