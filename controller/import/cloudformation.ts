/**
 * `AWS::AppMesh::…` in CloudFormation templates, YAML or JSON. Only what belongs to App Mesh is worked
 * out; the rest of a template is named as skipped.
 */
import type { FieldPath } from '../mesh/document.js';
import { type AppMeshKind, type Definition, type Named, subjectOf } from './definition.js';
import { conditionHolds, evaluate, nameProperties, ownName, type Template } from './intrinsics.js';
import type { LeavesEntry, Report } from './report.js';
import {
  childOf,
  entryOf,
  FaultError,
  type SourceDocument,
  type SourceEntry,
  type SourceMap,
  type SourceNode,
  textOf,
} from './source.js';
import type { Values } from './values.js';

const typePrefix = 'AWS::AppMesh::';

/** Whether `node` is a template: it has resources with types. */
export function isTemplate(node: SourceNode): node is SourceMap {
  const resources = childOf(node, 'Resources');
  return (
    resources?.kind === 'map' &&
    resources.entries.some((entry) => textOf(childOf(entry.node, 'Type')) !== undefined)
  );
}

export function readTemplate(
  root: SourceMap,
  path: FieldPath,
  context: { readonly report: Report; readonly values: Values; readonly document: SourceDocument },
): readonly Definition[] {
  const { report, values } = context;
  for (const entry of root.entries.filter(({ key }) => key !== 'Resources')) {
    const isKnown = Object.hasOwn(sections, entry.key);
    const reason = (isKnown ? sections[entry.key] : undefined) ?? 'no part of App Mesh';
    report.add({
      outcome: 'skipped',
      resource: '',
      place: entry.node.place,
      from: [...path, entry.key],
      reason,
    });
  }
  const resources = childOf(root, 'Resources');
  const definitions: Definition[] = [];
  for (const entry of resources?.kind === 'map' ? resources.entries : []) {
    const from = [...path, 'Resources', entry.key];
    if (entry.key.startsWith('Fn::')) {
      const processed = 'aws cloudformation get-template --template-stage Processed';
      throw new FaultError(
        entry.keyPlace,
        `${entry.key} makes resources that only AWS can work out; import what \`${processed}\` prints`,
      );
    }
    const type = textOf(childOf(entry.node, 'Type')) ?? '';
    if (!Object.hasOwn(nameProperties, type)) {
      const isOfAppMesh = type.startsWith(typePrefix);
      const reason = isOfAppMesh
        ? `${type} is no resource that App Mesh had`
        : `${type || 'a resource without a type'} is none of App Mesh's`;
      report.add({
        outcome: 'skipped',
        resource: '',
        place: entry.node.place,
        from,
        value: entry.key,
        reason,
        isLoss: isOfAppMesh,
      });
      continue;
    }
    const kind = type.slice(typePrefix.length) as AppMeshKind;
    const base = { root, values, open: new Set<string>() };
    const resource = subjectOf({ kind, name: nameOf(entry, base) });
    const onSpent: Template['onSpent'] = (node, at, reason) =>
      report.addLeaves(node, at, { outcome: 'dropped', resource, reason });
    const definition = readResource(kind, entry, from, { ...base, onSpent }, report);
    definitions.push(...(definition === undefined ? [] : [definition]));
  }
  return definitions;
}

/** As the definition will be called, for what is said before it is read. */
function nameOf(entry: SourceEntry, base: Omit<Template, 'onSpent'>): string {
  const name = ownName(entry.key, entry.node, { ...base, onSpent: () => undefined });
  return name?.text ?? entry.key;
}

const sections: Readonly<Record<string, string>> = {
  AWSTemplateFormatVersion: 'the form of the template',
  Description: 'the description of the template; no resource is meant',
  Metadata: 'what the template says of itself',
  Parameters: 'put in where they are used',
  Mappings: 'put in where they are used',
  Conditions: 'decided where they are used',
  Rules: 'checked by AWS when a stack is made',
  Outputs: 'for other stacks; a mesh repository is one whole',
};

/** What names the router of a route, and the gateway of a gateway route. */
const parentProperties: Readonly<Record<string, string>> = {
  Route: 'VirtualRouterName',
  GatewayRoute: 'VirtualGatewayName',
};

