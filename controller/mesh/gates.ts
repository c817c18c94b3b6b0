/**
 * The gates of a rollout policy: one question each, with its limit. Where a gate asks the outside, it
 * names a provider, and what that is (its URL, its credentials) only the operator's configuration says.
 */

/** What no verdict means when a step has baked. */
export type NoData = 'wait' | 'pass' | 'fail';

export type Gate =
  | SuccessRateGate
  | CompareGate
  | LatencyGate
  | HealthGate
  | QueryGate
  | HttpGate
  | GrpcGate
  | ApprovalGate
  | ManualGate;

/** What gates of every kind have. */
export interface GateOptions {
  /** Unique in the policy. */
  readonly name: string;
  /** True: its verdicts are shown and decide nothing. Undefined: false. */
  readonly dryRun?: boolean;
  /** Progress of the steps that it is asked at, or of the first of them; neither: every step. */
  readonly at?: readonly number[];
  readonly from?: number;
  /** In place of the policy's. */
  readonly failureLimit?: number;
  readonly errorLimit?: number;
  readonly noData?: NoData;
}

/** Share of answers that are no server errors (5xx), from Envoy's load reports. */
export interface SuccessRateGate extends GateOptions {
  readonly kind: 'successRate';
  /** Percent, 0 to 100. */
  readonly min: number;
  readonly windowMs: number;
  /** Fewer requests in the window give no verdict. */
  readonly minRequests: number;
}

/**
 * The canary against what serves beside it, by a sequential test (`rollout/judge/`): it fails once the
 * canary is proven worse, and passes once it is proven good enough for its step.
 */
export interface CompareGate extends GateOptions {
  readonly kind: 'compare';
  /** Share of answers that are server errors, or that are slow. */
  readonly metric: 'errorRate' | 'latency';
  /** Only for latencies: what is slow. Undefined: slower than 99 % of the baseline's were before. */
  readonly slowerThanMs?: number;
  /**
   * What the canary is compared with: all that serves beside it, or a part of the stable endpoints' requests
   * as large as its own, counted apart.
   */
  readonly baseline: 'stable' | 'dedicated';
  /** Percentage points by which the canary may be worse. */
  readonly margin: number;
  /** Probability at most that a rollout with a canary that is no worse fails. 0 to 1, both excluded. */
  readonly alpha: number;
  /** Probability at most that a step is left with a rate of `maxRate` or above. 0 to 1, both excluded. */
  readonly beta: number;
  /** Percent; undefined: by the step's share of the traffic (`capAt`). */
  readonly maxRate?: number;
}

/** How long answers take at a quantile, from Envoy's histograms. At least one limit. */
export interface LatencyGate extends GateOptions {
  readonly kind: 'latency';
  /** 0 to 1, both excluded. */
  readonly quantile: number;
  readonly maxMs?: number;
  /** Times what the baseline takes in the same window; says nothing where no baseline serves. */
  readonly maxRatioToBaseline?: number;
  readonly windowMs: number;
  /** Of the canary and, for a ratio, of the baseline; fewer in the window give no verdict. */
  readonly minRequests: number;
}

/** The part of the canary's endpoints that its callers' proxies take for healthy. */
export interface HealthGate extends GateOptions {
  readonly kind: 'health';
  /** Percent, above 0. */
  readonly min: number;
}

/** The kinds of gates that ask a provider, and the kind of provider that each of them needs. */
export const providerKinds = { query: 'prometheus', http: 'http', grpc: 'grpc' } as const;

export type ProviderKind = (typeof providerKinds)[keyof typeof providerKinds];

/** A provider as the mesh repository may know it. */
export interface ProviderName {
  readonly name: string;
  readonly kind: ProviderKind;
}

/** A gate that asks the outside, once every `intervalMs`. */
export interface MeasuredOptions extends GateOptions {
  readonly provider: string;
  readonly intervalMs: number;
}

export type MeasuredGate = QueryGate | HttpGate | GrpcGate;

export function isMeasured(gate: Gate): gate is MeasuredGate {
  return Object.hasOwn(providerKinds, gate.kind);
}

/** What a number must be; both ends are allowed values. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** An instant query of a Prometheus-compatible server, which answers one number. */
export interface QueryGate extends MeasuredOptions, Bounds {
  readonly kind: 'query';
  /** With names in double braces (`gate-template.ts`). */
  readonly query: string;
  /** What `{{ window }}` stands for; asked first when so much time has passed since the acknowledgement. */
  readonly windowMs: number;
}

/** A request to somebody's own judge or smoke test. */
export interface HttpGate extends MeasuredOptions {
  readonly kind: 'http';
  readonly method: 'GET' | 'POST';
  /** Below the provider's URL; begins with a slash; with names in double braces. */
  readonly path: string;
  /** Status codes that pass; empty: any 2xx. */
  readonly statuses: readonly number[];
  /** Undefined: the status alone decides. */
  readonly json?: JsonCondition;
  /** True: what passed is not asked again at the same step. */
  readonly once: boolean;
  /** Undefined: the provider's. */
  readonly timeoutMs?: number;
}

/**
 * True where `path` could lead out of the URL that it is below: by a segment of dots, written plainly or
 * in percent form, which URLs resolve.
 */
export function leavesBase(path: string): boolean {
  const [beforeQuery = ''] = path.split('?', 1);
  return beforeQuery.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment));
}

/** What must stand in a JSON answer: the bounds are for a number, `equals` for any one value. */
export interface JsonCondition extends Bounds {
  /** RFC 6901; empty: the whole answer. */
  readonly pointer: string;
  readonly equals?: string | number | boolean;
}

/** gRPC's own health check (grpc.health.v1). */
export interface GrpcGate extends MeasuredOptions {
  readonly kind: 'grpc';
  /** Empty: the server as a whole. */
  readonly service: string;
}

/** A person says that the step may be left. Each step is asked about anew. */
export interface ApprovalGate extends GateOptions {
  readonly kind: 'approval';
  /** What that person is to look at. */
  readonly text?: string;
}

/** The rollout is held at the step until a person lets it go; from then on it is held no more. */
export interface ManualGate extends GateOptions {
  readonly kind: 'manual';
  readonly text?: string;
}
