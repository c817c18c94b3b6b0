/**
 * From a document that has passed the schema of its kind to the model: the resource itself, and
 * what its fields say against one another. One line a kind.
 */
import type * as yaml from '../generated/schema-types.js';
import type { DeclaredResource } from '../mesh/document.js';
import { checkGateway } from './check-gateway.js';
import { checkGatewayRoute } from './check-gateway-route.js';
import { checkNode } from './check-node.js';
import { checkPolicy } from './check-policy.js';
import { checkRouter } from './check-router.js';
import type { Finding } from './finding.js';
import { gatewayRoute } from './gateway-route.js';
import { meshSettings } from './mesh-settings.js';
import { rolloutPolicy } from './rollout-policy.js';
import type { KnownKind } from './validate.js';
import { virtualGateway } from './virtual-gateway.js';
import { virtualNode } from './virtual-node.js';
import { virtualRouter } from './virtual-router.js';
import { virtualService } from './virtual-service.js';

export interface Declared {
  readonly resource: DeclaredResource;
  readonly findings: readonly Finding[];
}

export function declare(kind: KnownKind, value: unknown): Declared {
  switch (kind) {
    case 'Mesh':
      return { resource: meshSettings(value as yaml.Mesh), findings: [] };
    case 'VirtualNode': {
      const written = value as yaml.VirtualNode;
      return { resource: virtualNode(written), findings: checkNode(written) };
    }
    case 'VirtualService':
      return { resource: virtualService(value as yaml.VirtualService), findings: [] };
    case 'VirtualRouter': {
      const written = value as yaml.VirtualRouter;
      const resource = virtualRouter(written);
      return { resource, findings: checkRouter(written, resource) };
    }
    case 'VirtualGateway': {
      const written = value as yaml.VirtualGateway;
      return { resource: virtualGateway(written), findings: checkGateway(written) };
    }
    case 'GatewayRoute': {
      const written = value as yaml.GatewayRoute;
      return { resource: gatewayRoute(written), findings: checkGatewayRoute(written) };
    }
    case 'RolloutPolicy': {
      const written = value as yaml.RolloutPolicy;
      const resource = rolloutPolicy(written);
      return { resource, findings: checkPolicy(written, resource) };
    }
  }
}
