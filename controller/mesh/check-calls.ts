/**
 * What virtual nodes and virtual services refer to. Nodes call services, services are answered by
 * routers or nodes, routers send to nodes: a service that calls itself, or two that call each
 * other, are therefore legal, and no reference of another kind can close a circle.
 */
import type { DeclaredRouter, MeshDocument } from './document.js';
import type { VirtualNode, VirtualService } from './model.js';
import { renderOrigin } from './origins.js';
import { declared, lookUp, type Scope } from './scope.js';

export function checkNodes(scope: Scope): void {
  for (const [document, node] of declared(scope, 'VirtualNode')) {
    checkBackends(scope, document, node);
  }
}

function checkBackends(scope: Scope, document: MeshDocument, node: VirtualNode): void {
  const tcpPorts = new Map<number, string>();
  for (const [index, { virtualService: name }] of node.backends.entries()) {
    const path = ['spec', 'backends', index, 'virtualService', 'virtualServiceRef', 'name'];
    const service = lookUp(scope, document, path, { kind: 'VirtualService', name });
    for (const port of service === undefined ? [] : tcpPortsOf(scope, service)) {
      const other = tcpPorts.get(port);
      tcpPorts.set(port, name);
      if (other !== undefined && other !== name) {
        const text =
          `backends ${other} and ${name} both speak tcp on port ${port}; a redirected sidecar tells ` +
          'them apart by the server name of TLS alone and closes what has none, so give one ' +
          'another port if callers speak anything else';
        scope.report(document, 'HG0514', path, text, { found: `port ${port}` });
      }
    }
  }
}

/** Ports on which callers reach `service` over tcp. */
function tcpPortsOf(scope: Scope, service: VirtualService): readonly number[] {
  const listeners = providerOf(scope, service)?.listeners ?? [];
  return listeners.filter(({ protocol }) => protocol === 'tcp').map(({ port }) => port);
}

/** What answers for `service`; undefined where nothing does, or where that has errors of its own. */
export function providerOf(
  scope: Scope,
  { provider }: VirtualService,
): DeclaredRouter | VirtualNode | undefined {
  if (provider === undefined) {
    return undefined;
  }
  const key =
    provider.kind === 'virtualRouter'
      ? `VirtualRouter/${provider.virtualRouter}`
      : `VirtualNode/${provider.virtualNode}`;
  const resource = scope.byKey.get(key)?.resource;
  const isProvider = resource?.kind === 'VirtualRouter' || resource?.kind === 'VirtualNode';
  return isProvider ? resource : undefined;
}

export function checkServices(scope: Scope): void {
  const byHostname = new Map<string, MeshDocument>();
  for (const [document, service] of declared(scope, 'VirtualService')) {
    checkProvider(scope, document, service);
    const hostname = service.name.toLowerCase();
    const twin = byHostname.get(hostname);
    if (twin === undefined) {
      byHostname.set(hostname, document);
    } else {
      const text =
        `its host name is also that of VirtualService ${twin.name} (${renderOrigin(twin.origin)}), since ` +
        'case does not matter; keep one';
      scope.report(document, 'HG0411', ['metadata', 'name'], text, { found: service.name });
    }
  }
}

function checkProvider(scope: Scope, document: MeshDocument, service: VirtualService): void {
  const { provider } = service;
  if (provider?.kind === 'virtualRouter') {
    const path = ['spec', 'provider', 'virtualRouter', 'virtualRouterRef', 'name'];
    lookUp(scope, document, path, { kind: 'VirtualRouter', name: provider.virtualRouter });
  }
  if (provider?.kind === 'virtualNode') {
    const path = ['spec', 'provider', 'virtualNode', 'virtualNodeRef', 'name'];
    const name = provider.virtualNode;
    const node = lookUp(scope, document, path, { kind: 'VirtualNode', name });
    if (node?.listeners.length === 0) {
      const text =
        `VirtualNode ${name} has no listeners, so nothing can be sent to it; add listeners and ` +
        'serviceDiscovery to it';
      scope.report(document, 'HG0409', path, text, { found: name });
    }
  }
}
