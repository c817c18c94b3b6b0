/**
 * The mesh as the rest of the program sees it: decoded, defaulted, linked, immutable and plain JSON, so
 * that it can be stored, compared and hashed as it is. Durations are milliseconds; a field that the
 * user left out holds its default here, so left out and set to the default are the same bytes later.
 * Names and meanings are App Mesh's (API reference 2019-01-25; user guide); lists of resources are
 * sorted by name. Every reference resolves: `resolveMeshes` reports the others.
 */
import { findByName } from './by-name.js';
import type { Gate, NoData } from './gates.js';
import type { DrawnBy, Mirror, RequestMatch, SetCookie, Sticky } from './strategies.js';

export type ResourceKind =
  | 'Mesh'
  | 'VirtualNode'
  | 'VirtualService'
  | 'VirtualRouter'
  | 'VirtualGateway'
  | 'GatewayRoute'
  | 'RolloutPolicy';

/** What names a resource in the whole repository. */
export interface ResourceRef {
  readonly mesh: string;
  readonly kind: ResourceKind;
  readonly name: string;
}

/** `<mesh>/<Kind>/<name>`: a map key and the form that logs, the API and the store use. */
export function resourceKey(ref: ResourceRef): string {
  return `${ref.mesh}/${ref.kind}/${ref.name}`;
}

/** What `resourceKey` made `key` of; no name has a slash in it. */
export function resourceOfKey(key: string): ResourceRef {
  const [mesh = '', kind = '', name = ''] = key.split('/');
  return { mesh, kind: kind as ResourceKind, name };
}

export interface Mesh {
  readonly name: string;
  readonly settings: MeshSettings;
  readonly virtualNodes: readonly VirtualNode[];
  readonly virtualServices: readonly VirtualService[];
  readonly virtualRouters: readonly VirtualRouter[];
  readonly virtualGateways: readonly VirtualGateway[];
  readonly gatewayRoutes: readonly GatewayRoute[];
  readonly rolloutPolicies: readonly RolloutPolicy[];
}

export type Resource =
  | MeshSettings
  | VirtualNode
  | VirtualService
  | VirtualRouter
  | VirtualGateway
  | GatewayRoute
  | RolloutPolicy;

export interface Labels {
  readonly [name: string]: string;
}

export type Protocol = 'http' | 'http2' | 'grpc' | 'tcp';
export type IpPreference = 'IPv4_PREFERRED' | 'IPv6_PREFERRED' | 'IPv4_ONLY' | 'IPv6_ONLY';

export interface MeshSettings {
  readonly kind: 'Mesh';
  readonly name: string;
  readonly labels: Labels;
  /** App Mesh's default is DROP_ALL. */
  readonly egressFilter: 'ALLOW_ALL' | 'DROP_ALL';
  /** Undefined: App Mesh's mixed behaviour, IPv6 first for DNS with IPv4 as fallback. */
  readonly ipPreference?: IpPreference;
  /** Account id of a shared mesh: its Envoys' node ids say `mesh/<mesh>@<owner>/…`. */
  readonly meshOwner?: string;
}

// Virtual nodes

export interface VirtualNode {
  readonly kind: 'VirtualNode';
  readonly name: string;
  readonly labels: Labels;
  readonly listeners: readonly Listener[];
  /** Undefined: nothing can be routed to it; it only calls. */
  readonly serviceDiscovery?: ServiceDiscovery;
  /** Names of virtual services, sorted; each exists in the mesh. */
  readonly backends: readonly Backend[];
  readonly backendDefaults?: ClientPolicy;
  readonly accessLog?: AccessLog;
}

export interface Listener {
  /** 1 to 65535. */
  readonly port: number;
  readonly protocol: Protocol;
  readonly healthCheck?: HealthCheck;
  readonly outlierDetection?: OutlierDetection;
  readonly connectionPool?: ConnectionPool;
  readonly timeout?: Timeout;
  readonly tls?: ListenerTls;
}

export type ServiceDiscovery =
  | {
      readonly kind: 'dns';
      readonly hostname: string;
      /** LOADBALANCER uses one address of the answer, ENDPOINTS all. */
      readonly responseType: 'LOADBALANCER' | 'ENDPOINTS';
      readonly ipPreference?: IpPreference;
    }
  | { readonly kind: 'static'; readonly endpoints: readonly StaticEndpoint[] }
  /** Connected Envoys of the node are its endpoints. */
  | { readonly kind: 'announced' };