function readResource(
  kind: AppMeshKind,
  entry: SourceEntry,
  path: FieldPath,
  template: Template,
  report: Report,
): Definition | undefined {
  const condition = entryOf(entry.node, 'Condition');
  const conditionName = textOf(condition?.node);
  if (condition !== undefined && conditionName !== undefined) {
    if (!conditionHolds(conditionName, condition.node.place, template)) {
      const reason = `condition ${conditionName} is false with these parameters`;
      report.addLeaves(entry.node, path, {
        outcome: 'dropped',
        resource: `${kind} ${entry.key}`,
        reason,
      });
      return undefined;
    }
  }
  const written = childOf(entry.node, 'Properties');
  if (written?.kind !== 'map') {
    throw new FaultError(entry.keyPlace, `the resource ${entry.key} has no Properties`);
  }
  const propertiesPath = [...path, 'Properties'];
  const properties = evaluate(written, template, propertiesPath) as SourceNode;
  const named = (property: string): Named | undefined => {
    const node = childOf(properties, property);
    const text = textOf(node);
    return text === undefined ? undefined : { text, node, path: [...propertiesPath, property] };
  };
  const nameProperty = nameProperties[`${typePrefix}${kind}`] as string;
  const nameSource = named(nameProperty);
  const name = nameSource?.text ?? entry.key;
  const parentProperty = parentProperties[kind];
  const known: Readonly<Record<string, Reading>> = {
    [nameProperty]: 'text',
    MeshName: 'text',
    MeshOwner: 'text',
    ...(parentProperty === undefined ? {} : { [parentProperty]: 'text' }),
    Tags: 'list',
    Spec: 'any',
  };
  reportResource(entry, properties, { path, subject: `${kind} ${name}`, known }, report);
  return {
    kind,
    form: 'CloudFormation',
    name,
    place: entry.keyPlace,
    nameSource,
    mesh: kind === 'Mesh' ? undefined : named('MeshName'),
    meshOwner: named('MeshOwner'),
    parent: parentProperty === undefined ? undefined : named(parentProperty),
    labels: tagsOf(childOf(properties, 'Tags'), { key: 'Key', value: 'Value' }, (node, index) =>
      report.addLeaves(node, [...propertiesPath, 'Tags', index], strayTag(`${kind} ${name}`)),
    ),
    labelsPath: [...propertiesPath, 'Tags'],
    spec: childOf(properties, 'Spec'),
    specPath: [...propertiesPath, 'Spec'],
    comment: entry.before,
    whole: entry.node,
    wholePath: path,
  };
}

/** Tags as labels: the entry's key is the tag's, its value the node that holds the tag's value. */
export function tagsOf(
  tags: SourceNode | undefined,
  words: { readonly key: string; readonly value: string },
  onStray: (node: SourceNode, index: number) => void,
): readonly SourceEntry[] {
  return (tags?.kind === 'list' ? tags.items : []).flatMap(({ node }, index) => {
    const name = entryOf(node, words.key);
    const text = textOf(name?.node);
    const held = childOf(node, words.value);
    if (name === undefined || text === undefined || held === undefined) {
      onStray(node, index);
      return [];
    }
    return [{ key: text, keyPlace: name.node.place, node: held }];
  });
}

/** What is said of a tag without a name or a value. */
export function strayTag(resource: string): LeavesEntry {
  return { outcome: 'dropped', resource, reason: 'a tag has a key and a value', isLoss: true };
}

function reportResource(
  entry: SourceEntry,
  properties: SourceNode,
  names: {
    readonly path: FieldPath;
    readonly subject: string;
    readonly known: Readonly<Record<string, Reading>>;
  },
  report: Report,
): void {
  const { path, subject: resource, known } = names;
  for (const part of entry.node.kind === 'map' ? entry.node.entries : []) {
    const from = [...path, part.key];
    if (part.key === 'Type') {
      report.addLeaves(part.node, from, { outcome: 'carried', resource, to: ['kind'] });
    } else if (part.key !== 'Properties') {
      const reason = 'how CloudFormation treats the resource; here one commit is one whole';
      report.addLeaves(part.node, from, { outcome: 'dropped', resource, reason });
    }
  }
  for (const part of properties.kind === 'map' ? properties.entries : []) {
    const fault = faultOf(part, known);
    if (fault !== undefined) {
      const from = [...path, 'Properties', part.key];
      report.addLeaves(part.node, from, { outcome: 'dropped', resource, ...fault });
    }
  }
}

/** What a property is read as. */
export type Reading = 'text' | 'list' | 'any';

/** Why `entry` is not read, where it is not: nobody knows it, or it is not what it should be. */
export function faultOf(
  { key, node }: SourceEntry,
  known: Readonly<Record<string, Reading>>,
): { readonly reason: string; readonly isLoss: boolean } | undefined {
  const reading = Object.hasOwn(known, key) ? known[key] : undefined;
  if (reading === undefined) {
    return { reason: `App Mesh has no ${key} there`, isLoss: true };
  }
  if (reading === 'text' && textOf(node) === undefined) {
    return { reason: 'a text is expected there', isLoss: true };
  }
  // An empty list is one of no tags, which is no loss, and nothing that could be carried.
  const isEmpty = reading === 'list' && !(node.kind === 'list' && node.items.length > 0);
  return isEmpty
    ? { reason: 'a list of tags is expected there', isLoss: node.kind !== 'list' }
    : undefined;
}
