/** A mesh `books` in which `web` calls the versions of one gRPC service, `ratings.local`. */

export interface RatingsNode {
  /** Where on 127.0.0.1 the version answers. */
  readonly port: number;
  readonly weight: number;
}

/** With the versions v1, v2… of `nodes`; `more` are documents that stand beside it. */
export function ratingsMesh(nodes: readonly RatingsNode[], more: readonly string[] = []): string {
  const versions = nodes.map(
    ({ port }, index) => `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ratings-v${index + 1} }
spec:
  listeners: [{ portMapping: { port: 9090, protocol: grpc } }]
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: ${port} }] } }`,
  );
  const targets = nodes.map(
    ({ weight }, index) => `{ virtualNodeRef: { name: ratings-v${index + 1} }, weight: ${weight} }`,
  );
  return [
    'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: books }',
    `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web }
spec: { backends: [{ virtualService: { virtualServiceRef: { name: ratings.local } } }] }`,
    `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: ratings.local }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: ratings } } } }`,
    `apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: ratings }
spec:
  listeners: [{ portMapping: { port: 9090, protocol: grpc } }]
  routes:
    - name: main
      grpcRoute:
        match: { serviceName: books.Ratings }
        action: { weightedTargets: [${targets.join(', ')}] }`,
    ...versions,
    ...more,
  ].join('\n---\n');
}
