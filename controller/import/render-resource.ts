/** A resource → the text of its file: the line that tells editors its schema, comments, YAML. */
import { Document, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { type OutEntry, type OutMap, type OutNode, outOf } from './output.js';
import { type Resource, schemaFileOf } from './resource.js';

/** `toSchemas`: from the file's folder to that of the schemas. `hasSeveralMeshes`: the mesh is named. */
export function renderResource(
  resource: Resource,
  options: { readonly toSchemas: string; readonly hasSeveralMeshes: boolean },
): string {
  const { kind, name, mesh, labels, spec, comment, madeUp, place } = resource;
  const metadata: OutEntry[] = [{ key: 'name', node: outOf(name) }];
  if (options.hasSeveralMeshes && kind !== 'Mesh') {
    metadata.push({ key: 'mesh', node: outOf(mesh) });
  }
  if (labels.length > 0) {
    metadata.push({ key: 'labels', node: { kind: 'map', entries: labels } });
  }
  const needsSpec = kind !== 'Mesh' && kind !== 'VirtualService';
  const whole: OutMap = {
    kind: 'map',
    entries: [
      { key: 'apiVersion', node: outOf('headgate/v1') },
      { key: 'kind', node: outOf(kind) },
      { key: 'metadata', node: { kind: 'map', entries: metadata } },
      ...(spec === undefined && !needsSpec ? [] : [{ key: 'spec', node: spec ?? outOf({}) }]),
    ],
  };
  const origin =
    madeUp === undefined
      ? `Imported from App Mesh: ${place.file}:${place.line}`
      : `Made up by the import from App Mesh: ${madeUp}.`;
  const header = [
    `# yaml-language-server: $schema=${options.toSchemas}${schemaFileOf[kind]}`,
    `# ${origin.replace(/\s+/g, ' ')}`,
    ...(comment === undefined ? [] : comment.split('\n').map((line) => `#${line}`)),
  ];
  const document = new Document();
  document.contents = nodeOf(whole) as typeof document.contents;
  return `${header.join('\n')}\n${document.toString({ lineWidth: 0 })}`;
}

function nodeOf(out: OutNode): Node {
  const node = bareNode(out);
  if (out.after !== undefined) {
    node.comment = out.after;
  }
  return node;
}

function bareNode(out: OutNode): Node {
  if (out.kind === 'scalar') {
    const scalar = new Scalar(out.value);
    // True and false to readers of YAML 1.1, which other tools still are.
    if (typeof out.value === 'string' && /^(?:y|n|yes|no|on|off)$/i.test(out.value)) {
      scalar.type = Scalar.QUOTE_DOUBLE;
    }
    return scalar;
  }
  if (out.kind === 'list') {
    const list = new YAMLSeq<Node>();
    list.flow = out.items.length === 0;
    for (const item of out.items) {
      const node = nodeOf(item.node);
      node.commentBefore = item.before ?? node.commentBefore;
      list.items.push(node);
    }
    return list;
  }
  const map = new YAMLMap<Scalar, Node>();
  map.flow = out.entries.length === 0;
  for (const entry of out.entries) {
    const key = new Scalar(entry.key);
    key.commentBefore = entry.before;
    map.items.push(new Pair(key, nodeOf(entry.node)));
  }
  return map;
}
