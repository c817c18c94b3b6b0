/**
 * The mesh of the tests that release through a gateway: `edge` of mesh `shop` sends requests to the virtual
 * service `checkout.local`, whose router divides them among the nodes `checkout-v1`, `checkout-v2`….
 */

/** All but the router: gateway, service, nodes and the gateway route, if it is asked for. */
export function checkoutMesh({
  gatewayPort,
  ports,
  listener = '',
  more = [],
}: {
  readonly gatewayPort: number;
  /** By version: where on 127.0.0.1 it answers. */
  readonly ports: Readonly<Record<string, number>>;
  /** Flow-style fields of each node's listener, beside its port: `outlierDetection: { … }`. */
  readonly listener?: string;
  /** Documents beside these. */
  readonly more?: readonly string[];
}): string {
  const fields = ['portMapping: { port: 8080, protocol: http }', ...(listener ? [listener] : [])];
  const nodes = Object.entries(ports).map(
    ([version, port]) => `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: checkout-${version} }
spec:
  listeners: [{ ${fields.join(', ')} }]
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: ${port} }] } }`,
  );
  return [
    'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: shop }',
    `apiVersion: headgate/v1
kind: VirtualGateway
metadata: { name: edge }
spec: { listeners: [{ portMapping: { port: ${gatewayPort}, protocol: http } }] }`,
    `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: checkout.local }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: checkout } } } }`,
    ...nodes,
    ...more,
  ].join('\n---\n');
}

/** The gateway's one route, for requests that fit `match`, in flow style. */
export function checkoutGatewayRoute(match = 'prefix: /'): string {
  return `apiVersion: headgate/v1
kind: GatewayRoute
metadata: { name: checkout }
spec:
  virtualGatewayRef: { name: edge }
  httpRoute:
    match: { ${match} }
    action: { target: { virtualService: { virtualServiceRef: { name: checkout.local } } } }`;
}

/**
 * The router: `weights` by version, as its route `all`. A request to a path below `/fixed` goes to `fixed`, where
 * that is given, whatever the weights.
 */
export function checkoutRouter(
  weights: Readonly<Record<string, number>>,
  { fixed }: { readonly fixed?: string } = {},
): string {
  const routes = [
    ...(fixed === undefined ? [] : [route('fixed', '/fixed', { [fixed]: 1 })]),
    route('all', '/', weights),
  ];
  return `apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: checkout }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  routes:
${routes.join('\n')}`;
}

function route(name: string, prefix: string, weights: Readonly<Record<string, number>>): string {
  const targets = Object.entries(weights).map(
    ([version, weight]) => `{ virtualNodeRef: { name: checkout-${version} }, weight: ${weight} }`,
  );
  return `    - name: ${name}
      httpRoute:
        match: { prefix: ${prefix} }
        action: { weightedTargets: [${targets.join(', ')}] }`;
}

/** The weights by which all of `versions` but `chosen` are given nothing. */
export function allTo(
  chosen: string,
  versions: readonly string[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(versions.map((one) => [one, one === chosen ? 100 : 0]));
}
