/** The demo's mesh repository: what a team would write, with the ports that are free here. */

export interface DemoPorts {
  /** By version: the ingress port of its Envoy, which callers connect to. */
  readonly checkout: Readonly<Record<string, number>>;
  /** By version: the port of the service itself, behind its Envoy. */
  readonly app: Readonly<Record<string, number>>;
}

/** The file that the story changes: which version of checkout gets how much of the traffic. */
export const routeFile = 'checkout.yaml';

/** All files of the first commit. */
export function meshFiles(ports: DemoPorts): Readonly<Record<string, string>> {
  const nodes = Object.entries(ports.checkout).map(([version, port]) =>
    node(version, port, ports.app[version] ?? 0),
  );
  return {
    'mesh.yaml': mesh,
    'web.yaml': web,
    'nodes.yaml': nodes.join('---\n'),
    [routeFile]: checkout('v1'),
    'policy.yaml': policy,
  };
}

const mesh = `apiVersion: headgate/v1
kind: Mesh
metadata:
  name: shop
spec: {}
`;

const web = `# The shop's front end: it calls checkout through its own Envoy.
apiVersion: headgate/v1
kind: VirtualNode
metadata:
  name: web
spec:
  backends:
    - virtualService:
        virtualServiceRef:
          name: checkout.shop.local
`;

function node(version: string, ingressPort: number, appPort: number): string {
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata:
  name: checkout-${version}
spec:
  listeners:
    - portMapping:
        port: ${appPort}
        protocol: http
  serviceDiscovery:
    static:
      endpoints:
        - address: 127.0.0.1
          port: ${ingressPort}
`;
}

/** The service and its router, all traffic on \`version\`. */
export function checkout(version: string): string {
  return `apiVersion: headgate/v1
kind: VirtualService
metadata:
  name: checkout.shop.local
spec:
  provider:
    virtualRouter:
      virtualRouterRef:
        name: checkout
---
apiVersion: headgate/v1
kind: VirtualRouter
metadata:
  name: checkout
spec:
  listeners:
    - portMapping:
        port: 8080
        protocol: http
  routes:
    - name: all
      httpRoute:
        match:
          prefix: /
        action:
          weightedTargets:
            - virtualNodeRef:
                name: checkout-${version}
              weight: 100
        retryPolicy:
          maxRetries: 1
          perRetryTimeout:
            unit: s
            value: 5
          tcpRetryEvents:
            - connection-error
          httpRetryEvents:
            - stream-error
`;
}

/** A real policy bakes for minutes; the demo shows the same in seconds. */
const policy = `apiVersion: headgate/v1
kind: RolloutPolicy
metadata:
  name: quick
spec:
  steps:
    - { progress: 10, bake: 4s }
    - { progress: 25, bake: 3s }
    - { progress: 50, bake: 3s }
    - { progress: 100, bake: 3s }
  gates:
    - name: success
      successRate: { min: 99, window: 6s, minRequests: 20 }
`;
