/** A field that is left out and one that is set to its default are the same bytes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../controller/base/hash.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { revisionOf } from '../support/revision.js';

const test = suite('defaults');

const rest = `---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: other }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  serviceDiscovery: { announced: {} }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: other }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: other } } } }
`;

function mesh(document: string): string {
  const { meshes, problems } = loadMeshes(revisionOf({ 'mesh.yaml': `${document}\n${rest}` }));
  assert.equal(problems, []);
  return canonicalJson(meshes);
}

function document(kind: string, spec: string, metadata = 'name: other'): string {
  const first = 'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: shop }\n---\n';
  return `${first}apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { ${metadata} }\nspec: ${spec}`;
}

function meshDocument(rest: string): string {
  return `apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: shop }\n${rest}---\n${router('')}`;
}

function node(spec: string): string {
  return `${document('VirtualNode', spec, 'name: web')}\n---\n${router('')}`;
}

function router(route: string, target = ''): string {
  return `apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: other }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  routes:
    - name: all
      ${route}
      httpRoute:
        match: { prefix: / }
        action: { weightedTargets: [{ virtualNodeRef: { name: other }, weight: 1 ${target} }] }
`;
}

function routed(route: string, target = ''): string {
  return `apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: shop }\n---\n${router(route, target)}`;
}

function policy(spec: string): string {
  return `${document('RolloutPolicy', spec, 'name: p')}\n---\n${router('')}`;
}

const check =
  'healthyThreshold: 2, unhealthyThreshold: 2, intervalMillis: 5000, timeoutMillis: 2000';
const listening = (rest: string) =>
  `{ serviceDiscovery: { announced: {} }, listeners: [{ portMapping: { port: 80, protocol: http }, ${rest} }] }`;
const trust = 'validation: { trust: { sds: { secretName: ca } } }';

function gatewayRoute(spec: string, match = 'prefix: /shop', rewrite = ''): string {
  return `${document('VirtualGateway', listening('').replace('serviceDiscovery: { announced: {} },', ''), 'name: edge')}
---
apiVersion: headgate/v1
kind: GatewayRoute
metadata: { name: shop }
spec:
  virtualGatewayRef: { name: edge }
  ${spec}
  httpRoute:
    match: { ${match} }
    action: { target: { virtualService: { virtualServiceRef: { name: other } } } ${rewrite} }
---
${router('')}`;
}

const pairs: Readonly<Record<string, readonly [string, string]>> = {
  'egress filter': [meshDocument(''), meshDocument('spec: { egressFilter: { type: DROP_ALL } }\n')],
  'empty mesh spec': [meshDocument(''), meshDocument('spec: { meshServiceDiscovery: {} }\n')],
  labels: [meshDocument(''), meshDocument('').replace('name: shop', 'name: shop, labels: {}')],
  'metadata.mesh': [
    document('VirtualNode', '{}', 'name: web').concat('\n---\n', router('')),
    document('VirtualNode', '{}', 'name: web, mesh: shop').concat('\n---\n', router('')),
  ],
  'empty lists of a node': [node('{}'), node('{ listeners: [], backends: [], logging: {} }')],
  'empty client policy': [node('{}'), node('{ backendDefaults: { clientPolicy: {} } }')],
  'response type of DNS': [
    node('{ serviceDiscovery: { dns: { hostname: a } } }'),
    node('{ serviceDiscovery: { dns: { hostname: a, responseType: LOADBALANCER } } }'),
  ],
  'path and port of a health check': [
    node(listening(`healthCheck: { protocol: http, ${check} }`)),
    node(listening(`healthCheck: { protocol: http, path: /, port: 80, ${check} }`)),
  ],
  'pending requests': [
    node(listening('connectionPool: { http: { maxConnections: 1 } }')),
    node(
      listening('connectionPool: { http: { maxConnections: 1, maxPendingRequests: 2147483647 } }'),
    ),
  ],
  'empty timeout': [
    node(listening('tls: { mode: STRICT, certificate: { sds: { secretName: a } } }')),
    node(
      listening(
        'timeout: { http: {} }, tls: { mode: STRICT, certificate: { sds: { secretName: a } } }',
      ),
    ),
  ],
  'enforced TLS': [
    node(`{ backendDefaults: { clientPolicy: { tls: { ${trust} } } } }`),
    node(`{ backendDefaults: { clientPolicy: { tls: { enforce: true, ${trust} } } } }`),
  ],
  'priority of a route': [routed(''), routed('priority: 1000')],
  'port of a target': [routed(''), routed('', ', port: 80')],
  'priority of a gateway route': [gatewayRoute(''), gatewayRoute('priority: 1000')],
  'rewrite of a host name': [
    gatewayRoute(''),
    gatewayRoute(
      '',
      'prefix: /shop',
      ', rewrite: { hostname: { defaultTargetHostname: ENABLED } }',
    ),
  ],
  'rewrite of a prefix': [
    gatewayRoute(''),
    gatewayRoute('', 'prefix: /shop', ', rewrite: { prefix: { defaultPrefix: ENABLED } }'),
  ],
  'rewritten prefix': [
    gatewayRoute(''),
    gatewayRoute('', 'prefix: /shop', ', rewrite: { prefix: { value: / } }'),
  ],
  'case of a host name': [
    gatewayRoute('', 'hostname: { exact: shop.example.com }'),
    gatewayRoute('', 'hostname: { exact: Shop.Example.COM }'),
  ],
  'a policy': [
    policy('{}'),
    policy(`
  steps:
    - { progress: 5, bake: 1m }
    - { progress: 25, bake: 60s, approval: false }
    - { progress: 50, bake: 60000ms }
    - { progress: 100, bake: 1m }
  gates: [{ name: compare, compare: { metric: errorRate, margin: 0, alpha: 0.01, beta: 0.05 } }]
  failureLimit: 1
  noData: wait
  stepDeadline: 30m
  onStepDeadline: pause
  onFailure: rollback`),
  ],
};

for (const [name, [leftOut, written]] of Object.entries(pairs)) {
  test(`${name}: left out and set to the default are the same`, () => {
    assert.not.equal(leftOut, written);
    assert.is(mesh(leftOut), mesh(written));
  });
}

test('units of durations do not matter', () => {
  const timeout = (value: string) =>
    routed('').replace('match:', `timeout: { perRequest: ${value} }\n        match:`);
  const seconds = mesh(timeout('{ unit: s, value: 2 }'));
  assert.is(seconds, mesh(timeout('{ unit: ms, value: 2000 }')));
  assert.match(seconds, /"perRequestMs":2000/);
});

test('a default deadline leaves time for the longest bake', () => {
  const json = mesh(policy('{ steps: [{ progress: 100, bake: 2h }] }'));
  assert.match(json, new RegExp(`"stepDeadlineMs":${4 * 3_600_000}`));
});

test.run();
