/**
 * Meshes that together use every field of their kinds, for the matrix of fields. Each is about one resource,
 * its subject, and has round it what that needs: the node `web` calls whatever the subject is about, or a
 * gateway leads to it. What
 * has to be the same in several places (a port, a name) is the same value there and stands nowhere
 * else, so that it can be exchanged everywhere at once.
 */
export type Document = Readonly<Record<string, unknown>>;

export interface Specimen {
  readonly subject: Document;
  readonly others: readonly Document[];
}

type Plain = Readonly<Record<string, unknown>>;

const port = 8765;
const seconds = (value: number) => ({ unit: 's', value });
const ref = (name: string) => ({ virtualServiceRef: { name } });

export function document(kind: string, name: string, spec: Plain, metadata: Plain = {}): Document {
  return { apiVersion: 'headgate/v1', kind, metadata: { name, ...metadata }, spec };
}

const mesh = document('Mesh', 'matrix', {});
const caller = document('VirtualNode', 'web', {
  backends: [{ virtualService: ref('called.local') }],
});
const endpoints = { static: { endpoints: [{ address: '10.1.2.3', port: 7001 }] } };
const labels = { mesh: 'matrix', labels: { team: 'a' } };

const fileCertificate = {
  file: { certificateChain: 'chain.pem', privateKey: 'key.pem' },
};
const secretCertificate = { sds: { secretName: 'shown' } };
const subjectAlternativeNames = { match: { exact: ['peer.internal'] } };
const fileValidation = {
  trust: { file: { certificateChain: 'authorities.pem' } },
  subjectAlternativeNames,
};
const secretValidation = { trust: { sds: { secretName: 'trusted' } }, subjectAlternativeNames };
const clientPolicy = (certificate: Plain, validation: Plain) => ({
  tls: { enforce: true, ports: [port], certificate, validation },
});
const byFile = clientPolicy(fileCertificate, fileValidation);
const bySecret = clientPolicy(secretCertificate, secretValidation);
const accessLog = (format: Plain) => ({ accessLog: { file: { path: 'access.log', format } } });

const healthCheck = (protocol: string) => ({
  protocol,
  port,
  healthyThreshold: 2,
  unhealthyThreshold: 3,
  intervalMillis: 6000,
  timeoutMillis: 3000,
});
const outlierDetection = {
  maxServerErrors: 5,
  interval: seconds(10),
  baseEjectionDuration: seconds(30),
  maxEjectionPercent: 50,
};

/** A node that `web` calls, and that calls `other.local` itself. */
function nodeSpecimen(protocol: string, listener: Plain, spec: Plain): Specimen {
  const backend = spec.backends ?? [{ virtualService: ref('other.local') }];
  const own = { portMapping: { port, protocol }, ...listener };
  return {
    subject: document('VirtualNode', 'subject', {
      listeners: [own],
      serviceDiscovery: endpoints,
      ...spec,
      backends: backend,
    }),
    others: [
      mesh,
      caller,
      provided('called.local', 'subject'),
      document('VirtualNode', 'other', {
        listeners: [{ portMapping: { port, protocol: 'http' } }],
        serviceDiscovery: endpoints,
      }),
      provided('other.local', 'other'),
    ],
  };
}

function provided(name: string, node: string): Document {
  return document('VirtualService', name, {
    provider: { virtualNode: { virtualNodeRef: { name: node } } },
  });
}

const backendWith = (policy: Plain) => [
  { virtualService: { ...ref('other.local'), clientPolicy: policy } },
];

const bareNode = nodeSpecimen('http', {}, {});
const nodes: readonly Specimen[] = [
  { ...bareNode, subject: { ...bareNode.subject, metadata: { name: 'subject', ...labels } } },
  nodeSpecimen(
    'http',
    {
      outlierDetection,
      connectionPool: { http: { maxConnections: 10, maxPendingRequests: 10 } },
      timeout: { http: { perRequest: seconds(5), idle: seconds(6) } },
      tls: { mode: 'STRICT', certificate: fileCertificate, validation: fileValidation },
    },
    {
      serviceDiscovery: {
        dns: { hostname: 'found.internal', responseType: 'ENDPOINTS', ipPreference: 'IPv4_ONLY' },
      },
      backends: backendWith(byFile),
      backendDefaults: { clientPolicy: byFile },
      logging: accessLog({ text: 'a %RESPONSE_CODE%' }),
    },
  ),
  nodeSpecimen(
    'http2',
    {
      healthCheck: healthCheck('http2'),
      connectionPool: { http2: { maxRequests: 10 } },
      timeout: { http2: { perRequest: seconds(5), idle: seconds(6) } },
      tls: { mode: 'PERMISSIVE', certificate: secretCertificate, validation: secretValidation },
    },
    {
      serviceDiscovery: {
        awsCloudMap: {
          namespaceName: 'space.internal',
          serviceName: 'found',
          ipPreference: 'IPv4_ONLY',
        },
      },
      backends: backendWith(bySecret),
      backendDefaults: { clientPolicy: bySecret },
      logging: accessLog({ json: [{ key: 'status', value: 'a%%' }] }),
    },
  ),
  nodeSpecimen(
    'grpc',
    {
      healthCheck: { ...healthCheck('http2'), path: '/healthy' },
      connectionPool: { grpc: { maxRequests: 10 } },
      timeout: { grpc: { perRequest: seconds(5), idle: seconds(6) } },
    },
    { serviceDiscovery: { announced: {} } },
  ),
  nodeSpecimen(
    'tcp',
    { connectionPool: { tcp: { maxConnections: 10 } }, timeout: { tcp: { idle: seconds(6) } } },
    {},
  ),
];

