/**
 * From the documents of a revision to its meshes: each document is put into its mesh, every
 * reference is looked up, and what is left unsaid about other resources (a target's port) is filled
 * in. Documents may come in any order and any number of files. With one error there is no mesh at
 * all.
 */
import { assert, present } from '../base/assert.js';
import { lastListMemo, memo } from '../base/memo.js';
import { nearestName } from '../base/nearest-name.js';
import { compareText, hasErrors, type Problem } from '../base/problem.js';
import { checkNodes, checkServices } from './check-calls.js';
import { checkClientPolicies } from './check-client-policies.js';
import { checkGatewayRoutes } from './check-gateways.js';
import { checkPolicies } from './check-policies.js';
import { checkProviders } from './check-providers.js';
import { checkRouters } from './check-routers.js';
import { checkStrategies } from './check-strategies.js';
import type { Declarations, DeclaredRouter, MeshDocument } from './document.js';
import {
  type GatewayRoute,
  type Mesh,
  type MeshSettings,
  type RolloutPolicy,
  resourceKey,
  type VirtualGateway,
  type VirtualNode,
  type VirtualRouter,
  type VirtualService,
} from './model.js';
import {
  orderByName,
  orderGateway,
  orderGatewayRoute,
  orderNode,
  orderPolicy,
  orderRouter,
} from './order.js';
import { type Origin, renderOrigin } from './origins.js';
import { placeProblem, type Report, type Reported, reportInto } from './problems.js';
import { declared, type Scope, scopeOf } from './scope.js';

export interface ResolvedMeshes {
  /** Sorted by name; empty where `problems` has an error. */
  readonly meshes: readonly Mesh[];
  /** By resource key; also where there are errors. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** In no particular order. */
  readonly problems: readonly Problem[];
}

export function resolveMeshes(declarations: Declarations): ResolvedMeshes {
  const reported: Reported[] = [];
  const report = reportInto(reported);
  const documents = declarations.documents.toSorted(comparePlaces);
  const names = meshNames(documents);
  const ownNames = namesByRepository(documents);
  const unreadNames = new Set(declarations.unreadNames);
  const origins = new Map<string, Origin>();
  const members = new Map<string, MeshDocument[]>();
  for (const document of documents) {
    const own = ownNames.get(document.origin.repository) ?? names;
    const mesh = meshOf(document, { names, own, unreadNames: declarations.unreadNames, report });
    if (mesh === undefined) {
      unreadNames.add(document.name);
      continue;
    }
    const key = resourceKey({ mesh, kind: document.kind, name: document.name });
    const first = origins.get(key);
    if (first === undefined) {
      const inMesh = members.get(mesh) ?? [];
      origins.set(key, document.origin);
      members.set(mesh, inMesh);
      inMesh.push(document);
    } else if (document.resource !== undefined) {
      report(document, 'HG0402', ['metadata', 'name'], describeTwin(document.origin, first));
    }
  }
  const scopes = [...members].map(([mesh, inMesh]) =>
    scopeOf(mesh, inMesh, { unreadNames, report }),
  );
  for (const scope of scopes) {
    checkNodes(scope);
    checkClientPolicies(scope);
    checkServices(scope);
    checkRouters(scope);
    checkGatewayRoutes(scope);
    checkPolicies(scope);
    checkStrategies(scope);
    checkProviders(scope, declarations.providers);
  }
  const hasNoMesh = names.all.size === 0 && declarations.isComplete;
  const problems = [...(hasNoMesh ? [noMesh(documents)] : []), ...placeAll(reported)];
  const isUsable =
    declarations.isComplete &&
    !hasErrors(problems) &&
    documents.every(({ resource }) => resource !== undefined);
  return { meshes: isUsable ? orderByName(scopes.map(buildMesh)) : [], origins, problems };
}

/** File after file, whatever the order of the checks: a file may have to be parsed for its places. */
function placeAll(reported: readonly Reported[]): readonly Problem[] {
  return reported
    .toSorted((left, right) => comparePlaces(left.document, right.document))
    .map(placeProblem);
}

/** No repository goes before another: which of the two is meant, only people know. */
function describeTwin(twin: Origin, first: Origin): string {
  return twin.repository === first.repository
    ? `it is declared already at ${first.file}:${first.line}; remove or rename one`
    : `two repositories declare it, at ${renderOrigin(first)} and at ${renderOrigin(twin)}, and none ` +
        'goes before the other; remove or rename one';
}

function comparePlaces(left: MeshDocument, right: MeshDocument): number {
  return (
    compareText(left.origin.repository ?? '', right.origin.repository ?? '') ||
    compareText(left.origin.file, right.origin.file) ||
    left.origin.line - right.origin.line ||
    left.origin.column - right.origin.column
  );
}

function noMesh(documents: readonly MeshDocument[]): Problem {
  const [first] = documents;
  const found =
    first === undefined ? 'no resource at all' : `${documents.length} resources and no Mesh`;
  return {
    code: 'HG0403',
    severity: 'error',
    message:
      `the revision has ${found}; add a document with apiVersion: headgate/v1, kind: Mesh and ` +
      'metadata: { name: NAME }',
    file: first?.origin.file ?? '',
    line: first?.origin.line ?? 0,
    column: first?.origin.column ?? 0,
    found,
    allowed: 'one Mesh or more',
  };
}

interface MeshNames {
  readonly all: ReadonlySet<string>;
  /** Without meshes whose own document has errors. */
  readonly valid: ReadonlySet<string>;
}

