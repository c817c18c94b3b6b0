/**
 * Definitions → resources: each in its mesh, with its name and labels, routes in their routers and gateway
 * routes at their gateways.
 */

import { present } from '../base/assert.js';
import { canonicalJson } from '../base/hash.js';
import { fieldOfSchema, itemsOf, type Schema, schemaOf } from '../decode/schema-walk.js';
import type { FieldPath } from '../mesh/document.js';
import { type Conversion, resolution } from './conversion.js';
import { convert } from './convert.js';
import { type Definition, isAccount, type Named, subjectOf } from './definition.js';
import { type Names, nameReason } from './names.js';
import {
  emptyOut,
  fieldIn,
  type OutEntry,
  type OutItem,
  type OutMap,
  type OutNode,
  outOf,
  withField,
} from './output.js';
import {
  gatewayOf,
  meshOf,
  type Surroundings,
  standInGateway,
  standInRouter,
} from './placement.js';
import type { Report } from './report.js';
import { type ImportedKind, type Resource, schemaFileOf } from './resource.js';
import { childOf, plainOf, textOf } from './source.js';

interface Assembly {
  readonly around: Surroundings;
  readonly names: Names;
  readonly report: Report;
  readonly hasSeveralMeshes: boolean;
}

interface Placed {
  readonly definition: Definition;
  readonly mesh: string;
}

export function assemble(around: Surroundings, names: Names, report: Report): readonly Resource[] {
  const all = around.definitions.map((definition) => ({
    definition,
    mesh: meshOf(definition, around),
  }));
  const hasSeveralMeshes = new Set(all.map((one) => one.mesh)).size > 1;
  const assembly: Assembly = { around, names, report, hasSeveralMeshes };
  const placed = withoutTwins(all, assembly);
  const ofMesh = (kind: Definition['kind'], mesh: string) =>
    placed.filter((one) => one.definition.kind === kind && one.mesh === mesh);
  const resources: Resource[] = [];
  for (const one of placed) {
    const { kind } = one.definition;
    switch (kind) {
      case 'Route':
        break;
      case 'BackendGroup':
        reportGroup(one.definition, report);
        break;
      case 'VirtualRouter':
        resources.push(
          router(
            one,
            routesOf(
              one.definition.name,
              ofMesh('Route', one.mesh),
              ofMesh('VirtualRouter', one.mesh),
            ),
            assembly,
          ),
        );
        break;
      default:
        resources.push(resource(one, kind, assembly));
    }
  }
  return [...resources, ...routersThatAreMissing(placed, assembly)];
}

/** The first of those with one name; two that differ cannot both be meant. */
function withoutTwins(all: readonly Placed[], { report }: Assembly): readonly Placed[] {
  const first = new Map<string, Definition>();
  return all.filter(({ definition, mesh }) => {
    const parent = definition.kind === 'Route' ? (definition.parent?.text ?? '') : '';
    const key = canonicalJson([
      mesh,
      definition.kind,
      parent,
      definition.name,
      definition.kind === 'BackendGroup' ? (definition.namespace ?? '') : '',
    ]);
    const known = first.get(key);
    if (known === undefined) {
      first.set(key, definition);
      return true;
    }
    const isSame = canonicalJson(specOf(known)) === canonicalJson(specOf(definition));
    const where = `${known.place.file}:${known.place.line}`;
    const entry = {
      outcome: 'dropped',
      resource: subjectOf(definition),
      reason: `defined at ${where} too, ${isSame ? 'in the same words' : 'in other words; the first is kept'}`,
      isLoss: !isSame,
    } as const;
    report.add({ ...entry, place: definition.place, from: definition.specPath.slice(0, -1) });
    if (definition.spec !== undefined) {
      report.addLeaves(definition.spec, definition.specPath, entry);
    }
    reportNames(definition, entry, report);
    return false;
  });
}

function specOf({ spec }: Definition): unknown {
  return spec === undefined ? {} : plainOf(spec);
}