export interface StaticEndpoint {
  /** An IP address. */
  readonly address: string;
  readonly port: number;
}

export interface Backend {
  readonly virtualService: string;
  readonly clientPolicy?: ClientPolicy;
}

export interface HealthCheck {
  readonly protocol: Protocol;
  /** Only http and http2. */
  readonly path?: string;
  readonly port: number;
  /** 2 to 10 */
  readonly healthyThreshold: number;
  /** 2 to 10 */
  readonly unhealthyThreshold: number;
  /** 5000 to 300000 */
  readonly intervalMs: number;
  /** 2000 to 60000 */
  readonly timeoutMs: number;
}

export interface OutlierDetection {
  readonly maxServerErrors: number;
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  /** 0 to 100 */
  readonly maxEjectionPercent: number;
}

export interface ConnectionPool {
  readonly maxConnections?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
}

/** 0 switches a timeout off; undefined is the protocol's default. */
export interface Timeout {
  readonly perRequestMs?: number;
  readonly idleMs?: number;
}

export interface ListenerTls {
  readonly mode: 'STRICT' | 'PERMISSIVE' | 'DISABLED';
  readonly certificate: TlsCertificate;
  readonly validation?: TlsValidation;
}

export type TlsCertificate =
  | { readonly kind: 'file'; readonly certificateChain: string; readonly privateKey: string }
  | { readonly kind: 'sds'; readonly secretName: string };

export interface TlsValidation {
  readonly trust:
    | { readonly kind: 'file'; readonly certificateChain: string }
    | { readonly kind: 'sds'; readonly secretName: string };
  /** Exact names, sorted; empty: no check of names. */
  readonly subjectAlternativeNames: readonly string[];
}

export interface ClientPolicy {
  readonly tls?: {
    readonly enforce: boolean;
    /** Empty: every port. */
    readonly ports: readonly number[];
    readonly certificate?: TlsCertificate;
    readonly validation: TlsValidation;
  };
}

export interface AccessLog {
  readonly path: string;
  readonly format?:
    | {
        readonly kind: 'json';
        readonly entries: readonly { readonly key: string; readonly value: string }[];
      }
    | { readonly kind: 'text'; readonly text: string };
}

// Virtual services and routers

export interface VirtualService {
  readonly kind: 'VirtualService';
  /** The host name that callers use. */
  readonly name: string;
  readonly labels: Labels;
  /** Undefined: the service answers 404. */
  readonly provider?:
    | { readonly kind: 'virtualNode'; readonly virtualNode: string }
    | { readonly kind: 'virtualRouter'; readonly virtualRouter: string };
}

export interface VirtualRouter {
  readonly kind: 'VirtualRouter';
  readonly name: string;
  readonly labels: Labels;
  readonly listeners: readonly { readonly port: number; readonly protocol: Protocol }[];
  /** In the order in which they are tried: by priority, then by specificity, then by name. */
  readonly routes: readonly Route[];
}

export interface Route {
  readonly name: string;
  /** 0 to 1000; 0 is tried first; 1000 where the user gave none. */
  readonly priority: number;
  readonly protocol: Protocol;
  readonly match: RouteMatch;
  /**
   * At least one, sorted by virtual node and port. In an effective mesh in the order in which Envoy's draw
   * goes through them, which may name a target several times.
   */
  readonly targets: readonly WeightedTarget[];
  readonly retryPolicy?: RetryPolicy;
  readonly timeout?: Timeout;
  /** Only in an effective mesh: which part of the route's requests this is; undefined: the rest, or all. */
  readonly part?: RoutePart;
  /** Only in an effective mesh: what weights are drawn by; undefined: chance. */
  readonly drawnBy?: DrawnBy;
  /** Only in an effective mesh: set by each answer, with the request's id as its value. */
  readonly setCookie?: SetCookie;
}

/** Requests that match a step's conditions; that are copied; of clients that have a cookie of the rollout. */
export type RoutePart = 'match' | 'mirror' | 'returning';

