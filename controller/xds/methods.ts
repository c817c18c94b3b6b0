/** The gRPC methods of the xDS port by their names, and what serves each. */
import { type ResourceType, resourceTypes } from '../envoy/snapshot.js';
import type { Caller } from './admission.js';
import type { Call, CallHandler } from './call.js';
import { ClientStatusStream, clientStatus } from './client-status.js';
import { type DiscoveryService, DiscoveryStream } from './discovery-stream.js';
import type { Hub } from './hub.js';
import { LoadReportStream } from './load-reports.js';
import { MetricsStream } from './metrics-stream.js';
import type { Methods } from './server.js';

const statusService = 'envoy.service.status.v3.ClientStatusDiscoveryService';

/** The single-type services: their package and the plural in their methods' names. */
const serviceOf: Readonly<
  Record<ResourceType, { readonly name: string; readonly plural: string }>
> = {
  cluster: { name: 'cluster.v3.ClusterDiscoveryService', plural: 'Clusters' },
  endpoint: { name: 'endpoint.v3.EndpointDiscoveryService', plural: 'Endpoints' },
  listener: { name: 'listener.v3.ListenerDiscoveryService', plural: 'Listeners' },
  route: { name: 'route.v3.RouteDiscoveryService', plural: 'Routes' },
  secret: { name: 'secret.v3.SecretDiscoveryService', plural: 'Secrets' },
};

/** Every method, with `hub` behind it. */
export function methodsOf(hub: Hub): Methods {
  return {
    streams: streamMethods(hub),
    unary: new Map([
      [
        `/${statusService}/FetchClientStatus`,
        async (request: Buffer, caller: Caller) => clientStatus(hub, request, caller),
      ],
    ]),
  };
}

function streamMethods(hub: Hub): ReadonlyMap<string, (call: Call) => CallHandler> {
  const discovery =
    (service: DiscoveryService) =>
    (call: Call): CallHandler =>
      new DiscoveryStream(hub, call, service);
  const aggregated = { types: resourceTypes, isAggregated: true } as const;
  const ads = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
  const methods = new Map<string, (call: Call) => CallHandler>([
    [`${ads}/StreamAggregatedResources`, discovery({ variant: 'sotw', ...aggregated })],
    [`${ads}/DeltaAggregatedResources`, discovery({ variant: 'delta', ...aggregated })],
    [
      '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats',
      (call) => new LoadReportStream(hub, call),
    ],
    [
      '/envoy.service.metrics.v3.MetricsService/StreamMetrics',
      (call) => new MetricsStream(hub, call),
    ],
    [`/${statusService}/StreamClientStatus`, (call) => new ClientStatusStream(hub, call)],
  ]);
  for (const type of resourceTypes) {
    const { name, plural } = serviceOf[type];
    const single = { types: [type], isAggregated: false };
    const path = `/envoy.service.${name}`;
    methods.set(`${path}/Stream${plural}`, discovery({ variant: 'sotw', ...single }));
    methods.set(`${path}/Delta${plural}`, discovery({ variant: 'delta', ...single }));
  }
  return methods;
}