function reportNames(
  definition: Definition,
  entry: Parameters<Report['addLeaves']>[2],
  report: Report,
): void {
  for (const named of [
    definition.nameSource,
    definition.mesh,
    definition.meshOwner,
    definition.parent,
  ]) {
    if (named?.node !== undefined) {
      report.addLeaves(named.node, named.path, entry);
    }
  }
  for (const label of definition.labels) {
    const from = [...definition.labelsPath, label.key];
    report.add({ ...entry, place: label.keyPlace, from, isLoss: false });
    report.addLeaves(label.node, from, entry);
  }
}

/** `parent`: those that say so, and in a mesh of one router those that do not say. */
function routesOf(
  name: string,
  routes: readonly Placed[],
  routers: readonly Placed[],
): readonly Definition[] {
  return routes
    .map((one) => one.definition)
    .filter(
      (route) => (route.parent?.text ?? (routers.length === 1 ? name : standInRouter)) === name,
    );
}

function conversionOf(
  definition: Definition,
  subject: string,
  { names, report }: Assembly,
): Conversion {
  return { definition, subject, names, report };
}

function resource({ definition, mesh }: Placed, kind: ImportedKind, assembly: Assembly): Resource {
  const subject = subjectOf(definition);
  reportIdentity(definition, mesh, subject, assembly);
  let spec = convertSpec(definition, kind, subject, assembly);
  if (kind === 'VirtualNode') {
    spec = withGroupedBackends(spec, definition, assembly);
  }
  if (kind === 'GatewayRoute') {
    spec = withGateway(spec ?? emptyOut, definition, mesh, assembly);
  }
  if (kind === 'Mesh' && definition.meshOwner !== undefined) {
    spec = withOwner(spec, definition.meshOwner, subject, assembly);
  }
  return {
    kind,
    name: definition.name,
    mesh,
    labels: labelsOf(definition, subject, assembly.report),
    spec,
    place: definition.place,
    comment: definition.comment,
  };
}

function convertSpec(
  definition: Definition,
  kind: ImportedKind,
  subject: string,
  assembly: Assembly,
): OutMap | undefined {
  const { spec, specPath } = definition;
  if (spec === undefined) {
    return undefined;
  }
  const at = { from: specPath, to: ['spec'] };
  const made = convert(spec, specSchema(kind), at, conversionOf(definition, subject, assembly));
  return made?.kind === 'map' ? made : undefined;
}

function specSchema(kind: ImportedKind): Schema {
  return present(fieldOfSchema(schemaOf(schemaFileOf[kind]), 'spec'), `spec of ${kind}`).schema;
}

/** Its own routes first, in their order, and then those that were defined by themselves. */
function router(placed: Placed, routes: readonly Definition[], assembly: Assembly): Resource {
  const base = resource(placed, 'VirtualRouter', assembly);
  const spec = base.spec?.kind === 'map' ? base.spec : emptyOut;
  const inline = fieldIn(spec, 'routes');
  const own = inline?.kind === 'list' ? inline.items : [];
  const items = [...own, ...routeItems(routes, own.length, base, assembly)];
  const isWritten = inline !== undefined || items.length > 0;
  return {
    ...base,
    spec: isWritten ? withField(spec, 'routes', { kind: 'list', items }) : spec,
  };
}

function routeItems(
  routes: readonly Definition[],
  offset: number,
  { name, mesh }: Pick<Resource, 'name' | 'mesh'>,
  assembly: Assembly,
): readonly OutItem[] {
  const schema = present(
    itemsOf(present(fieldOfSchema(specSchema('VirtualRouter'), 'routes'), 'routes').schema),
    'route',
  );
  return routes.map((route, index) => {
    const subject = `VirtualRouter ${name}`;
    const to: FieldPath = ['spec', 'routes', offset + index];
    reportIdentity(route, mesh, subject, assembly, [...to, 'name']);
    for (const label of route.labels) {
      const dropped = {
        outcome: 'dropped',
        resource: subject,
        reason: 'a route has no labels of its own here; its router has',
      } as const;
      const from = [...route.labelsPath, label.key];
      assembly.report.add({ ...dropped, place: label.keyPlace, from, value: label.key });
      assembly.report.addLeaves(label.node, from, { ...dropped, isLoss: true });
    }
    const at = { from: route.specPath, to };
    const made =
      route.spec === undefined
        ? undefined
        : convert(route.spec, schema, at, conversionOf(route, subject, assembly));
    const rest = made?.kind === 'map' ? made : emptyOut;
    const entries: readonly OutEntry[] = [
      { key: 'name', node: outOf(route.name) },
      ...rest.entries,
    ];
    return { node: { ...rest, entries }, before: route.comment };
  });
}

