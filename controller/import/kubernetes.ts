/**
 * Custom resources of App Mesh's Kubernetes controller (`appmesh.k8s.aws/v1beta2`). Their names in App Mesh
 * are `name_namespace`, of virtual services `name.namespace`, unless `awsName` says otherwise; a Mesh has
 * no namespace.
 */
import type { FieldPath } from '../mesh/document.js';
import type { AppMeshKind, Definition, Named } from './definition.js';
import type { Report } from './report.js';
import { childOf, type SourceDocument, type SourceNode, textOf } from './source.js';
import { fillPlaceholders, type Values } from './values.js';

export const appMeshGroup = 'appmesh.k8s.aws/';

const kinds = [
  'Mesh',
  'VirtualNode',
  'VirtualService',
  'VirtualRouter',
  'VirtualGateway',
  'GatewayRoute',
  'BackendGroup',
] as const satisfies readonly AppMeshKind[];

const bookkeeping = "Kubernetes' own bookkeeping";

/** The definition that `written`, at `path` of its document, is. */
export function readKubernetes(
  written: SourceNode,
  path: FieldPath,
  document: SourceDocument,
  context: { readonly report: Report; readonly values: Values },
): Definition | undefined {
  const { report } = context;
  const node = fillPlaceholders(written, context.values);
  const kind = kinds.find((known) => known === textOf(childOf(node, 'kind')));
  const objectName = textOf(childOf(node, 'metadata', 'name'));
  const version = textOf(childOf(node, 'apiVersion')) ?? '';
  if (kind === undefined || objectName === undefined || version !== `${appMeshGroup}v1beta2`) {
    const what = `${textOf(childOf(node, 'kind')) ?? 'an object without a kind'} ${objectName ?? 'without a name'} of ${version}`;
    const reason = `${what} is not read; known are ${kinds.join(', ')} of ${appMeshGroup}v1beta2, each with a name`;
    report.add({
      outcome: 'skipped',
      resource: '',
      place: node.place,
      from: path,
      reason,
      isLoss: true,
    });
    return undefined;
  }
  const namespace =
    kind === 'Mesh' ? undefined : (textOf(childOf(node, 'metadata', 'namespace')) ?? 'default');
  const awsName = childOf(node, 'spec', 'awsName');
  const name = textOf(awsName) ?? appMeshName(kind, objectName, namespace);
  const subject = `${kind} ${name}`;
  const nameSource: Named =
    textOf(awsName) === undefined
      ? {
          text: objectName,
          node: childOf(node, 'metadata', 'name'),
          path: [...path, 'metadata', 'name'],
        }
      : { text: name, node: awsName, path: [...path, 'spec', 'awsName'] };
  reportHead(node, path, { subject, hasAwsName: textOf(awsName) !== undefined, name }, report);
  const labels = childOf(node, 'metadata', 'labels');
  const [first] = node.kind === 'map' ? node.entries : [];
  return {
    kind,
    form: 'Kubernetes',
    name,
    place: document.root === written ? document.place : node.place,
    nameSource,
    objectName,
    namespace,
    labels: labels?.kind === 'map' ? labels.entries : [],
    labelsPath: [...path, 'metadata', 'labels'],
    spec: childOf(node, 'spec'),
    specPath: [...path, 'spec'],
    comment: first?.before,
    whole: node,
    wholePath: path,
  };
}

/** How the controller called what it made of an object in App Mesh. */
export function appMeshName(
  kind: AppMeshKind,
  name: string,
  namespace: string | undefined,
): string {
  if (namespace === undefined) {
    return name;
  }
  return kind === 'VirtualService' ? `${name}.${namespace}` : `${name}_${namespace}`;
}

function reportHead(
  node: SourceNode,
  path: FieldPath,
  head: { readonly subject: string; readonly hasAwsName: boolean; readonly name: string },
  report: Report,
): void {
  const { subject: resource, hasAwsName, name } = head;
  for (const entry of node.kind === 'map' ? node.entries : []) {
    const from = [...path, entry.key];
    switch (entry.key) {
      case 'apiVersion':
        report.addLeaves(entry.node, from, {
          outcome: 'changed',
          resource,
          to: from.slice(-1),
          reason: 'is headgate/v1',
        });
        break;
      case 'kind':
        report.addLeaves(entry.node, from, { outcome: 'carried', resource, to: from.slice(-1) });
        break;
      case 'metadata':
        reportMetadata(entry.node, from, { resource, hasAwsName, name }, report);
        break;
      case 'spec':
        break;
      case 'status':
        report.addLeaves(entry.node, from, {
          outcome: 'dropped',
          resource,
          reason: 'App Mesh wrote it',
        });
        break;
      default: {
        const reason = 'no field of a Kubernetes object';
        report.addLeaves(entry.node, from, { outcome: 'dropped', resource, reason, isLoss: true });
      }
    }
  }
}

function reportMetadata(
  metadata: SourceNode,
  path: FieldPath,
  head: { readonly resource: string; readonly hasAwsName: boolean; readonly name: string },
  report: Report,
): void {
  const { resource, hasAwsName, name } = head;
  for (const entry of metadata.kind === 'map' ? metadata.entries : []) {
    const from = [...path, entry.key];
    switch (entry.key) {
      case 'labels':
        if (entry.node.kind !== 'map' || entry.node.entries.length === 0) {
          const reason = 'there are no labels in it';
          report.addLeaves(entry.node, from, { outcome: 'dropped', resource, reason });
        }
        break;
      case 'name':
        if (hasAwsName) {
          const reason = `spec.awsName is the name; what refers to this one names ${name} here`;
          report.addLeaves(entry.node, from, { outcome: 'dropped', resource, reason });
        }
        break;
      case 'namespace':
        report.addLeaves(entry.node, from, {
          outcome: hasAwsName ? 'dropped' : 'changed',
          resource,
          to: hasAwsName ? undefined : ['metadata', 'name'],
          reason: hasAwsName
            ? 'spec.awsName is the whole name; there are no namespaces here'
            : `part of the name in App Mesh, ${name}; there are no namespaces here`,
        });
        break;
      case 'annotations':
        report.addLeaves(entry.node, from, {
          outcome: 'dropped',
          resource,
          reason: 'annotations have no meaning here',
        });
        break;
      default:
        report.addLeaves(entry.node, from, { outcome: 'dropped', resource, reason: bookkeeping });
    }
  }
}
