/**
 * What gateway routes refer to: a gateway with a listener for them, a virtual service with a port for
 * them, and routes behind it that one hop can carry out together with the gateway's own. App Mesh let
 * every mismatch of these in.
 */
import { canonicalJson } from '../base/hash.js';
import { providerOf } from './check-calls.js';
import { combineRoutes } from './combine-routes.js';
import type { DeclaredRouter, FieldPath, MeshDocument } from './document.js';
import type { GatewayRoute, Listener, Protocol } from './model.js';
import { compareGatewayRoutes, orderMatch } from './order.js';
import { renderOrigin } from './origins.js';
import { declared, lookUp, type Scope } from './scope.js';

type Port = Pick<Listener, 'port' | 'protocol'>;

export function checkGatewayRoutes(scope: Scope): void {
  const reached: ReachedRoute[] = [];
  for (const [document, route] of declared(scope, 'GatewayRoute')) {
    const path = ['spec', `${route.protocol}Route`];
    const listener = findListener(scope, document, path, route);
    if (listener !== undefined) {
      reached.push({ document, route, port: listener.port });
    }
    checkTarget(scope, document, path, route);
  }
  reportUnreached(scope, reached);
}

/** The gateway's listener that `route` is for; undefined, and a problem, where there is none. */
function findListener(
  scope: Scope,
  document: MeshDocument,
  path: FieldPath,
  route: GatewayRoute,
): Port | undefined {
  const name = route.virtualGateway;
  const namePath = ['spec', 'virtualGatewayRef', 'name'];
  const gateway = lookUp(scope, document, namePath, { kind: 'VirtualGateway', name });
  if (gateway === undefined) {
    return undefined;
  }
  const { port } = route.match;
  const allowed = gateway.listeners.map(renderPort).join(', ');
  if (port === undefined && gateway.listeners.length > 1) {
    const text = `VirtualGateway ${name} has several listeners (${allowed}); add match.port`;
    scope.report(document, 'HG0407', [...path, 'match'], text, { allowed });
    return undefined;
  }
  const listener = gateway.listeners.find(
    (each) => each.protocol === route.protocol && each.port === (port ?? each.port),
  );
  if (listener === undefined) {
    const wanted = port === undefined ? route.protocol : `${route.protocol} on port ${port}`;
    const text =
      `it is of ${wanted}, and VirtualGateway ${name} listens for ${allowed}; use one of ` +
      'these, or add a listener';
    const field = port === undefined ? path : [...path, 'match', 'port'];
    scope.report(document, 'HG0405', field, text, { found: wanted, allowed });
  }
  return listener;
}

function checkTarget(
  scope: Scope,
  document: MeshDocument,
  path: FieldPath,
  route: GatewayRoute,
): void {
  const { virtualService: name, port } = route.target;
  const targetPath = [...path, 'action', 'target'];
  const namePath = [...targetPath, 'virtualService', 'virtualServiceRef', 'name'];
  const service = lookUp(scope, document, namePath, { kind: 'VirtualService', name });
  const provider = service && providerOf(scope, service);
  if (provider === undefined || provider.listeners.length === 0) {
    return;
  }
  const allowed = provider.listeners.map(renderPort).join(', ');
  if (port === undefined && provider.listeners.length > 1) {
    const text = `VirtualService ${name} has several ports (${allowed}); add port to the target`;
    scope.report(document, 'HG0407', targetPath, text, { allowed });
    return;
  }
  const found = provider.listeners.find((each) => each.port === (port ?? each.port));
  if (found === undefined) {
    const text = `VirtualService ${name} has no port ${port}, only ${allowed}`;
    const details = { found: String(port), allowed };
    scope.report(document, 'HG0408', [...targetPath, 'port'], text, details);
  } else if (!isCarried(route.protocol, found.protocol)) {
    const text =
      `VirtualService ${name} speaks ${found.protocol} on port ${found.port}, and the gateway ` +
      `route is of ${route.protocol}; both must speak the same`;
    const details = { found: found.protocol, allowed: route.protocol };
    scope.report(document, 'HG0406', namePath, text, details);
  } else if (provider.kind === 'VirtualRouter') {
    checkBehind(scope, document, path, { route, router: provider, port: found });
  }
}

/** A proxy turns http into http2 and back; what gRPC needs, trailers and a status, http lacks. */
function isCarried(route: Protocol, target: Protocol): boolean {
  const isHttp = (protocol: Protocol) => protocol === 'http' || protocol === 'http2';
  return route === target || (isHttp(route) && isHttp(target));
}

/** Whether the router's routes can be joined with `route`, and whether any of them is ever met. */
function checkBehind(
  scope: Scope,
  document: MeshDocument,
  path: FieldPath,
  behind: { readonly route: GatewayRoute; readonly router: DeclaredRouter; readonly port: Port },
): void {
  const { route, router, port } = behind;
  const candidates = router.routes.filter(
    ({ protocol, match }) =>
      protocol === port.protocol && (match.port === undefined || match.port === port.port),
  );
  let isMet = candidates.length === 0;
  for (const { name, match } of candidates) {
    const combined = combineRoutes(route, match);
    if (combined.kind === 'refused') {
      const text = `route ${name} of VirtualRouter ${router.name} ${combined.reason}`;
      scope.report(document, 'HG0412', path, text, { found: name });
    }
    isMet ||= combined.kind === 'refused' || combined.routes.length > 0;
  }
  if (!isMet) {
    const text =
      `no route of VirtualRouter ${router.name} matches what the gateway sends it, so every ` +
      'request is answered 404; the router sees the path and host name as they are rewritten';
    scope.report(document, 'HG0413', path, text, { found: router.name });
  }
}

interface ReachedRoute {
  readonly document: MeshDocument;
  readonly route: GatewayRoute;
  /** The gateway's, also where the route names none. */
  readonly port: number;
}

/** Routes whose match is another's that is tried before them. */
function reportUnreached(scope: Scope, reached: readonly ReachedRoute[]): void {
  const firstByMatch = new Map<string, MeshDocument>();
  for (const { document, route, port } of reached.toSorted((left, right) =>
    compareGatewayRoutes(left.route, right.route),
  )) {
    const { virtualGateway, match, rewrite } = route;
    const key = canonicalJson({
      virtualGateway,
      match: orderMatch({ ...match, port }),
      // Where it is rewritten, a prefix matches less.
      isRewritten: rewrite.path.kind === 'prefix',
    });
    const first = firstByMatch.get(key);
    firstByMatch.set(key, first ?? document);
    if (first !== undefined) {
      const { name, origin } = first;
      const text =
        `it is never reached, since GatewayRoute ${name} (${renderOrigin(origin)}) has the ` +
        'same match and is tried first; remove it, or change its match or priority';
      scope.report(document, 'HG0511', ['metadata', 'name'], text, { found: route.name });
    }
  }
}

/** `http on port 9080`. */
function renderPort({ protocol, port }: Port): string {
  return `${protocol} on port ${port}`;
}
