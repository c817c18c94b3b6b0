/**
 * What virtual routers refer to: each route needs a listener of its router, each target a listener
 * of its node, all of one protocol and the targets of one port. App Mesh let every mismatch of
 * these in, and then did not send the route to Envoy.
 */
import { renderDuration } from '../base/duration.js';
import type { DeclaredRoute, DeclaredRouter, FieldPath, MeshDocument } from './document.js';
import type { Listener } from './model.js';
import { declared, lookUp, type Scope } from './scope.js';

export function checkRouters(scope: Scope): void {
  const provided = new Set(
    declared(scope, 'VirtualService').flatMap(([, { provider }]) =>
      provider?.kind === 'virtualRouter' ? [provider.virtualRouter] : [],
    ),
  );
  for (const [document, router] of declared(scope, 'VirtualRouter')) {
    for (const [index, route] of router.routes.entries()) {
      const path = ['spec', 'routes', index];
      checkListener(scope, document, path, { router, route });
      checkTargets(scope, document, path, route);
    }
    if (!provided.has(router.name) && !scope.unreadNames.has(router.name)) {
      const text = 'no virtual service has it as its provider, so no request reaches it';
      scope.report(document, 'HG0513', ['metadata', 'name'], text);
    }
  }
}

function checkListener(
  scope: Scope,
  document: MeshDocument,
  path: FieldPath,
  { router, route }: { readonly router: DeclaredRouter; readonly route: DeclaredRoute },
): void {
  const { port } = route.match;
  const ofPort = router.listeners.filter(
    (listener) => port === undefined || listener.port === port,
  );
  if (ofPort.some((listener) => listener.protocol === route.protocol)) {
    return;
  }
  const allowed = router.listeners.map(renderListener).join(', ');
  const wanted = port === undefined ? route.protocol : `${route.protocol} on port ${port}`;
  const text =
    `route ${route.name} is of ${wanted}, and the router listens for ${allowed}; use one of ` +
    'these, or add a listener';
  const field =
    port === undefined ? [...path, `${route.protocol}Route`] : matchPortPath(path, route);
  scope.report(document, 'HG0405', field, text, { found: wanted, allowed });
}

function matchPortPath(path: FieldPath, route: DeclaredRoute): FieldPath {
  return [...path, `${route.protocol}Route`, 'match', 'port'];
}

function checkTargets(
  scope: Scope,
  document: MeshDocument,
  path: FieldPath,
  route: DeclaredRoute,
): void {
  let firstPort: number | undefined;
  for (const [index, target] of route.targets.entries()) {
    const targetPath = [...path, `${route.protocol}Route`, 'action', 'weightedTargets', index];
    const namePath = [...targetPath, 'virtualNodeRef', 'name'];
    const wanted = { kind: 'VirtualNode', name: target.virtualNode } as const;
    const node = lookUp(scope, document, namePath, wanted);
    const listener =
      node &&
      findListener(scope, document, targetPath, {
        route,
        node: node.name,
        listeners: node.listeners,
        port: target.port,
      });
    firstPort ??= listener?.port;
    if (listener !== undefined) {
      checkTimeout(scope, document, path, { route, node: target.virtualNode, listener });
    }
    if (listener !== undefined && listener.port !== firstPort) {
      const text =
        `route ${route.name}: VirtualNode ${target.virtualNode} listens on port ` +
        `${listener.port} and the first target on ${firstPort}; each is called on its own ` +
        'port, which App Mesh did not do';
      const details = { found: String(listener.port) };
      scope.report(document, 'HG0410', targetPath, text, details);
    }
  }
}

/**
 * The listener that a target means; undefined, and a problem, where there is none or not just one.
 */
function findListener(
  scope: Scope,
  document: MeshDocument,
  path: FieldPath,
  target: {
    readonly route: DeclaredRoute;
    readonly node: string;
    readonly listeners: readonly Listener[];
    readonly port: number | undefined;
  },
): Listener | undefined {
  const { route, node, listeners, port } = target;
  const allowed = listeners.map(renderListener).join(', ');
  const subject = `route ${route.name}: VirtualNode ${node}`;
  const report = scope.report;
  if (listeners.length === 0) {
    const text =
      `${subject} has no listeners, so nothing can be sent to it; add listeners and ` +
      'serviceDiscovery to it';
    report(document, 'HG0409', [...path, 'virtualNodeRef', 'name'], text, { found: node });
    return undefined;
  }
  if (port === undefined && listeners.length > 1) {
    const text = `${subject} has several listeners (${allowed}); add port to the target`;
    report(document, 'HG0407', path, text, { allowed });
    return undefined;
  }
  const listener = port === undefined ? listeners[0] : listeners.find((each) => each.port === port);
  if (listener === undefined) {
    const text = `${subject} does not listen on port ${port}, only for ${allowed}`;
    report(document, 'HG0408', [...path, 'port'], text, { found: String(port), allowed });
    return undefined;
  }
  if (listener.protocol !== route.protocol) {
    const text =
      `${subject} speaks ${listener.protocol} on port ${listener.port}, and the route is of ` +
      `${route.protocol}; both must speak the same`;
    const details = { found: listener.protocol, allowed: route.protocol };
    report(document, 'HG0406', [...path, 'virtualNodeRef', 'name'], text, details);
    return undefined;
  }
  return listener;
}

/** Where a listener says nothing; 0 is no limit. */
const requestTimeoutMs = 15_000;

/** Only where the route asks for more than the default: else nobody has been promised anything. */
function checkTimeout(
  scope: Scope,
  document: MeshDocument,
  path: FieldPath,
  target: { readonly route: DeclaredRoute; readonly node: string; readonly listener: Listener },
): void {
  const { route, node, listener } = target;
  const asked = route.timeout?.perRequestMs;
  const granted = listener.timeout?.perRequestMs ?? requestTimeoutMs;
  if (asked === undefined || granted === 0 || (asked > 0 && asked <= granted)) {
    return;
  }
  const wanted = asked === 0 ? 'any time' : renderDuration(asked);
  const text =
    `route ${route.name}: its requests may take ${wanted}, and the proxy of VirtualNode ${node} ` +
    `gives up after ${renderDuration(granted)}; raise timeout.${route.protocol}.perRequest of ` +
    `its listener on port ${listener.port} too`;
  const field = [...path, `${route.protocol}Route`, 'timeout', 'perRequest'];
  scope.report(document, 'HG0415', field, text, {
    found: wanted,
    allowed: renderDuration(granted),
  });
}

/** `http on port 9080`. */
function renderListener({ protocol, port }: Pick<Listener, 'protocol' | 'port'>): string {
  return `${protocol} on port ${port}`;
}
