/**
 * A gate of a policy in the model's terms: durations in milliseconds, defaults filled in. A new kind is a
 * line in the table. What its schema cannot say is checked in `check-gate.ts`.
 */
import { present } from '../base/assert.js';
import type * as yaml from '../generated/schema-types.js';
import type { Gate, GateOptions } from '../mesh/gates.js';
import {
  compareDefaults,
  gateMinRequests,
  healthDefaultMin,
  latencyDefaults,
} from '../mesh/policy-defaults.js';
import { goDurationMs } from './go-duration.js';

/** A scrape interval of Prometheus: asked more often it would say the same again. */
const defaultInterval = '15s';

type Kind = Gate['kind'];
type KindOf<Name extends Kind> = Extract<Gate, { kind: Name }>;
type Own<Name extends Kind> = Omit<KindOf<Name>, 'kind' | keyof GateOptions>;
type Written = { readonly [Name in Kind]: NonNullable<yaml.Gate[Name]> };

const decoders: { readonly [Name in Kind]: (written: Written[Name]) => Own<Name> } = {
  successRate: ({ min, window = '1m', minRequests = gateMinRequests }) => ({
    min,
    windowMs: goDurationMs(window),
    minRequests,
  }),
  compare: ({ metric, slowerThan, baseline, margin, alpha, beta, maxRate }) => ({
    metric,
    slowerThanMs: slowerThan === undefined ? undefined : goDurationMs(slowerThan),
    baseline: baseline ?? compareDefaults.baseline,
    margin: margin ?? compareDefaults.margin,
    alpha: alpha ?? compareDefaults.alpha,
    beta: beta ?? compareDefaults.beta,
    maxRate,
  }),
  latency: ({ quantile, max, maxRatioToBaseline, window = '1m', minRequests }) => ({
    quantile: quantile ?? latencyDefaults.quantile,
    maxMs: max === undefined ? undefined : goDurationMs(max),
    maxRatioToBaseline,
    windowMs: goDurationMs(window),
    minRequests: minRequests ?? latencyDefaults.minRequests,
  }),
  health: ({ min }) => ({ min: min ?? healthDefaultMin }),
  query: ({ provider, query, min, max, window = '1m', interval = defaultInterval }) => ({
    provider,
    query,
    min,
    max,
    windowMs: goDurationMs(window),
    intervalMs: goDurationMs(interval),
  }),
  http: ({
    provider,
    method = 'GET',
    path,
    status = [],
    json,
    timeout,
    once = false,
    interval,
  }) => ({
    provider,
    method,
    path,
    statuses: status,
    json: json === undefined ? undefined : { ...json, pointer: json.pointer ?? '' },
    once,
    timeoutMs: timeout === undefined ? undefined : goDurationMs(timeout),
    intervalMs: goDurationMs(interval ?? defaultInterval),
  }),
  grpc: ({ provider, service = '', interval = defaultInterval }) => ({
    provider,
    service,
    intervalMs: goDurationMs(interval),
  }),
  approval: ({ text }) => ({ text }),
  manual: ({ text }) => ({ text }),
};

const kinds = Object.keys(decoders) as readonly Kind[];

/** `written`, which has exactly one kind: its schema says so. */
export function decodeGate(written: yaml.Gate): Gate {
  const { name, dryRun, at, from, failureLimit, errorLimit, noData } = written;
  const options: GateOptions = { name, dryRun, at, from, failureLimit, errorLimit, noData };
  const kind = kinds.find((each) => written[each] !== undefined);
  // The kind and its own fields belong together, as the table's type says.
  return { kind, ...options, ...decodeOwn(present(kind, 'a kind of gate'), written) } as Gate;
}

function decodeOwn<Name extends Kind>(kind: Name, written: yaml.Gate): Own<Name> {
  return decoders[kind](written[kind] as Written[Name]);
}