function meshNames(documents: readonly MeshDocument[]): MeshNames {
  const meshes = documents.filter(({ kind }) => kind === 'Mesh');
  const valid = meshes.filter(({ resource }) => resource !== undefined);
  return {
    all: new Set(meshes.map(({ name }) => name)),
    valid: new Set(valid.map(({ name }) => name)),
  };
}

/** Of each repository that declares a mesh: what its other documents mean where they name none. */
function namesByRepository(
  documents: readonly MeshDocument[],
): ReadonlyMap<string | undefined, MeshNames> {
  const meshes = documents.filter(({ kind }) => kind === 'Mesh');
  const repositories = new Set(meshes.map(({ origin }) => origin.repository));
  return new Map(
    [...repositories].map((name) => [
      name,
      meshNames(meshes.filter(({ origin }) => origin.repository === name)),
    ]),
  );
}

interface MeshLookup {
  /** Of all repositories, and of the document's own where it declares any. */
  readonly names: MeshNames;
  readonly own: MeshNames;
  readonly unreadNames: ReadonlySet<string>;
  readonly report: Report;
}

/** The mesh that `document` belongs to; undefined, and a problem, where it cannot be known. */
function meshOf(document: MeshDocument, lookup: MeshLookup): string | undefined {
  const { names, own, unreadNames, report } = lookup;
  if (document.mesh === undefined) {
    if (own.valid.size > 1 && document.resource !== undefined) {
      const allowed = [...own.all].sort().join(', ');
      const text =
        `metadata.mesh is missing, and the repository has several meshes: ${allowed}; ` +
        'add the one it belongs to';
      report(document, 'HG0404', ['metadata'], text, { allowed });
    }
    const [only = ''] = own.valid.size > 0 ? own.valid : own.all;
    return own.valid.size > 1 ? undefined : only;
  }
  if (names.all.has(document.mesh)) {
    return document.mesh;
  }
  if (!unreadNames.has(document.mesh) && document.resource !== undefined) {
    const suggestion = nearestName(document.mesh, names.all);
    const hint =
      suggestion === undefined ? 'add it, or correct the name' : `did you mean ${suggestion}?`;
    const text = `Mesh ${document.mesh} is not in the repository; ${hint}`;
    const details = { found: document.mesh, suggestion };
    report(document, 'HG0401', ['metadata', 'mesh'], text, details);
  }
  return undefined;
}

/**
 * The mesh of `scope`, whose documents have passed every check. What is made of the same declared resource,
 * and of the same ports of a router's targets, is the same object.
 */
function buildMesh(scope: Scope): Mesh {
  const [settings] = declared(scope, 'Mesh');
  assert(settings !== undefined, `mesh ${scope.mesh} has a Mesh document`);
  const resources = <Kind extends Parameters<typeof declared>[1]>(kind: Kind) =>
    declared(scope, kind).map(([, resource]) => resource);
  const nodes = resources('VirtualNode');
  const ports = new Map(nodes.map((node) => [node.name, node.listeners[0]?.port]));
  return {
    name: scope.mesh,
    settings: build.settings(settings[1]),
    virtualNodes: orderByName(nodes.map(build.node)),
    virtualServices: orderByName(resources('VirtualService').map(build.service)),
    virtualRouters: orderByName(
      resources('VirtualRouter').map((router) => build.router(router, targetPorts(router, ports))),
    ),
    virtualGateways: orderByName(resources('VirtualGateway').map(build.gateway)),
    gatewayRoutes: orderByName(resources('GatewayRoute').map(build.gatewayRoute)),
    rolloutPolicies: orderByName(resources('RolloutPolicy').map(build.policy)),
  };
}

const build = {
  settings: memo((settings: MeshSettings) => plain(settings)),
  node: memo((node: VirtualNode) => plain(orderNode(node))),
  service: memo((service: VirtualService) => plain(service)),
  router: lastListMemo((router: DeclaredRouter, ports: readonly number[]) =>
    plain(orderRouter(linkRouter(router, ports))),
  ),
  gateway: memo((gateway: VirtualGateway) => plain(orderGateway(gateway))),
  gatewayRoute: memo((route: GatewayRoute) => plain(orderGatewayRoute(route))),
  policy: memo((policy: RolloutPolicy) => plain(orderPolicy(policy))),
} as const;

/**
 * The port of each target of `router`, route by route. A target without one means its node's only
 * listener; `ports` has the first of each node.
 */
function targetPorts(
  { routes }: DeclaredRouter,
  ports: ReadonlyMap<string, number | undefined>,
): readonly number[] {
  return routes.flatMap(({ targets }) =>
    targets.map(
      ({ virtualNode, port }) =>
        port ?? present(ports.get(virtualNode), `listener of ${virtualNode}`),
    ),
  );
}

/** `ports` as `targetPorts` found them. */
function linkRouter(router: DeclaredRouter, ports: readonly number[]): VirtualRouter {
  let next = 0;
  const routes = router.routes.map((route) => ({
    ...route,
    targets: route.targets.map(({ virtualNode, weight }) => {
      const port = present(ports[next], `port of ${virtualNode}`);
      next += 1;
      return { virtualNode, port, weight };
    }),
  }));
  return { ...router, routes };
}

/**
 * `value` without undefined members: what is stored and read back is then equal to what was built.
 */
function plain<Value>(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(plain) as Value;
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, plain(member)])) as Value;
}
