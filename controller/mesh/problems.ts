/**
 * What a mesh can have wrong although each of its documents is well formed: references (HG04xx, found
 * here), settings that contradict one another (HG05xx) and rollout policies (HG06xx; decoding finds
 * those that lie within one document). Each code is produced by a golden case.
 */
import type { Problem } from '../base/problem.js';
import { type FieldPath, type MeshDocument, renderPath } from './document.js';

/** What a code means, for people. */
export interface ProblemEntry {
  readonly title: string;
  /** How it comes about. */
  readonly cause: string;
  /** What to do. */
  readonly resolution: string;
  /** The smallest YAML that has it. */
  readonly example: string;
}

export const meshProblems = {
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
  HG0601: {
    title: 'progress that does not rise',
    cause: 'A step of a policy has no more progress than the one before it.',
    resolution: 'Let progress rise from step to step.',
    example:
      'steps: [{ progress: 50, bake: 1m }, { progress: 25, bake: 1m }, { progress: 100, ' +
      'bake: 1m }]',
  },
  HG0602: {
    title: 'last step below 100',
    cause: "A policy's last step leaves the change unfinished.",
    resolution: 'End with a step of progress 100.',
    example: 'steps: [{ progress: 50, bake: 1m }]',
  },
  HG0603: {
    title: 'gate name taken',
    cause:
      'Two gates of one policy have the same name, or one is called proxies, which is always ' +
      'there.',
    resolution: 'Rename the gate.',
    example: 'gates: [{ name: proxies, successRate: { min: 99 } }]',
  },
  HG0604: {
    title: 'two default policies',
    cause: 'Two policies of one mesh have no selector, so both would be for everything else.',
    resolution: 'Give one of them a selector.',
    example:
      'kind: RolloutPolicy\nmetadata: { name: a }\nspec: {}\n---\nkind: ' +
      'RolloutPolicy\nmetadata: { name: b }\nspec: {}',
  },
  HG0605: {
    title: 'two policies for one resource',
    cause:
      'Two policies name the same resource, or the labels of two policies select the same ' +
      'resource.',
    resolution:
      'Leave it to one of them; a policy that names a resource goes before one that selects ' +
      'by labels.',
    example: 'selector: { virtualRouters: [reviews] } # in two policies',
  },
  HG0606: {
    title: 'duration out of range',
    cause:
      'A bake time, a window or a deadline is longer or shorter than it may be, or a ' +
      'deadline ends before the bake time does.',
    resolution: 'Use a duration in the range that the message names.',
    example: 'stepDeadline: 1m # with bake: 5m',
  },
  HG0607: {
    title: 'policy for nothing',
    cause: 'No router, node or gateway of the mesh has all the labels that the policy asks for.',
    resolution: 'Correct the labels, or remove the policy.',
    example: 'selector: { matchLabels: { team: serach } }',
  },
  HG0608: {
    title: 'gate at no step',
    cause: 'A gate is to be asked at a progress that no step of the policy has.',
    resolution: 'Name the progress of a step, as it is written there.',
    example:
      'gates: [{ name: errors, from: 20, successRate: { min: 99 } }] # with steps 5, 25, 100',
  },
  HG0609: {
    title: 'gate with at and from',
    cause: 'A gate says twice, and not the same, at which steps it is asked.',
    resolution: 'Keep at for single steps, or from for all steps from one on.',
    example: 'gates: [{ name: errors, at: [25], from: 25, successRate: { min: 99 } }]',
  },
  HG0610: {
    title: 'bounds that contradict',
    cause: 'No number lies between the bounds of a gate, or it has bounds and an exact value.',
    resolution: 'Exchange min and max, or keep one of equals and the bounds.',
    example: 'query: { provider: prometheus, query: up, min: 2, max: 1 }',
  },
  HG0611: {
    title: 'name in braces that is not known',
    cause: 'A query or a path has a name in double braces that stands for nothing.',
    resolution: 'Use one of the names that the message has, or close the braces.',
    example: 'query: \'sum(rate(errors{node=~"{{ cannary }}"}[1m]))\'',
  },
  HG0612: {
    title: "path out of the provider's URL",
    cause:
      "A gate's path would lead to what is not below the URL that the operator gave the provider.",
    resolution: 'Name what is below it, without dots between slashes.',
    example: 'http: { provider: smoke-tests, path: /../admin }',
  },
  HG0613: {
    title: 'provider that is not configured',
    cause:
      "A gate asks a provider that is not in the controller's configuration, which alone says " +
      'whom gates may ask.',
    resolution: 'Correct the name, or ask the operator to add the provider.',
    example: 'query: { provider: promethues, query: up, min: 1 }',
  },
  HG0614: {
    title: 'provider of another kind',
    cause: 'A gate asks a provider that cannot answer it: query needs one of kind prometheus.',
    resolution: 'Name a provider of the kind that the message names.',
    example: 'grpc: { provider: prometheus }',
  },
  HG0615: {
    title: 'provider that was not looked for',
    cause: "A gate asks a provider, and the controller's configuration is not at hand.",
    resolution: "Give headgate validate the controller's config file with --config.",
    example: 'query: { provider: prometheus, query: up, min: 1 }',
  },
  HG0616: {
    title: 'time zone that is not known',
    cause: 'A window names a time zone that the IANA database does not have.',
    resolution: 'Use a name of the IANA database, as Europe/Berlin, or UTC.',
    example: 'windows: { allow: [{ from: "09:00", to: "16:00", timeZone: Europe/Berln }] }',
  },
  HG0617: {
    title: 'freeze that ends before it begins',
    cause: 'The end of a freeze is not after its start, so it would hold nothing.',
    resolution: 'Exchange from and to.',
    example: 'windows: { freeze: [{ from: 2027-01-04, to: 2026-12-20, timeZone: UTC }] }',
  },
  HG0620: {
    title: 'policies that wait for one another',
    cause:
      'A rollout policy is after itself, directly or over others, so nothing could ever start.',
    resolution: 'Take one of the names out of after.',
    example: 'metadata: { name: web }\nspec: { after: [web] }',
  },
  HG0621: {
    title: 'steps beside blueGreen',
    cause: 'A policy says twice in which steps its rollouts go.',
    resolution: 'Keep steps, or blueGreen, which is two steps of its own.',
    example: 'steps: [{ progress: 100, bake: 1m }]\nblueGreen: { … }',
  },
  HG0622: {
    title: 'mirroring beside weights',
    cause:
      'A step copies requests to a version that gets requests of its own by then: it would get ' +
      'some of them twice.',
    resolution: 'Put steps with mirror before the first one with progress, and without progress.',
    example: 'steps: [{ progress: 5, mirror: { percent: 10 }, bake: 1m }, …]',
  },
  HG0623: {
    title: 'step that a route cannot take',
    cause:
      'A policy tells requests apart by what the routes of a router that it selects do not have: ' +
      'a TCP connection has no headers and cannot be copied, gRPC clients keep no cookies, and ' +
      'gRPC calls are POST requests.',
    resolution: 'Select that router by a policy of its own, or tell requests apart another way.',
    example: 'sticky: { cookie: { name: version } } # and a router with a grpcRoute',
  },
  HG0624: {
    title: 'match on what a gateway rewrites',
    cause:
      'A step tells requests apart by their host name or path, which a gateway rewrites before ' +
      "a router's routes see it.",
    resolution: 'Use another header, or a cookie.',
    example: 'match: { headers: [{ name: host, match: { exact: preview.example.com } }] }',
  },
} as const satisfies Readonly<Record<`HG0${4 | 5 | 6}${number}`, ProblemEntry>>;