/** Routers that routes stand in and nobody defines: made up with what their routes say of them. */
function routersThatAreMissing(placed: readonly Placed[], assembly: Assembly): readonly Resource[] {
  const routers = placed.filter((one) => one.definition.kind === 'VirtualRouter');
  const wanted = new Map<string, { mesh: string; name: string; routes: Definition[] }>();
  for (const { definition, mesh } of placed.filter((one) => one.definition.kind === 'Route')) {
    const inMesh = routers.filter((one) => one.mesh === mesh);
    const name =
      definition.parent?.text ??
      (inMesh.length === 1 ? inMesh[0]?.definition.name : standInRouter) ??
      standInRouter;
    if (!inMesh.some((one) => one.definition.name === name)) {
      const key = `${mesh}/${name}`;
      const group = wanted.get(key) ?? { mesh, name, routes: [] };
      group.routes.push(definition);
      wanted.set(key, group);
    }
  }
  return [...wanted.values()].map(({ mesh, name, routes }) => ({
    kind: 'VirtualRouter',
    name,
    mesh,
    labels: [],
    spec: {
      kind: 'map',
      entries: [
        {
          key: 'routes',
          node: { kind: 'list', items: routeItems(routes, 0, { name, mesh }, assembly) },
        },
      ],
    },
    place: (routes[0] as Definition).place,
    madeUp: `its routes are in the input, and no file defines VirtualRouter ${name}`,
  }));
}

/** Entries of what names a definition: its own name, its mesh and its parent. */
function reportIdentity(
  definition: Definition,
  mesh: string,
  resource: string,
  { report, hasSeveralMeshes }: Assembly,
  to: FieldPath = ['metadata', 'name'],
): void {
  const { nameSource } = definition;
  const reason = nameReason(definition);
  if (nameSource?.node === undefined) {
    report.add({
      outcome: 'defaulted',
      resource,
      place: definition.place,
      to,
      value: definition.name,
      reason,
      isLoss: true,
    });
  } else {
    reportNamed(nameSource, to, resource, reason, report);
  }
  if (definition.mesh !== undefined) {
    const to = hasSeveralMeshes && definition.kind !== 'Route' ? ['metadata', 'mesh'] : [];
    reportNamed(definition.mesh, to, resource, '', report);
  }
  if (definition.meshOwner !== undefined && definition.kind !== 'Mesh') {
    reportOwner(definition.meshOwner, resource, `spec.meshOwner of Mesh ${mesh}`, report);
  }
  if (definition.parent !== undefined && definition.kind === 'Route') {
    reportNamed(
      definition.parent,
      to.slice(0, 2),
      resource,
      'the route stands in its router',
      report,
    );
  }
}

function reportNamed(
  { node, path, text }: Named,
  to: FieldPath,
  resource: string,
  reason: string,
  report: Report,
): void {
  const from = resolution(present(node, 'node of a name'));
  const isSame = reason === '' && !from.isMissing;
  report.add({
    outcome: isSame ? 'carried' : 'changed',
    resource,
    place: present(node, 'node of a name').place,
    from: path,
    to,
    value: text,
    reason: [reason, from.reason].filter((part) => part !== '').join('; '),
  });
}

function labelsOf(definition: Definition, resource: string, report: Report): readonly OutEntry[] {
  const kept: OutEntry[] = [];
  for (const label of definition.labels) {
    const from = [...definition.labelsPath, label.key];
    const text = label.node.kind === 'scalar' ? label.node.text : '';
    const isName = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/.test(label.key);
    const isKept =
      isName &&
      text.length <= 256 &&
      kept.length < 50 &&
      !kept.some(({ key }) => key === label.key);
    report.addLeaves(label.node, from, {
      outcome: isKept ? 'carried' : 'dropped',
      resource,
      to: isKept ? ['metadata', 'labels', label.key] : undefined,
      reason: isKept
        ? resolution(label.node).reason
        : 'a label has a name of 1 to 128 letters, digits, dots, hyphens, underscores and slashes, and there are at most 50',
      isLoss: !isKept,
    });
    if (definition.form !== 'Kubernetes') {
      // A tag's name is a value there.
      const to = isKept ? ['metadata', 'labels', label.key] : [];
      const outcome = isKept ? 'carried' : 'dropped';
      report.add({ outcome, resource, place: label.keyPlace, from, to, value: label.key });
    }
    if (isKept) {
      kept.push({ key: label.key, node: outOf(text), before: label.before });
    }
  }
  return kept;
}

