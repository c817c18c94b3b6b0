/**
 * What the input names and no file of it defines. A part of a mesh is imported as well as the whole, so
 * each such name gets the least that keeps the rest valid: a service that answers 404, a node whose
 * endpoints are the Envoys that announce themselves, a mesh with App Mesh's defaults. Each says so in its
 * file and is a loss in the report: the file that has it should be imported too.
 */
import type { Protocol } from '../mesh/model.js';
import { type Definition, isAccount } from './definition.js';
import { emptyOut, fieldIn, type OutMap, type OutNode, outOf, withField } from './output.js';
import type { Report } from './report.js';
import type { ImportedKind, Resource } from './resource.js';

/** What nothing says otherwise: the port of App Mesh's own examples. */
const standInPort = 8080;

interface Wanted {
  readonly kind: ImportedKind;
  readonly name: string;
  readonly mesh: string;
  readonly by: Resource;
  /** For what listens. */
  readonly port?: number;
  readonly protocol?: Protocol;
}

/** `resources`, and what they need that is not among them. */
export function withStandIns(
  resources: readonly Resource[],
  definitions: readonly Definition[],
  report: Report,
): readonly Resource[] {
  const completed = resources.map((one) =>
    one.kind === 'VirtualRouter' ? withListeners(one, resources, report) : one,
  );
  const all = [...completed];
  // Nothing that is made up asks for more than a mesh, so one round finds everything.
  const missing = completed.flatMap(wantedBy).filter((wanted) => !has(all, wanted));
  for (const group of groups(missing)) {
    all.push(standIn(group, report));
  }
  return withMeshes(all, definitions, report);
}

function has(resources: readonly Resource[], { kind, name, mesh }: Wanted): boolean {
  return resources.some((one) => one.kind === kind && one.name === name && one.mesh === mesh);
}

function groups(wanted: readonly Wanted[]): readonly (readonly [Wanted, ...Wanted[]])[] {
  const byName = new Map<string, [Wanted, ...Wanted[]]>();
  for (const one of wanted) {
    const key = `${one.mesh}/${one.kind}/${one.name}`;
    const group = byName.get(key);
    if (group === undefined) {
      byName.set(key, [one]);
    } else {
      group.push(one);
    }
  }
  return [...byName.values()];
}

function wantedBy(by: Resource): readonly Wanted[] {
  const { mesh, spec } = by;
  const want = (
    kind: ImportedKind,
    node: OutNode | undefined,
    more: Partial<Wanted> = {},
  ): Wanted[] => {
    const name = textIn(node);
    return name === undefined ? [] : [{ kind, name, mesh, by, ...more }];
  };
  switch (by.kind) {
    case 'VirtualService':
      return [
        ...want('VirtualNode', fieldIn(spec, 'provider', 'virtualNode', 'virtualNodeRef', 'name')),
        ...want(
          'VirtualRouter',
          fieldIn(spec, 'provider', 'virtualRouter', 'virtualRouterRef', 'name'),
        ),
      ];
    case 'VirtualNode':
      return itemsIn(fieldIn(spec, 'backends')).flatMap((backend) =>
        want('VirtualService', fieldIn(backend, 'virtualService', 'virtualServiceRef', 'name')),
      );
    case 'VirtualRouter':
      return itemsIn(fieldIn(spec, 'routes')).flatMap((route) => {
        const { protocol, body } = routeOf(route);
        const listeners = itemsIn(fieldIn(spec, 'listeners')).map((item) =>
          fieldIn(item, 'portMapping'),
        );
        const listener = listeners.find((one) => textIn(fieldIn(one, 'protocol')) === protocol);
        const port =
          numberIn(fieldIn(body, 'match', 'port')) ?? numberIn(fieldIn(listener, 'port'));
        return itemsIn(fieldIn(body, 'action', 'weightedTargets')).flatMap((target) =>
          want('VirtualNode', fieldIn(target, 'virtualNodeRef', 'name'), {
            protocol,
            port: numberIn(fieldIn(target, 'port')) ?? port,
          }),
        );
      });
    case 'GatewayRoute': {
      const { protocol, body } = routeOf(spec);
      const port = numberIn(fieldIn(body, 'match', 'port'));
      const service = fieldIn(
        body,
        'action',
        'target',
        'virtualService',
        'virtualServiceRef',
        'name',
      );
      return [
        ...want('VirtualGateway', fieldIn(spec, 'virtualGatewayRef', 'name'), { protocol, port }),
        ...want('VirtualService', service),
      ];
    }
    default:
      return [];
  }
}

const routeKinds = [
  ['httpRoute', 'http'],
  ['http2Route', 'http2'],
  ['grpcRoute', 'grpc'],
  ['tcpRoute', 'tcp'],
] as const satisfies readonly (readonly [string, Protocol])[];

function routeOf(route: OutNode | undefined): {
  readonly protocol: Protocol;
  readonly body?: OutNode;
} {
  for (const [field, protocol] of routeKinds) {
    const body = fieldIn(route, field);
    if (body !== undefined) {
      return { protocol, body };
    }
  }
  return { protocol: 'http' };
}

function standIn(wanted: readonly [Wanted, ...Wanted[]], report: Report): Resource {
  const [{ kind, name, mesh, by }] = wanted;
  const madeUp = `${by.kind} ${by.name} names it, and no file of the input defines it`;
  const subject = `${kind} ${name}`;
  report.add({
    outcome: 'defaulted',
    resource: subject,
    place: by.place,
    to: [],
    reason: `${madeUp}: ${what[kind]}; import the file that has it too`,
    isLoss: true,
  });
  return { kind, name, mesh, labels: [], spec: standInSpec(kind, wanted), place: by.place, madeUp };
}