/** Every way in which a header may be compared, and a header that only has to be there. */
const headers = [
  { name: 'exact', invert: true, match: { exact: 'a' } },
  { name: 'prefix', match: { prefix: 'a' } },
  { name: 'suffix', match: { suffix: 'a' } },
  { name: 'regex', match: { regex: 'a' } },
  { name: 'range', match: { range: { start: 1, end: 9 } } },
  { name: 'present' },
];
const action = {
  weightedTargets: [
    { virtualNodeRef: { name: 'target' }, weight: 60, port },
    { virtualNodeRef: { name: 'other' }, weight: 40, port },
  ],
};
const retryPolicy = {
  maxRetries: 3,
  perRetryTimeout: seconds(1),
  httpRetryEvents: ['server-error'],
  tcpRetryEvents: ['connection-error'],
};
const httpRoute = (path: Plain) => ({
  match: {
    ...path,
    headers,
    queryParameters: [{ name: 'page', match: { exact: '1' } }],
    method: 'GET',
    scheme: 'http',
    port,
  },
  action,
  retryPolicy,
  timeout: { perRequest: seconds(5), idle: seconds(6) },
});

/** A router that `web` calls by the service before it. */
function routerSpecimen(protocol: string, routes?: readonly Plain[]): Specimen {
  const listeners = [{ portMapping: { port, protocol } }];
  const target = (name: string) =>
    document('VirtualNode', name, { listeners, serviceDiscovery: endpoints });
  return {
    subject: document('VirtualRouter', 'subject', { listeners, ...(routes && { routes }) }, labels),
    others: [
      mesh,
      caller,
      document('VirtualService', 'called.local', {
        provider: { virtualRouter: { virtualRouterRef: { name: 'subject' } } },
      }),
      target('target'),
      target('other'),
    ],
  };
}

const httpRoutes = (kind: 'httpRoute' | 'http2Route') =>
  [{ prefix: '/a' }, { path: { exact: '/b' } }, { path: { regex: '/c' } }].map((path, index) => ({
    name: `route${index}`,
    priority: 10 + index,
    [kind]: httpRoute(path),
  }));

const routers: readonly Specimen[] = [
  routerSpecimen('http'),
  routerSpecimen('http', httpRoutes('httpRoute')),
  routerSpecimen('http2', httpRoutes('http2Route')),
  routerSpecimen('grpc', [
    {
      name: 'main',
      priority: 10,
      grpcRoute: {
        match: { serviceName: 'shop.Reviews', methodName: 'List', metadata: headers, port },
        action,
        retryPolicy: { ...retryPolicy, grpcRetryEvents: ['cancelled'] },
        timeout: { perRequest: seconds(5), idle: seconds(6) },
      },
    },
  ]),
  routerSpecimen('tcp', [
    {
      name: 'main',
      priority: 10,
      tcpRoute: { match: { port }, action, timeout: { idle: seconds(6) } },
    },
  ]),
];

/** The document of `specimen` that is called `name`, as the subject. */
function about(specimen: Specimen, name: string): Specimen {
  const all = [...specimen.others, specimen.subject];
  const isIt = ({ metadata }: Document) => (metadata as Plain).name === name;
  const found = all.filter(isIt).map((one) => ({
    ...one,
    metadata: { ...(one.metadata as Plain), ...(one.kind === 'Mesh' ? {} : labels) },
  }));
  return { subject: found[0] as Document, others: all.filter((one) => !isIt(one)) };
}

const meshes: readonly Specimen[] = [
  {
    subject: {
      ...document('Mesh', 'matrix', {
        egressFilter: { type: 'ALLOW_ALL' },
        meshServiceDiscovery: { ipPreference: 'IPv4_ONLY' },
        meshOwner: '123456789012',
      }),
      metadata: { name: 'matrix', labels: { team: 'a' } },
    },
    others: [...bareNode.others.filter(({ kind }) => kind !== 'Mesh'), bareNode.subject],
  },
];

