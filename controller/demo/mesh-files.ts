/** The demo's mesh repository: what a team would write, with the ports that are free here. */

export interface DemoPorts {
  /** By version: the ingress port of its Envoy; undefined: its Envoys announce where they are. */
  readonly checkout?: Readonly<Record<string, number>>;
  /** By version: the port of the service itself, behind its Envoy. */
  readonly app: Readonly<Record<string, number>>;
}

/** The file that the story changes: which version of checkout gets how much of the traffic. */
export const routeFile = 'checkout.yaml';

/** The version whose every third answer is an error. */
export const badVersion = 'v3';

/** All files of the first commit. */
export function meshFiles(ports: DemoPorts): Readonly<Record<string, string>> {
  const nodes = Object.entries(ports.app).map(([version, port]) =>
    node(version, port, ports.checkout?.[version]),
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

function node(version: string, appPort: number, ingressPort: number | undefined): string {
  const discovery =
    ingressPort === undefined
      ? `    announced: {}
`
      : `    static:
      endpoints:
        - address: 127.0.0.1
          port: ${ingressPort}
`;
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
${discovery}`;
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
          maxRetries: 3
          perRetryTimeout:
            unit: s
            value: 5
          tcpRetryEvents:
            - connection-error
          httpRetryEvents:
            - stream-error
            - gateway-error
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