export interface RouteMatch {
  /** The router's port that the route belongs to; undefined: every port of the route's protocol. */
  readonly port?: number;
  /** http and http2 only. */
  readonly path?: PathMatch;
  readonly method?: string;
  readonly scheme?: 'http' | 'https';
  /** Also gRPC's metadata. Sorted by name. */
  readonly headers: readonly HeaderMatch[];
  readonly queryParameters: readonly { readonly name: string; readonly exact?: string }[];
  /** gRPC only. */
  readonly grpcService?: string;
  readonly grpcMethod?: string;
}

export type PathMatch =
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'exact'; readonly exact: string }
  /** RE2 syntax, matched against the whole path. */
  | { readonly kind: 'regex'; readonly regex: string };

export interface HeaderMatch {
  readonly name: string;
  readonly invert: boolean;
  readonly match: ValueMatch;
}

export type ValueMatch =
  | { readonly kind: 'present' }
  | { readonly kind: 'exact'; readonly exact: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | { readonly kind: 'suffix'; readonly suffix: string }
  | { readonly kind: 'regex'; readonly regex: string }
  /** `start` inclusive, `end` exclusive. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

export interface WeightedTarget {
  readonly virtualNode: string;
  /** The node's listener port: always filled in. */
  readonly port: number;
  /** 0 to 100 as written; relative to the route's other weights. 0 to 10,000 in an effective mesh. */
  readonly weight: number;
  /** Only in an effective mesh: the node once more, as what its canary is compared with. */
  readonly role?: 'baseline';
  /** Only in an effective mesh: of 10,000 requests so many are sent to it once more, as copies. */
  readonly copies?: number;
}

export interface RetryPolicy {
  readonly maxRetries: number;
  readonly perRetryTimeoutMs: number;
  readonly httpRetryEvents: readonly HttpRetryEvent[];
  readonly tcpRetryEvents: readonly 'connection-error'[];
  readonly grpcRetryEvents: readonly GrpcRetryEvent[];
}

export type HttpRetryEvent = 'server-error' | 'gateway-error' | 'client-error' | 'stream-error';
export type GrpcRetryEvent =
  | 'cancelled'
  | 'deadline-exceeded'
  | 'internal'
  | 'resource-exhausted'
  | 'unavailable';

// Virtual gateways

export interface VirtualGateway {
  readonly kind: 'VirtualGateway';
  readonly name: string;
  readonly labels: Labels;
  /** At least one; http, http2 or grpc; no timeout and no outlier detection. */
  readonly listeners: readonly Listener[];
  readonly backendDefaults?: ClientPolicy;
  readonly accessLog?: AccessLog;
}

export interface GatewayRoute {
  readonly kind: 'GatewayRoute';
  readonly name: string;
  readonly labels: Labels;
  readonly virtualGateway: string;
  readonly protocol: 'http' | 'http2' | 'grpc';
  readonly priority: number;
  readonly match: RouteMatch & {
    readonly hostname?:
      | { readonly kind: 'exact'; readonly exact: string }
      | { readonly kind: 'suffix'; readonly suffix: string };
  };
  readonly target: { readonly virtualService: string; readonly port?: number };
  readonly rewrite: {
    /** False keeps the host name that the client sent. Default true: the virtual service's name. */
    readonly hostnameToTarget: boolean;
    readonly path:
      | { readonly kind: 'none' }
      /** App Mesh's default: the matched prefix becomes `/`. */
      | { readonly kind: 'prefix'; readonly value: string }
      | { readonly kind: 'exact'; readonly exact: string };
  };
}

// Rollout policies

export interface RolloutPolicy extends RolloutTerms {
  readonly kind: 'RolloutPolicy';
  readonly name: string;
  readonly labels: Labels;
  readonly selector: RolloutSelector;
  /** At least one; progress rises with each that gives it, and ends at 100. */
  readonly steps: readonly RolloutStep[];
  /** True: what one commit changes of all that the policy governs is one rollout. */
  readonly atomic: boolean;
}

