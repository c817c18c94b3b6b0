/** One definition → its resource: identity, converted fields, and what stands elsewhere and belongs to it. */
import { present } from '../base/assert.js';
import { fieldOfSchema, type Schema, schemaOf } from '../decode/schema-walk.js';
import type { Conversion } from './conversion.js';
import { convert } from './convert.js';
import { type Definition, type Named, subjectOf } from './definition.js';
import { labelsOf, reportIdentity, reportNamed, reportOwner } from './identity.js';
import type { Names } from './names.js';
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
import { gatewayOf, type Surroundings, standInGateway } from './placement.js';
import type { Report } from './report.js';
import { type ImportedKind, type Resource, schemaFileOf } from './resource.js';
import { childOf } from './source.js';

/** What all definitions of one import share. */
export interface Assembly {
  readonly around: Surroundings;
  readonly names: Names;
  readonly report: Report;
  readonly hasSeveralMeshes: boolean;
}

/** A definition and the mesh that it is of. */
export interface Placed {
  readonly definition: Definition;
  readonly mesh: string;
}

export function resource(
  { definition, mesh }: Placed,
  kind: ImportedKind,
  assembly: Assembly,
): Resource {
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

/** How the fields of `definition` become those of the resource that `subject` names. */
export function conversionOf(
  definition: Definition,
  subject: string,
  { names, report }: Assembly,
): Conversion {
  return { definition, subject, names, report };
}

/** The schema of what stands below `spec`. */
export function specSchema(kind: ImportedKind): Schema {
  return present(fieldOfSchema(schemaOf(schemaFileOf[kind]), 'spec'), `spec of ${kind}`).schema;
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