/** A gateway that leads to the node `target`, which listens on the same port. */
function gatewaySpecimen(protocol: string, listener: Plain, spec: Plain): Specimen {
  return {
    subject: document(
      'VirtualGateway',
      'subject',
      { listeners: [{ portMapping: { port, protocol }, ...listener }], ...spec },
      labels,
    ),
    others: [mesh, ...behindGateway(protocol)],
  };
}

function behindGateway(protocol: string): readonly Document[] {
  const listeners = [{ portMapping: { port, protocol } }];
  return [
    document('VirtualNode', 'target', { listeners, serviceDiscovery: endpoints }),
    provided('called.local', 'target'),
  ];
}

/** With a route to `target`, so that what the gateway says of its backends is in a cluster. */
function leading({ subject, others }: Specimen): Specimen {
  const route = document('GatewayRoute', 'route', {
    virtualGatewayRef: { name: 'subject' },
    http2Route: { match: { prefix: '/', port }, action: gatewayAction },
  });
  return { subject, others: [...others, route] };
}

const gatewayAction = { target: { virtualService: ref('called.local'), port } };

const gateways: readonly Specimen[] = [
  gatewaySpecimen('http', {}, {}),
  gatewaySpecimen(
    'http',
    { connectionPool: { http: { maxConnections: 10, maxPendingRequests: 10 } } },
    {},
  ),
  leading(
    gatewaySpecimen(
      'http2',
      {
        healthCheck: healthCheck('http2'),
        connectionPool: { http2: { maxRequests: 10 } },
        tls: { mode: 'STRICT', certificate: fileCertificate, validation: fileValidation },
      },
      {
        backendDefaults: { clientPolicy: byFile },
        logging: accessLog({ text: 'a %RESPONSE_CODE%' }),
      },
    ),
  ),
  leading(
    gatewaySpecimen(
      'http2',
      {
        healthCheck: { ...healthCheck('http2'), path: '/healthy' },
        tls: { mode: 'PERMISSIVE', certificate: secretCertificate, validation: secretValidation },
      },
      {
        backendDefaults: { clientPolicy: bySecret },
        logging: accessLog({ json: [{ key: 'status', value: 'a%%' }] }),
      },
    ),
  ),
  gatewaySpecimen('grpc', { connectionPool: { grpc: { maxRequests: 10 } } }, {}),
];

/** A route of the gateway `edge`, to the node behind it. */
function gatewayRouteSpecimen(protocol: string, match: Plain, rewrite?: Plain): Specimen {
  const route = {
    match: { ...match, port },
    action: { ...gatewayAction, ...(rewrite && { rewrite }) },
  };
  return {
    subject: document(
      'GatewayRoute',
      'subject',
      { virtualGatewayRef: { name: 'edge' }, priority: 10, [`${protocol}Route`]: route },
      labels,
    ),
    others: [
      mesh,
      document('VirtualGateway', 'edge', { listeners: [{ portMapping: { port, protocol } }] }),
      ...behindGateway(protocol),
    ],
  };
}

const conditions = {
  headers,
  queryParameters: [{ name: 'page', match: { exact: '1' } }],
  method: 'GET',
};
const gatewayRoutes: readonly Specimen[] = [
  ...['http', 'http2'].flatMap((protocol) => [
    gatewayRouteSpecimen(
      protocol,
      { prefix: '/a', hostname: { exact: 'shop.internal' }, ...conditions },
      {
        hostname: { defaultTargetHostname: 'DISABLED' },
        prefix: { defaultPrefix: 'DISABLED' },
      },
    ),
    gatewayRouteSpecimen(
      protocol,
      { prefix: '/a', hostname: { suffix: '.internal' } },
      { prefix: { value: '/b/' } },
    ),
    gatewayRouteSpecimen(protocol, { path: { exact: '/a' } }, { path: { exact: '/b' } }),
    gatewayRouteSpecimen(protocol, { path: { regex: '/c' } }),
  ]),
  gatewayRouteSpecimen(
    'grpc',
    { serviceName: 'shop.Reviews', hostname: { exact: 'shop.internal' }, metadata: headers },
    { hostname: { defaultTargetHostname: 'DISABLED' } },
  ),
  gatewayRouteSpecimen('grpc', { hostname: { suffix: '.internal' } }),
];

/** By the schema of the subject's kind; of a field the first specimen that has it is used. */
export const specimens: Readonly<Record<string, readonly Specimen[]>> = {
  'mesh.schema.json': meshes,
  'virtual-node.schema.json': nodes,
  'virtual-service.schema.json': [
    about(bareNode, 'called.local'),
    about(routers[0] as Specimen, 'called.local'),
  ],
  'virtual-router.schema.json': routers,
  'virtual-gateway.schema.json': gateways,
  'gateway-route.schema.json': gatewayRoutes,
};
