/** Settings that contradict one another or say nothing. Each code is produced by a golden case. */
import type { ProblemEntry } from '../base/problem.js';

export const settingProblems = {
  HG0501: {
    title: 'listeners without serviceDiscovery',
    cause: 'A node listens and nothing says where its instances are.',
    resolution: 'Add serviceDiscovery: dns, static or announced.',
    example: 'spec:\n  listeners: [{ portMapping: { port: 9080, protocol: http } }]',
  },
  HG0502: {
    title: 'port listed twice',
    cause:
      'Two listeners of one resource have the same port, or two endpoints of a node are the same.',
    resolution: 'Remove or change one of them.',
    example:
      'listeners:\n  - portMapping: { port: 80, protocol: http }\n  - portMapping: { port: ' +
      '80, protocol: tcp }',
  },
  HG0503: {
    title: 'health check that does not fit its listener',
    cause:
      "A health check names another port than its listener's, a path with a protocol that " +
      'has none, or gRPC where the listener does not speak HTTP/2.',
    resolution: 'Remove the field, or check by the protocol of the listener.',
    example: 'portMapping: { port: 9080, protocol: http }\nhealthCheck: { port: 9081, … }',
  },
  HG0504: {
    title: 'setting of another protocol',
    cause: "A connection pool or a timeout is of another protocol than its listener's.",
    resolution: "Move the values to the listener's protocol.",
    example:
      'portMapping: { port: 9080, protocol: grpc }\ntimeout: { http: { perRequest: { unit: ' +
      's, value: 5 } } }',
  },
  HG0505: {
    title: 'backend listed twice',
    cause: 'A node lists the same virtual service twice among its backends.',
    resolution: 'Remove one of them.',
    example:
      'backends:\n  - virtualService: { virtualServiceRef: { name: reviews } }\n  - ' +
      'virtualService: { virtualServiceRef: { name: reviews } }',
  },
  HG0506: {
    title: 'route name used twice',
    cause: 'Two routes of one router have the same name.',
    resolution: 'Rename one of them.',
    example: 'routes: [{ name: all, httpRoute: … }, { name: all, httpRoute: … }]',
  },
  HG0507: {
    title: 'no weight',
    cause: 'Every weight of a route is 0, so no request could go anywhere.',
    resolution: 'Give at least one target a weight.',
    example: 'weightedTargets: [{ virtualNodeRef: { name: reviews-v1 }, weight: 0 }]',
  },
  HG0508: {
    title: 'weights above 100',
    cause: 'The weights of a route sum to more than 100.',
    resolution: 'Lower them; weights are relative, so 50 and 50 mean the same as 100 and 100.',
    example:
      'weightedTargets:\n  - { virtualNodeRef: { name: reviews-v1 }, weight: 90 }\n  - { ' +
      'virtualNodeRef: { name: reviews-v2 }, weight: 20 }',
  },
  HG0509: {
    title: 'target listed twice',
    cause: 'A route has the same node and port twice among its targets.',
    resolution: 'Write it once, with the sum of the weights.',
    example:
      'weightedTargets:\n  - { virtualNodeRef: { name: reviews-v1 }, weight: 1 }\n  - { ' +
      'virtualNodeRef: { name: reviews-v1 }, weight: 1 }',
  },
  HG0510: {
    title: 'empty range',
    cause:
      'A range ends where it starts or before, so that no number is in it; its end is not ' +
      'part of it.',
    resolution: 'Raise the end.',
    example: 'match: { range: { start: 10, end: 10 } }',
  },
  HG0511: {
    title: 'route that is never reached',
    cause: 'Another route of the router, or of the gateway, has the same match and is tried first.',
    resolution: 'Remove the route, or change its match or its priority.',
    example:
      'routes:\n  - { name: a, httpRoute: { match: { prefix: / }, … } }\n  - { name: b, ' +
      'httpRoute: { match: { prefix: / }, … } }',
  },
  HG0512: {
    title: 'Cloud Map resolved by DNS',
    cause: 'A node names a service of AWS Cloud Map, which Headgate resolves by its DNS name.',
    resolution: 'Write dns with that host name, or announced, which needs no registry.',
    example: 'serviceDiscovery: { awsCloudMap: { namespaceName: local, serviceName: reviews } }',
  },
  HG0513: {
    title: 'router without a service',
    cause: 'No virtual service has the router as its provider, so no request reaches it.',
    resolution: 'Name it in a virtual service, or remove it.',
    example:
      'kind: VirtualRouter\nmetadata: { name: reviews } # and no service with ' +
      'provider.virtualRouter',
  },
  HG0514: {
    title: 'tcp backends on one port',
    cause:
      'A node calls two virtual services over tcp on the same port. A sidecar whose traffic ' +
      'is redirected tells them apart by the server name of TLS alone; one with a local port ' +
      'for each service always can.',
    resolution:
      'Give one of the services another port if your sidecars are redirected and their callers ' +
      'do not speak TLS to it.',
    example: 'backends: [mysql-a on 3306, mysql-b on 3306]',
  },
  HG0515: {
    title: 'prefix and path at once',
    cause: 'A gateway route matches or rewrites both a prefix and the whole path.',
    resolution: 'Remove one of them.',
    example: 'match: { prefix: /a, path: { exact: /a/b } }',
  },
  HG0516: {
    title: 'rewrite of a prefix that is not matched',
    cause: 'A gateway route rewrites the matched prefix, and matches none.',
    resolution: 'Add match.prefix, or use rewrite.path.',
    example: 'match: { path: { exact: /a } }\nrewrite: { prefix: { value: /b/ } }',
  },
  HG0517: {
    title: 'reserved name',
    cause: 'A gateway route is for a path or gRPC service that App Mesh keeps for itself.',
    resolution: 'Use another.',
    example: 'match: { prefix: /aws-appmesh }',
  },
  HG0518: {
    title: 'health check that nobody makes',
    cause:
      'A gateway has a health check. Callers make those, and nothing in a mesh calls a gateway.',
    resolution: "Remove it, and let the load balancer check a service's path or Envoy's /ready.",
    example: 'kind: VirtualGateway\nspec: { listeners: [{ portMapping: …, healthCheck: … }] }',
  },
  HG0519: {
    title: 'Cloud Map name that DNS cannot hold',
    cause: 'The names of a Cloud Map service and its namespace make a host name that is too long.',
    resolution: 'Use dns, static or announced.',
    example: 'serviceDiscovery: { awsCloudMap: { namespaceName: …, serviceName: … } }',
  },
  HG0520: {
    title: 'CONNECT with more than a host',
    cause:
      'A route of the method CONNECT matches or rewrites a path, a query or a scheme, which such ' +
      'a request does not have.',
    resolution: 'Use prefix: / alone, or another method.',
    example: 'match: { prefix: /tunnel, method: CONNECT }',
  },
  HG0521: {
    title: 'log operator that Envoy does not know',
    cause:
      'The format of an access log has a command operator that Envoy 1.40 does not have, or one ' +
      'without the parameters that it needs. Envoy refuses such a listener whole.',
    resolution: 'Correct the operator; keep it if your Envoys are newer and know it.',
    example: 'format: { text: "%RESPONSE_CODES%" }',
  },
  HG0522: {
    title: 'log member listed twice',
    cause: 'A JSON access log has two members of one name, of which one would be lost.',
    resolution: 'Rename one of them.',
    example: 'json: [{ key: code, value: "%RESPONSE_CODE%" }, { key: code, value: x }]',
  },
  HG0523: {
    title: 'secret of two kinds',
    cause:
      'One resource names a secret as a certificate to show and as authorities to trust. Its ' +
      'Envoys know a secret by its name alone, so one name is one or the other.',
    resolution: 'Keep the authorities under a name of their own.',
    example:
      'certificate: { sds: { secretName: web } }\nvalidation: { trust: { sds: { secretName: web } } }',
  },
} as const satisfies Readonly<Record<`HG05${number}`, ProblemEntry>>;