/** What a policy says of each rollout that it governs, besides its steps. */
export interface RolloutTerms {
  /** True: the steps are those of blue and green. Undefined: they are the policy's own. */
  readonly isBlueGreen?: true;
  /** Undefined: each request is drawn anew. */
  readonly sticky?: Sticky;
  readonly gates: readonly Gate[];
  /** The rollout fails at this many failed verdicts of one gate. From 1. */
  readonly failureLimit: number;
  /** So many errors of one gate in a row lead to `onError`; undefined: the step waits. From 1. */
  readonly errorLimit?: number;
  readonly onError: 'pause' | 'rollback';
  readonly noData: NoData;
  /** Time that one step may take from its entry to its completion. */
  readonly stepDeadlineMs: number;
  readonly onStepDeadline: 'rollback' | 'pause' | 'promote';
  readonly onFailure: 'rollback' | 'pause';
  /** Time that the whole may take; undefined: any. */
  readonly maxDurationMs?: number;
  readonly onMaxDuration: 'rollback' | 'pause' | 'promote';
  /** When steps may be entered; undefined: always. */
  readonly windows?: RolloutWindows;
  /** Names of policies: nothing that they govern may be left to do when a rollout starts. */
  readonly after: readonly string[];
  readonly onSupersede: OnSupersede;
  /** Within which a way back takes no steps; undefined: never. */
  readonly rollbackWindow?: RollbackWindow;
  readonly proxies: ProxyQuorum;
}

/** What a newer commit does to a rollout under way whose resources it changes. */
export type OnSupersede = 'restart' | 'continue' | 'finish';

/** At least one of the two; both must hold. */
export interface RollbackWindow {
  /** Rollouts of the same resources since. From 1. */
  readonly revisions?: number;
  /** Since it was served last. */
  readonly withinMs?: number;
}

/** Who must have acknowledged a step before it bakes. */
export interface ProxyQuorum {
  /** Percent of the connected proxies concerned, once the deadline has passed. */
  readonly quorum: number;
  /** Until then all of them are waited for; undefined: the controller's own time. */
  readonly deadlineMs?: number;
}

/** A step is entered inside an `allow` (any time, where there are none) and outside every `freeze`. */
export interface RolloutWindows {
  readonly allow: readonly AllowWindow[];
  readonly freeze: readonly FreezeWindow[];
}

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/** Hours of the week by the clocks of `timeZone`; a `to` that is not after `from` is on the next day. */
export interface AllowWindow {
  readonly days: readonly Weekday[];
  /** `09:00`. */
  readonly from: string;
  /** `16:30`, up to `24:00`. */
  readonly to: string;
  readonly timeZone: string;
}

export interface FreezeWindow {
  /** `2026-12-20T18:00` by the clocks of `timeZone`; the first minute. */
  readonly from: string;
  /** The first minute after it. */
  readonly to: string;
  readonly timeZone: string;
  readonly reason?: string;
}

/** Everything empty and `isDefault`: the mesh's default policy. */
export interface RolloutSelector {
  readonly isDefault: boolean;
  readonly virtualRouters: readonly string[];
  readonly virtualNodes: readonly string[];
  readonly virtualGateways: readonly string[];
  readonly matchLabels: Labels;
}

export interface RolloutStep {
  /** 0 to 100, in percent of the way from applied to desired; that of the step before where it gives none. */
  readonly progress: number;
  /** From this step on; undefined: as in the step before. */
  readonly match?: RequestMatch;
  /** In this step alone; only at progress 0. */
  readonly mirror?: Mirror;
  readonly bakeMs: number;
  /** True: a person approves before the step is entered. */
  readonly approval: boolean;
}

/** The resource of `mesh` that `ref` names, or undefined. */
export function findResource(
  mesh: Mesh,
  ref: Pick<ResourceRef, 'kind' | 'name'>,
): Resource | undefined {
  return findByName(resourcesOf(mesh, ref.kind), ref.name);
}

/** All resources of one kind, sorted by name. */
export function resourcesOf(mesh: Mesh, kind: ResourceKind): readonly Resource[] {
  switch (kind) {
    case 'Mesh':
      return [mesh.settings];
    case 'VirtualNode':
      return mesh.virtualNodes;
    case 'VirtualService':
      return mesh.virtualServices;
    case 'VirtualRouter':
      return mesh.virtualRouters;
    case 'VirtualGateway':
      return mesh.virtualGateways;
    case 'GatewayRoute':
      return mesh.gatewayRoutes;
    case 'RolloutPolicy':
      return mesh.rolloutPolicies;
  }
}
