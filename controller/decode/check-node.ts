/**
 * What a VirtualNode's schema cannot say: fields of one document that contradict one another. Read
 * from the document as written, since the model has filled in or left out what the checks are
 * about.
 */

import { canonicalAddress } from '../base/socket-address.js';
import type * as yaml from '../generated/schema-types.js';
import { checkAccessLog } from './check-access-log.js';
import { checkListeners } from './check-listeners.js';
import { checkSecrets } from './check-secrets.js';
import { type Finding, repeated } from './finding.js';

/** RFC 1035, 2.3.4, without the final dot. */
const hostnameLengthMax = 253;

export function checkNode({ spec }: yaml.VirtualNode): readonly Finding[] {
  const listeners = spec.listeners ?? [];
  return [
    ...checkDiscovery(spec, listeners.length),
    ...checkListeners(listeners),
    ...checkGrpcChecks(listeners),
    ...checkBackends(spec.backends ?? []),
    ...checkSecrets(spec),
    ...checkAccessLog(spec.logging),
  ];
}

function checkDiscovery(spec: yaml.VirtualNodeSpec, listeners: number): readonly Finding[] {
  const { serviceDiscovery: discovery } = spec;
  if (discovery === undefined) {
    const text =
      'spec.listeners is set and spec.serviceDiscovery is not, so nobody finds the node; add ' +
      'dns, static or announced';
    return listeners === 0 ? [] : [{ code: 'HG0501', path: ['spec', 'listeners'], text }];
  }
  if (discovery.awsCloudMap !== undefined) {
    const { serviceName, namespaceName } = discovery.awsCloudMap;
    const path = ['spec', 'serviceDiscovery', 'awsCloudMap'];
    const { length } = `${serviceName}.${namespaceName}`;
    if (length > hostnameLengthMax) {
      const text =
        `the Cloud Map service's host name, SERVICE.NAMESPACE, has ${length} characters, and DNS ` +
        `takes at most ${hostnameLengthMax}; use another kind of serviceDiscovery`;
      return [{ code: 'HG0519', path: [...path, 'serviceName'], text }];
    }
    const text =
      `the Cloud Map service is resolved as the DNS name ${serviceName}.${namespaceName}, all ` +
      'addresses; in an HTTP namespace there is no such name, so use announced or static there';
    return [{ code: 'HG0512', path, text }];
  }
  const endpoints = discovery.static?.endpoints ?? [];
  return repeated(
    endpoints,
    ({ address, port }) => `${canonicalAddress(address)} port ${port}`,
  ).map(([index, endpoint]) => ({
    code: 'HG0502' as const,
    path: ['spec', 'serviceDiscovery', 'static', 'endpoints', index],
    text: `endpoint ${endpoint} is listed already; remove one`,
    details: { found: endpoint },
  }));
}

/** Callers check over the cluster that they call through, and Envoy refuses one that cannot do it. */
function checkGrpcChecks(listeners: readonly yaml.VirtualNodeListener[]): readonly Finding[] {
  return listeners.flatMap(({ portMapping: { protocol }, healthCheck }, index) => {
    if (healthCheck?.protocol !== 'grpc' || protocol === 'grpc' || protocol === 'http2') {
      return [];
    }
    const text =
      `healthCheck.protocol is grpc, which needs HTTP/2, and the listener speaks ${protocol}; ` +
      'check by the protocol of the listener';
    const path = ['spec', 'listeners', index, 'healthCheck', 'protocol'];
    return [
      { code: 'HG0503', path, text, details: { found: 'grpc', allowed: 'http, http2, tcp' } },
    ];
  });
}

function checkBackends(backends: readonly yaml.Backend[]): readonly Finding[] {
  return repeated(backends, ({ virtualService }) => virtualService.virtualServiceRef.name).map(
    ([index, name]) => ({
      code: 'HG0505' as const,
      path: ['spec', 'backends', index, 'virtualService', 'virtualServiceRef', 'name'],
      text: `backend ${name} is listed already; remove one`,
      details: { found: name },
    }),
  );
}