export type MeshProblemCode = keyof typeof meshProblems;

/** Facts of a problem beside its place and text. */
export type ProblemDetails = Pick<Problem, 'found' | 'allowed' | 'suggestion'>;

/** Adds a problem of `document` at `path`; `text` goes on from the resource's kind and name. */
export type Report = (
  document: MeshDocument,
  code: MeshProblemCode,
  path: FieldPath,
  text: string,
  details?: ProblemDetails,
) => void;

/** Codes that make a revision odd and not wrong. */
const warnings: ReadonlySet<MeshProblemCode> = new Set([
  'HG0410',
  'HG0413',
  'HG0415',
  'HG0511',
  'HG0512',
  'HG0513',
  'HG0514',
  'HG0518',
  'HG0521',
  'HG0607',
  'HG0615',
]);

export function severityOf(code: MeshProblemCode): Problem['severity'] {
  return warnings.has(code) ? 'warning' : 'error';
}

/** A problem of which it is not yet known where it stands. */
export interface Reported {
  readonly document: MeshDocument;
  readonly path: FieldPath;
  readonly code: MeshProblemCode;
  readonly text: string;
  readonly details: ProblemDetails;
}

/** A `Report` that collects into `reported`. */
export function reportInto(reported: Reported[]): Report {
  return (document, code, path, text, details = {}) => {
    reported.push({ document, code, path, text, details });
  };
}

/** Asks the document where the field stands, which may cost the parsing of its file. */
export function placeProblem({ document, code, path, text, details }: Reported): Problem {
  const resource = `${document.kind} ${document.name}`;
  return {
    code,
    severity: severityOf(code),
    message: `${resource}: ${text}`,
    ...document.locate(path),
    resource,
    path: renderPath(path),
    ...details,
  };
}
