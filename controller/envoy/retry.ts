/**
 * App Mesh's retry policies as Envoy's. Where a route has none, App Mesh retries connection failures,
 * refused streams, resets and 503 twice (every account whose first mesh came after 2020-07-29). A retry
 * goes to another endpoint than the one that failed, where there is one.
 */
import type { envoy_config_route_v3_RetryPolicy as EnvoyRetryPolicy } from '../generated/envoy-types.js';
import type { HttpRetryEvent, RetryPolicy } from '../mesh/model.js';
import { packed } from './encode.js';
import { duration, wrapped } from './values.js';

const anotherHost: EnvoyRetryPolicy = {
  retry_host_predicate: [
    {
      name: 'envoy.retry_host_predicates.previous_hosts',
      typed_config: packed(
        'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
        {},
      ),
    },
  ],
  host_selection_retry_max_attempts: 5,
};

const defaultPolicy: EnvoyRetryPolicy = {
  retry_on: 'reset,unavailable,connect-failure,refused-stream,retriable-status-codes',
  retriable_status_codes: [503],
  num_retries: wrapped(2),
  ...anotherHost,
};

const statusCodesOf: Readonly<Record<HttpRetryEvent, readonly number[]>> = {
  'server-error': [500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511],
  'gateway-error': [502, 503, 504],
  'client-error': [409],
  'stream-error': [],
};

/** Undefined where the policy allows no retry at all. */
export function envoyRetryPolicy(policy: RetryPolicy | undefined): EnvoyRetryPolicy | undefined {
  if (policy === undefined) {
    return defaultPolicy;
  }
  if (policy.maxRetries === 0) {
    return undefined;
  }
  const codes = new Set(policy.httpRetryEvents.flatMap((event) => statusCodesOf[event]));
  const timeoutMs = policy.perRetryTimeoutMs;
  return {
    retry_on: conditions(policy, codes.size > 0).join(','),
    retriable_status_codes: codes.size > 0 ? [...codes].sort((a, b) => a - b) : undefined,
    num_retries: wrapped(policy.maxRetries),
    per_try_timeout: timeoutMs > 0 ? duration(timeoutMs) : undefined,
    ...anotherHost,
  };
}

/** In a fixed order, so that the order in the user's file does not matter. */
function conditions(policy: RetryPolicy, hasStatusCodes: boolean): readonly string[] {
  const events = new Set<string>([...policy.httpRetryEvents, ...policy.tcpRetryEvents]);
  const grpcEvents = [...policy.grpcRetryEvents].sort();
  return [
    ...(events.has('server-error') || events.has('gateway-error') ? ['reset'] : []),
    ...(events.has('connection-error') ? ['connect-failure'] : []),
    ...(events.has('stream-error') ? ['refused-stream'] : []),
    ...(hasStatusCodes ? ['retriable-status-codes'] : []),
    ...new Set(grpcEvents),
  ];
}