function withGateway(
  spec: OutMap,
  definition: Definition,
  mesh: string,
  { around, report }: Assembly,
): OutMap {
  const found = gatewayOf(definition, mesh, around);
  const name = found ?? standInGateway;
  const to = ['spec', 'virtualGatewayRef', 'name'];
  const resource = subjectOf(definition);
  if (definition.parent !== undefined) {
    reportNamed(definition.parent, to, resource, '', report);
  } else {
    const isSelected = definition.form === 'Kubernetes' && found !== undefined;
    const reason = isSelected
      ? `the selectors of VirtualGateway ${name} take it`
      : found === undefined
        ? `nothing says which gateway it belongs to; ${name} stands in`
        : 'the only gateway of the mesh; the name was a flag of the command';
    report.add({
      outcome: 'defaulted',
      resource,
      place: definition.place,
      to,
      value: name,
      reason,
      isLoss: !isSelected,
    });
  }
  const entries: readonly OutEntry[] = [
    { key: 'virtualGatewayRef', node: outOf({ name }) },
    ...spec.entries,
  ];
  return { ...spec, entries };
}

function withOwner(
  spec: OutMap | undefined,
  owner: Named,
  resource: string,
  { report }: Assembly,
): OutMap | undefined {
  return reportOwner(owner, resource, '', report)
    ? withField(spec ?? emptyOut, 'meshOwner', outOf(owner.text))
    : spec;
}

/** Whether `owner` can be kept. */
function reportOwner(owner: Named, resource: string, reason: string, report: Report): boolean {
  const isId = isAccount(owner.text);
  if (isId) {
    reportNamed(owner, reason === '' ? ['spec', 'meshOwner'] : [], resource, reason, report);
  } else {
    const node = present(owner.node, 'owner');
    const why = ['an owner is an account id of 12 digits', resolution(node).reason];
    report.addLeaves(node, owner.path, {
      outcome: 'dropped',
      resource,
      reason: why.filter((part) => part !== '').join('; '),
      isLoss: !resolution(node).isMissing,
    });
  }
  return isId;
}

/** With the services of its backend groups behind its own, each once. */
function withGroupedBackends(
  spec: OutMap | undefined,
  definition: Definition,
  { names }: Assembly,
): OutMap | undefined {
  const groups = childOf(definition.spec, 'backendGroups');
  if (groups?.kind !== 'list') {
    return spec;
  }
  const services = groups.items.flatMap((item) => names.backendGroup(item.node, definition) ?? []);
  const written = fieldIn(spec, 'backends');
  const own = written?.kind === 'list' ? written.items : [];
  const nameOf = (item: OutItem) =>
    fieldIn(item.node, 'virtualService', 'virtualServiceRef', 'name');
  const known = new Set(own.map((item) => plainText(nameOf(item))));
  const added = [...new Set(services)]
    .filter((service) => !known.has(service))
    .map((name) => ({ node: outOf({ virtualService: { virtualServiceRef: { name } } }) }));
  return withField(spec ?? emptyOut, 'backends', { kind: 'list', items: [...own, ...added] });
}

function plainText(node: OutNode | undefined): string {
  return node?.kind === 'scalar' ? String(node.value) : '';
}

function reportGroup(definition: Definition, report: Report): void {
  const entry = {
    outcome: 'changed',
    resource: subjectOf(definition),
    reason: 'its services are backends of the nodes that name it',
  } as const;
  reportNames(definition, entry, report);
  if (definition.spec !== undefined && textOf(definition.spec) === undefined) {
    report.addLeaves(definition.spec, definition.specPath, entry);
  }
}
