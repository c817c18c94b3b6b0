/** What a VirtualGateway's schema cannot say: fields of one document that contradict one another. */
import type * as yaml from '../generated/schema-types.js';
import { checkAccessLog } from './check-access-log.js';
import { checkListeners } from './check-listeners.js';
import { checkSecrets } from './check-secrets.js';
import type { Finding } from './finding.js';

export function checkGateway({ spec }: yaml.VirtualGateway): readonly Finding[] {
  return [
    ...checkListeners(spec.listeners),
    ...spec.listeners.flatMap(checkHealthCheck),
    ...checkSecrets(spec),
    ...checkAccessLog(spec.logging),
  ];
}

/** In App Mesh callers check endpoints, and nothing in a mesh calls a gateway. */
function checkHealthCheck(
  { healthCheck }: yaml.VirtualGatewayListener,
  index: number,
): readonly Finding[] {
  if (healthCheck === undefined) {
    return [];
  }
  const text =
    'nothing in the mesh calls a gateway, so nobody makes its healthCheck; let the load ' +
    "balancer before it ask for a path of a service, or for the proxy's /ready, and remove it";
  const path = ['spec', 'listeners', index, 'healthCheck'];
  return [{ code: 'HG0518', path, place: 'key', text }];
}
