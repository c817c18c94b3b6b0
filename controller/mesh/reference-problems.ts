/** What references and the routes that they make can have wrong. Each code is produced by a golden case. */
import type { ProblemEntry } from '../base/problem.js';

export const referenceProblems = {
  HG0401: {
    title: 'reference to nothing',
    cause:
      'A field names a resource that the mesh does not have: a typing error, or a resource ' +
      'that was removed or is in another mesh.',
    resolution: 'Correct the name, or add the resource.',
    example: 'backends:\n  - virtualService: { virtualServiceRef: { name: revews } }',
  },
  HG0402: {
    title: 'resource declared twice',
    cause: 'Two documents of one mesh have the same kind and name.',
    resolution: 'Remove or rename one of them.',
    example:
      'kind: VirtualNode\nmetadata: { name: reviews-v1 }\n---\nkind: VirtualNode\nmetadata: ' +
      '{ name: reviews-v1 }',
  },
  HG0403: {
    title: 'no mesh',
    cause: 'The repository has resources and no Mesh document, or nothing at all.',
    resolution:
      'Add a document `apiVersion: headgate/v1`, `kind: Mesh`, `metadata: { name: NAME }`.',
    example: '# only a VirtualNode, and no Mesh in any file',
  },
  HG0404: {
    title: 'which mesh?',
    cause: 'The repository has several meshes and a resource does not say to which it belongs.',
    resolution: 'Add metadata.mesh to the resource.',
    example: 'kind: VirtualNode\nmetadata: { name: reviews-v1 } # of which of two meshes?',
  },
  HG0405: {
    title: 'route without a listener',
    cause: 'A route is of a protocol, or of a port, that no listener of its router or gateway has.',
    resolution: 'Add the listener, or use the route kind of the listener that is there.',
    example:
      'listeners: [{ portMapping: { port: 80, protocol: http } }]\nroutes: [{ name: a, ' +
      'grpcRoute: … }]',
  },
  HG0406: {
    title: 'protocol of the target differs',
    cause: 'A route and the listener that its target names speak different protocols.',
    resolution:
      "Use the route kind of the node's protocol, or the node's port that speaks the route's.",
    example:
      'grpcRoute: { action: { weightedTargets: [{ virtualNodeRef: { name: an-http-node }, ' +
      'weight: 1 }] } }',
  },
  HG0407: {
    title: 'which port?',
    cause:
      'A target names a node or a service with several ports, or a gateway route a gateway with ' +
      'several listeners, and no port says which is meant.',
    resolution: 'Add the port to the target, or to the match of the gateway route.',
    example: 'weightedTargets: [{ virtualNodeRef: { name: two-ports }, weight: 1 }]',
  },
  HG0408: {
    title: 'port that is not there',
    cause: 'A target names a port on which its node or service does not listen.',
    resolution: 'Use one of the ports that the message lists, or add the listener.',
    example: 'weightedTargets: [{ virtualNodeRef: { name: on-8080 }, weight: 1, port: 9090 }]',
  },
  HG0409: {
    title: 'target that cannot be reached',
    cause: 'A route or a virtual service sends requests to a node without listeners.',
    resolution: 'Add listeners and serviceDiscovery to the node, or name another node.',
    example: 'kind: VirtualNode\nmetadata: { name: only-calls }\nspec: {}',
  },
  HG0410: {
    title: 'targets on different ports',
    cause:
      'The targets of one route listen on different ports. App Mesh dropped such routes in silence; here each target is called on its own port.',
    resolution: 'Nothing, if it is meant; otherwise give the nodes the same port.',
    example:
      'weightedTargets:\n  - { virtualNodeRef: { name: on-8080 }, weight: 1 }\n  - { ' +
      'virtualNodeRef: { name: on-9090 }, weight: 1 }',
  },
  HG0411: {
    title: 'host names that differ only in case',
    cause:
      'Two virtual services have names that are the same host name, since case does not ' +
      'matter there.',
    resolution: 'Keep one of them.',
    example: 'kind: VirtualService\nmetadata: { name: Reviews } # beside reviews',
  },
  HG0412: {
    title: 'routes that one hop cannot join',
    cause:
      "A gateway sends requests straight to the nodes, so its route and the router's are put to " +
      'one request, as it came. Regular expressions of a path or host name that the gateway ' +
      'route rewrites cannot be turned around.',
    resolution: 'Compare in another way in the router, or leave the rewrite out.',
    example:
      'gateway route: match: { prefix: /shop } # becomes /\nroute: match: { path: { regex: ' +
      '"/items/[0-9]+" } }',
  },
  HG0413: {
    title: 'gateway route that is always answered 404',
    cause: 'No route of the router matches what the gateway route lets through, as rewritten.',
    resolution: 'Correct the match or the rewrite of one of them.',
    example:
      'gateway route: match: { prefix: /shop } # becomes /\nroute: match: { prefix: /shop } # ' +
      'and no other',
  },
  HG0414: {
    title: 'two client policies for one listener',
    cause:
      'Two backends of a node lead to the same listener of another, and their client policies say ' +
      'different things of its port. A proxy has one cluster for it, with one policy.',
    resolution: 'Give both backends the same policy, or set it in backendDefaults alone.',
    example: 'backends: [a with clientPolicy, b without] # both answered by VirtualNode books',
  },
  HG0415: {
    title: 'timeout that the target cuts short',
    cause:
      "A route gives requests more time than its target's own listener, whose proxy then answers " +
      '504 before the route gives up. App Mesh had the same two places.',
    resolution: "Raise timeout.PROTOCOL.perRequest of the target's listener too.",
    example:
      'httpRoute: { timeout: { perRequest: { unit: s, value: 60 } }, … } # and none on the node',
  },
} as const satisfies Readonly<Record<`HG04${number}`, ProblemEntry>>;
