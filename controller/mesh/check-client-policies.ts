/**
 * Client policies of backends that lead to the same listener of a node. A proxy has one cluster for it,
 * which carries one policy: with two, a service could be called with the other's certificate, or in plain
 * text against its own policy. App Mesh let this in.
 */
import { canonicalJson } from '../base/hash.js';
import { providerOf } from './check-calls.js';
import { tlsRulesAt } from './client-policy.js';
import type { MeshDocument } from './document.js';
import type { VirtualNode, VirtualService } from './model.js';
import { declared, type Scope } from './scope.js';

export function checkClientPolicies(scope: Scope): void {
  const services = new Map(
    declared(scope, 'VirtualService').map(([, service]) => [service.name, service]),
  );
  const nodes = new Map(declared(scope, 'VirtualNode').map(([, node]) => [node.name, node]));
  for (const [document, node] of declared(scope, 'VirtualNode')) {
    // Without a policy of its own every backend has the default one.
    if (node.backends.some(({ clientPolicy }) => clientPolicy !== undefined)) {
      checkNode(scope, document, node, { services, nodes });
    }
  }
}

interface Names {
  readonly services: ReadonlyMap<string, VirtualService>;
  readonly nodes: ReadonlyMap<string, VirtualNode>;
}

function checkNode(scope: Scope, document: MeshDocument, node: VirtualNode, names: Names): void {
  const first = new Map<string, { readonly backend: string; readonly rules: string }>();
  for (const [index, { virtualService: backend, clientPolicy }] of node.backends.entries()) {
    const policy = clientPolicy ?? node.backendDefaults;
    const service = names.services.get(backend);
    for (const target of service === undefined ? [] : targetsOf(scope, service, names.nodes)) {
      const key = `${target.virtualNode} ${target.port}`;
      const rules = canonicalJson(tlsRulesAt(policy, target.port) ?? null);
      const other = first.get(key);
      if (other === undefined) {
        first.set(key, { backend, rules });
      } else if (other.rules !== rules) {
        const text =
          `backends ${other.backend} and ${backend} both lead to port ${target.port} of ` +
          `VirtualNode ${target.virtualNode}, with different client policies, and a proxy has one ` +
          'for it; give them the same policy';
        const path = ['spec', 'backends', index, 'virtualService'];
        scope.report(document, 'HG0414', path, text, { found: target.virtualNode });
        break;
      }
    }
  }
}

interface ReachedPort {
  readonly virtualNode: string;
  readonly port: number;
}

/** The listeners that calls to `service` may end at; those that do not exist are reported elsewhere. */
function targetsOf(
  scope: Scope,
  service: VirtualService,
  nodes: Names['nodes'],
): readonly ReachedPort[] {
  const provider = providerOf(scope, service);
  switch (provider?.kind) {
    case undefined:
      return [];
    case 'VirtualNode':
      return provider.listeners.map(({ port }) => ({ virtualNode: provider.name, port }));
    case 'VirtualRouter':
      return provider.routes.flatMap(({ targets }) =>
        targets.flatMap(({ virtualNode, port }) => {
          const reached = port ?? nodes.get(virtualNode)?.listeners[0]?.port;
          return reached === undefined ? [] : [{ virtualNode, port: reached }];
        }),
      );
  }
}
