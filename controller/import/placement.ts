/**
 * Which mesh a definition belongs to, and which gateway a gateway route: said by name in App Mesh's API,
 * chosen by selectors in Kubernetes.
 */
import type { Definition } from './definition.js';
import { appMeshName } from './kubernetes.js';
import { childOf, entryOf, FaultError, type SourceNode, textOf } from './source.js';

export interface Surroundings {
  readonly definitions: readonly Definition[];
  /** Labels of Kubernetes namespaces by name, as far as the input has them. */
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** For definitions that name no mesh. */
  readonly mesh?: string;
  /** Those of `definitions` that are meshes. */
  readonly meshes: readonly Definition[];
  readonly gateways: readonly Definition[];
  /** Of every mesh that is defined or named, sorted. */
  readonly meshNames: readonly string[];
}

export function surroundings(
  definitions: readonly Definition[],
  namespaces: Surroundings['namespaces'],
  mesh: string | undefined,
): Surroundings {
  const ofKind = (kind: Definition['kind']) => definitions.filter((one) => one.kind === kind);
  const meshes = ofKind('Mesh');
  const named = definitions.flatMap((one) => one.mesh?.text ?? []);
  const meshNames = [...new Set([...meshes.map(({ name }) => name), ...named])].sort();
  return { definitions, namespaces, mesh, meshes, gateways: ofKind('VirtualGateway'), meshNames };
}

/** Where nothing at all says how the mesh is called. */
export const standInMesh = 'mesh';
/** Where a gateway route comes without its gateway's name, and a route without its router's. */
export const standInGateway = 'gateway';
export const standInRouter = 'router';

/** @throws FaultError where it might belong to several. */
export function meshOf(definition: Definition, around: Surroundings): string {
  const { meshes, meshNames } = around;
  if (definition.kind === 'Mesh') {
    return definition.name;
  }
  const written = textOf(childOf(definition.spec, 'meshRef', 'name'));
  const named =
    definition.mesh?.text ?? meshes.find((one) => one.objectName === written)?.name ?? written;
  if (named !== undefined) {
    return named;
  }
  const selecting = meshes.filter((mesh) => selectsNamespace(mesh, definition, around) === true);
  const [selected] = selecting;
  if (selected !== undefined && selecting.length === 1) {
    return selected.name;
  }
  if (around.mesh !== undefined) {
    return around.mesh;
  }
  if (meshNames.length > 1) {
    const names = meshNames.join(', ');
    throw new FaultError(
      definition.place,
      `${definition.kind} ${definition.name} names no mesh, and the input has ${names}; give --mesh, or import each mesh by itself`,
    );
  }
  return meshNames[0] ?? standInMesh;
}

/** The App Mesh name of the gateway of the GatewayRoute `route`; undefined: nothing says which. */
export function gatewayOf(
  route: Definition,
  mesh: string,
  around: Surroundings,
): string | undefined {
  if (route.parent !== undefined) {
    return route.parent.text;
  }
  const reference = childOf(route.spec, 'virtualGatewayRef');
  const objectName = textOf(childOf(reference, 'name'));
  const gateways = around.gateways.filter((one) => meshOf(one, around) === mesh);
  if (objectName !== undefined) {
    const namespace = textOf(childOf(reference, 'namespace')) ?? route.namespace;
    const found = gateways.find(
      (one) => one.objectName === objectName && one.namespace === namespace,
    );
    return found?.name ?? appMeshName('VirtualGateway', objectName, namespace);
  }
  const chosen = route.form === 'Kubernetes' ? selecting(gateways, route, around) : gateways;
  if (chosen.length > 1) {
    const names = chosen.map((one) => one.name).join(', ');
    const advice =
      route.form === 'Kubernetes'
        ? 'add spec.virtualGatewayRef with the name of one, or the Namespace whose labels decide'
        : 'add virtualGatewayName';
    throw new FaultError(
      route.place,
      `GatewayRoute ${route.name} may belong to each of ${names}; ${advice}`,
    );
  }
  return chosen[0]?.name;
}

/** The gateways whose selectors take `route`; where no labels are known to go by, those that might. */
function selecting(
  gateways: readonly Definition[],
  route: Definition,
  around: Surroundings,
): readonly Definition[] {
  const labels = new Map(route.labels.map((entry) => [entry.key, textOf(entry.node) ?? '']));
  const candidates = gateways.filter(({ form, spec }) => {
    const selector = childOf(spec, 'gatewayRouteSelector');
    return form === 'Kubernetes' && (selector === undefined || matches(selector, labels));
  });
  const certain = candidates.filter((one) => selectsNamespace(one, route, around) === true);
  return certain.length > 0
    ? certain
    : candidates.filter((one) => selectsNamespace(one, route, around) !== false);
}

/**
 * Whether the `namespaceSelector` of `owner` takes the namespace of `definition`; undefined where the
 * namespace's labels are not known.
 */
function selectsNamespace(
  owner: Definition,
  definition: Definition,
  around: Surroundings,
): boolean | undefined {
  const selector = childOf(owner.spec, 'namespaceSelector');
  const labels = around.namespaces.get(definition.namespace ?? '');
  if (owner.form !== 'Kubernetes' || definition.form !== 'Kubernetes') {
    return undefined;
  }
  if (selector === undefined) {
    return false;
  }
  return labels === undefined && hasTerms(selector)
    ? undefined
    : matches(selector, labels ?? new Map());
}

function hasTerms(selector: SourceNode): boolean {
  return ['matchLabels', 'matchExpressions'].some((key) => entryOf(selector, key) !== undefined);
}

/** By Kubernetes' LabelSelector; an empty one matches everything. */
export function matches(selector: SourceNode, labels: ReadonlyMap<string, string>): boolean {
  const equal = childOf(selector, 'matchLabels');
  const expressions = childOf(selector, 'matchExpressions');
  const wanted = equal?.kind === 'map' ? equal.entries : [];
  const terms = expressions?.kind === 'list' ? expressions.items : [];
  return (
    wanted.every((entry) => labels.get(entry.key) === textOf(entry.node)) &&
    terms.every(({ node }) => holds(node, labels))
  );
}

function holds(term: SourceNode, labels: ReadonlyMap<string, string>): boolean {
  const value = labels.get(textOf(childOf(term, 'key')) ?? '');
  const list = childOf(term, 'values');
  const values = list?.kind === 'list' ? list.items.map((item) => textOf(item.node)) : [];
  switch (textOf(childOf(term, 'operator'))) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
