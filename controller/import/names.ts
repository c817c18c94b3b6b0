/** Who is meant: App Mesh's names of what definitions refer to, over everything that is imported. */
import { type Definition, type Named, subjectOf } from './definition.js';
import { appMeshName } from './kubernetes.js';
import type { ReferredKind } from './references.js';
import { childOf, type SourceNode, textOf } from './source.js';

export interface Names {
  /** The App Mesh name of what `node` names, with the reason where it is spelt otherwise. */
  resolve(
    node: SourceNode,
    kind: ReferredKind,
    from: Definition,
  ): { readonly name: string; readonly reason: string } | undefined;
  /** The virtual services of the backend group that `node` names; undefined: there is no such group. */
  backendGroup(node: SourceNode, from: Definition): readonly string[] | undefined;
  /** How many virtual nodes are found by the same Cloud Map service as `discovery` says. */
  cloudMapUsers(discovery: SourceNode): number;
}

const arn = /^arn:[^:]*:appmesh:[^:]*:[^:]*:mesh\/[^/]+\/virtual(?:Node|Service|Router)\/(.+)$/;

export function createNames(definitions: readonly Definition[]): Names {
  const objects = new Map<string, Definition>();
  const users = new Map<string, number>();
  for (const one of definitions) {
    const key = objectKey(one.kind, one.objectName, one.namespace);
    objects.set(key, objects.get(key) ?? one);
    const discovery = one.kind === 'VirtualNode' ? cloudMapOf(one.spec) : undefined;
    if (discovery !== undefined) {
      const service = cloudMapService(discovery);
      users.set(service, (users.get(service) ?? 0) + 1);
    }
  }
  const find = (kind: Definition['kind'], objectName: string, namespace: string | undefined) =>
    objects.get(objectKey(kind, objectName, namespace));

  function resolve(node: SourceNode, kind: ReferredKind, from: Definition) {
    if (node.kind === 'scalar') {
      const text = textOf(node);
      const named = text === undefined ? undefined : arn.exec(text)?.[1];
      if (text === undefined) {
        return undefined;
      }
      return named === undefined
        ? { name: text, reason: '' }
        : { name: named, reason: 'the name inside the ARN' };
    }
    const objectName = textOf(childOf(node, 'name'));
    if (objectName === undefined) {
      return undefined;
    }
    const namespace = textOf(childOf(node, 'namespace')) ?? from.namespace;
    const found = find(kind, objectName, namespace);
    const name = found?.name ?? appMeshName(kind, objectName, namespace);
    return { name, reason: `${name} was its name in App Mesh` };
  }

  function backendGroup(node: SourceNode, from: Definition): readonly string[] | undefined {
    const namespace = textOf(childOf(node, 'namespace')) ?? from.namespace;
    const name = textOf(childOf(node, 'name')) ?? '';
    if (name === '*') {
      return definitions
        .filter((one) => one.kind === 'VirtualService' && one.namespace === namespace)
        .map((one) => one.name);
    }
    const group = find('BackendGroup', name, namespace);
    const services = childOf(group?.spec, 'virtualservices');
    return group === undefined || services?.kind !== 'list'
      ? undefined
      : services.items.flatMap((item) => resolve(item.node, 'VirtualService', group)?.name ?? []);
  }

  const cloudMapUsers = (discovery: SourceNode) => users.get(cloudMapService(discovery)) ?? 0;
  return { resolve, backendGroup, cloudMapUsers };
}

function objectKey(
  kind: Definition['kind'],
  objectName: string | undefined,
  namespace: string | undefined,
): string {
  return JSON.stringify([kind, objectName ?? null, namespace ?? null]);
}

function cloudMapOf(spec: SourceNode | undefined): SourceNode | undefined {
  return (
    childOf(spec, 'serviceDiscovery', 'awsCloudMap') ??
    childOf(spec, 'ServiceDiscovery', 'AWSCloudMap')
  );
}

function cloudMapService(discovery: SourceNode): string {
  const text = (key: string) =>
    textOf(childOf(discovery, key)) ??
    textOf(childOf(discovery, key.charAt(0).toUpperCase() + key.slice(1))) ??
    '';
  return `${text('serviceName')}.${text('namespaceName')}`;
}

/** Where a definition's own name came from, in words. */
export function nameReason(definition: Definition): string {
  const { nameSource, form, name } = definition;
  if (nameSource === undefined) {
    return form === 'CloudFormation'
      ? `${subjectOf(definition)}: AWS made a name from the logical id; give the one that the node ids have as its name`
      : `${subjectOf(definition)}: the name was a flag of the command; the file's is taken`;
  }
  return nameSource.text === name ? '' : `${name} was its name in App Mesh`;
}

export type { Named };