const what: Readonly<Record<ImportedKind, string>> = {
  Mesh: "it stands in with App Mesh's defaults",
  VirtualNode: 'a node that has no endpoints until its Envoys announce themselves stands in',
  VirtualService: 'a service without a provider, which answers 404, stands in',
  VirtualRouter: 'a router without routes, which answers 404, stands in',
  VirtualGateway: 'a gateway with one plain listener stands in',
  GatewayRoute: 'it stands in',
};

function standInSpec(kind: ImportedKind, wanted: readonly Wanted[]): OutNode | undefined {
  switch (kind) {
    case 'VirtualNode':
      return withField(listenersFor(wanted), 'serviceDiscovery', outOf({ announced: {} }));
    case 'VirtualRouter':
    case 'VirtualGateway':
      return listenersFor(wanted);
    default:
      return undefined;
  }
}

/** A listener for each port that is asked for; the first protocol that is, on each. */
function listenersFor(
  wanted: readonly { readonly port?: number; readonly protocol?: Protocol }[],
): OutMap {
  const protocols = new Map<number, Protocol>();
  for (const { port = standInPort, protocol = 'http' } of wanted) {
    if (!protocols.has(port)) {
      protocols.set(port, protocol);
    }
  }
  const listeners = [...protocols].map(([port, protocol]) => ({ portMapping: { port, protocol } }));
  return outOf({ listeners }) as OutMap;
}

/** A router that came without listeners listens where its routes' targets do. */
function withListeners(router: Resource, resources: readonly Resource[], report: Report): Resource {
  if (fieldIn(router.spec, 'listeners') !== undefined) {
    return router;
  }
  const wanted = itemsIn(fieldIn(router.spec, 'routes')).map((route) => {
    const { protocol, body } = routeOf(route);
    const [target] = itemsIn(fieldIn(body, 'action', 'weightedTargets'));
    const name = textIn(fieldIn(target, 'virtualNodeRef', 'name'));
    const node = resources.find(
      (one) => one.kind === 'VirtualNode' && one.mesh === router.mesh && one.name === name,
    );
    const listener = itemsIn(fieldIn(node?.spec, 'listeners'))
      .map((item) => fieldIn(item, 'portMapping'))
      .find((mapping) => textIn(fieldIn(mapping, 'protocol')) === protocol);
    const port =
      numberIn(fieldIn(body, 'match', 'port')) ??
      numberIn(fieldIn(target, 'port')) ??
      numberIn(fieldIn(listener, 'port'));
    return { protocol, port };
  });
  const made = listenersFor(wanted.length === 0 ? [{}] : wanted);
  const ports = itemsIn(fieldIn(made, 'listeners')).map((item) =>
    numberIn(fieldIn(item, 'portMapping', 'port')),
  );
  report.add({
    outcome: 'defaulted',
    resource: `VirtualRouter ${router.name}`,
    place: router.place,
    to: ['spec', 'listeners'],
    value: ports.join(', '),
    reason:
      router.madeUp === undefined
        ? 'it has no listeners; it listens where its targets do'
        : `${router.madeUp}: it listens where its targets do; import the file that has it too`,
    isLoss: true,
  });
  const spec = router.spec?.kind === 'map' ? router.spec : emptyOut;
  return { ...router, spec: { ...spec, entries: [...made.entries, ...spec.entries] } };
}

/** Every mesh that something belongs to, and on each the owner that its resources name. */
function withMeshes(
  resources: readonly Resource[],
  definitions: readonly Definition[],
  report: Report,
): readonly Resource[] {
  const meshes = [...new Set(resources.map((one) => one.mesh))];
  const made = meshes.flatMap((mesh): Resource[] => {
    const first = resources.find((one) => one.mesh === mesh);
    const isThere = resources.some((one) => one.kind === 'Mesh' && one.name === mesh);
    if (isThere || first === undefined) {
      return [];
    }
    const reason = "no file of the input defines the mesh; it has App Mesh's defaults (DROP_ALL)";
    report.add({
      outcome: 'defaulted',
      resource: `Mesh ${mesh}`,
      place: first.place,
      to: [],
      reason,
      isLoss: true,
    });
    return [{ kind: 'Mesh', name: mesh, mesh, labels: [], place: first.place, madeUp: reason }];
  });
  return [...made, ...resources].map((one) =>
    one.kind === 'Mesh' ? withOwnerOf(one, definitions) : one,
  );
}

function withOwnerOf(mesh: Resource, definitions: readonly Definition[]): Resource {
  const owners = definitions
    .filter((one) => one.mesh?.text === mesh.name)
    .flatMap((one) => one.meshOwner?.text ?? [])
    .filter(isAccount);
  const [owner] = owners;
  const isThere = fieldIn(mesh.spec, 'meshOwner') !== undefined;
  const spec = mesh.spec?.kind === 'map' ? mesh.spec : emptyOut;
  return owner === undefined || isThere
    ? mesh
    : { ...mesh, spec: withField(spec, 'meshOwner', outOf(owner)) };
}

function itemsIn(node: OutNode | undefined): readonly OutNode[] {
  return node?.kind === 'list' ? node.items.map((item) => item.node) : [];
}

function textIn(node: OutNode | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

function numberIn(node: OutNode | undefined): number | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'number' ? node.value : undefined;
}
