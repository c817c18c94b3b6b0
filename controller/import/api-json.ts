/**
 * What App Mesh's API says and takes, as the AWS CLI prints and reads it: the answers of `describe-…`,
 * `create-…` and `update-…`, the inputs of `create-…` and `update-…` (`--cli-input-json`, where names may
 * have been flags), and the lists, which hold names alone.
 */
import type { FieldPath } from '../mesh/document.js';
import { faultOf, type Reading, strayTag, tagsOf } from './cloudformation.js';
import type { AppMeshKind, Definition, Named } from './definition.js';
import type { Report } from './report.js';
import { childOf, entryOf, type SourceEntry, type SourceNode, textOf } from './source.js';
import { fillPlaceholders, type Values } from './values.js';

type ApiKind = Exclude<AppMeshKind, 'BackendGroup'>;

/** How an answer calls a resource, its list and its name. */
const words: Readonly<Record<ApiKind, readonly [one: string, list: string, name: string]>> = {
  Mesh: ['mesh', 'meshes', 'meshName'],
  VirtualNode: ['virtualNode', 'virtualNodes', 'virtualNodeName'],
  VirtualService: ['virtualService', 'virtualServices', 'virtualServiceName'],
  VirtualRouter: ['virtualRouter', 'virtualRouters', 'virtualRouterName'],
  Route: ['route', 'routes', 'routeName'],
  VirtualGateway: ['virtualGateway', 'virtualGateways', 'virtualGatewayName'],
  GatewayRoute: ['gatewayRoute', 'gatewayRoutes', 'gatewayRouteName'],
};

const apiKinds = Object.keys(words) as readonly ApiKind[];

/** A resource that a list names. */
export interface Listed {
  readonly kind: AppMeshKind;
  readonly name: string;
  readonly node: SourceNode;
  readonly path: FieldPath;
  /** The command that says what a list does not. */
  readonly command: string;
}

interface Context {
  readonly report: Report;
  readonly values: Values;
  readonly listed: Listed[];
}

/** Whether `node` is an answer or an input of App Mesh's API. */
export function isApiJson(node: SourceNode): boolean {
  return (
    findAnswer(node) !== undefined ||
    findList(node) !== undefined ||
    kindOfInput(node) !== undefined
  );
}

export function readApiJson(
  written: SourceNode,
  path: FieldPath,
  context: Context,
): readonly Definition[] {
  const node = fillPlaceholders(written, context.values);
  const list = findList(node);
  if (list !== undefined) {
    context.listed.push(...listedIn(list.kind, list.entry.node, [...path, list.entry.key]));
    reportRest(node, list.entry, path, context.report);
    return [];
  }
  const answer = findAnswer(node);
  if (answer !== undefined) {
    reportRest(node, answer.entry, path, context.report);
    return [readOne(answer.kind, answer.entry.node, [...path, answer.entry.key], context.report)];
  }
  const kind = kindOfInput(node);
  return kind === undefined ? [] : [readOne(kind, node, path, context.report)];
}

function findAnswer(node: SourceNode) {
  return apiKinds.flatMap((kind) => {
    const entry = entryOf(node, words[kind][0]);
    const isOne =
      entry !== undefined &&
      (entryOf(entry.node, 'spec') ?? entryOf(entry.node, words[kind][2])) !== undefined;
    return isOne ? [{ kind, entry }] : [];
  })[0];
}

function findList(node: SourceNode) {
  return apiKinds.flatMap((kind) => {
    const entry = entryOf(node, words[kind][1]);
    const isList =
      entry?.node.kind === 'list' &&
      entry.node.items.every((item) => entryOf(item.node, words[kind][2]) !== undefined);
    return isList ? [{ kind, entry: entry as SourceEntry }] : [];
  })[0];
}

/** By the name that it has, else by what only one kind has in its spec. */
function kindOfInput(node: SourceNode): ApiKind | undefined {
  const spec = entryOf(node, 'spec');
  // A Route names its router too, and a GatewayRoute its gateway.
  const byName = (
    [
      'Route',
      'GatewayRoute',
      'VirtualNode',
      'VirtualService',
      'VirtualRouter',
      'VirtualGateway',
    ] as const
  ).find((kind) => entryOf(node, words[kind][2]) !== undefined);
  const isOfOther = ['apiVersion', 'kind'].some((key) => entryOf(node, key) !== undefined);
  if (isOfOther || (spec === undefined && byName === undefined)) {
    return undefined;
  }
  if (byName === 'VirtualRouter' || byName === 'VirtualGateway') {
    // The name of the router may be all that was written of a Route's own names.
    return (spec === undefined ? undefined : routeKind(spec.node)) ?? byName;
  }
  return byName ?? (spec === undefined ? undefined : kindOfSpec(spec.node)) ?? meshInput(node);
}

function meshInput(node: SourceNode): ApiKind | undefined {
  return entryOf(node, 'meshName') === undefined ? undefined : 'Mesh';
}

function kindOfSpec(spec: SourceNode): ApiKind | undefined {
  const has = (key: string) => entryOf(spec, key) !== undefined;
  if (has('provider')) {
    return 'VirtualService';
  }
  if (has('egressFilter')) {
    return 'Mesh';
  }
  const isNode =
    has('backends') ||
    childOf(spec, 'serviceDiscovery', 'dns') !== undefined ||
    childOf(spec, 'serviceDiscovery', 'awsCloudMap') !== undefined;
  return isNode ? 'VirtualNode' : routeKind(spec);
}

function routeKind(spec: SourceNode): 'Route' | 'GatewayRoute' | undefined {
  for (const route of ['httpRoute', 'http2Route', 'grpcRoute', 'tcpRoute']) {
    const action = childOf(spec, route, 'action');
    if (action !== undefined) {
      return entryOf(action, 'target') === undefined ? 'Route' : 'GatewayRoute';
    }
  }
  return undefined;
}

const parentWords: Partial<Readonly<Record<ApiKind, string>>> = {
  Route: 'virtualRouterName',
  GatewayRoute: 'virtualGatewayName',
};

function readOne(kind: ApiKind, node: SourceNode, path: FieldPath, report: Report): Definition {
  const named = (...keys: string[]): Named | undefined => {
    const found = childOf(node, ...keys);
    const text = textOf(found);
    return text === undefined ? undefined : { text, node: found, path: [...path, ...keys] };
  };
  const nameWord = words[kind][2];
  const nameSource = named(nameWord);
  const name = nameSource?.text ?? nameOfFile(node.place.file);
  const parentWord = parentWords[kind];
  // An owner is only of interest where the mesh was another account's.
  const owner = named('metadata', 'meshOwner') ?? named('meshOwner');
  const isShared =
    owner !== undefined && owner.text !== (named('metadata', 'resourceOwner')?.text ?? '');
  const known: Readonly<Record<string, Reading>> = {
    [nameWord]: 'text',
    meshName: 'text',
    ...(parentWord === undefined ? {} : { [parentWord]: 'text' }),
    ...(isShared ? { meshOwner: 'text' } : {}),
    spec: 'any',
    tags: 'list',
  };
  reportOne(node, path, `${kind} ${name}`, known, report);
  const [first] = node.kind === 'map' ? node.entries : [];
  return {
    kind,
    form: 'API',
    name,
    place: node.place,
    nameSource,
    mesh: kind === 'Mesh' ? undefined : named('meshName'),
    meshOwner: isShared ? owner : undefined,
    parent: parentWord === undefined ? undefined : named(parentWord),
    labels: tagsOf(childOf(node, 'tags'), { key: 'key', value: 'value' }, (stray, index) =>
      report.addLeaves(stray, [...path, 'tags', index], strayTag(`${kind} ${name}`)),
    ),
    labelsPath: [...path, 'tags'],
    spec: childOf(node, 'spec'),
    specPath: [...path, 'spec'],
    comment: first?.before,
    whole: node,
    wholePath: path,
  };
}

/** `dir/orders-node.json` → `orders-node`. */
function nameOfFile(file: string): string {
  const base = file.split('/').at(-1) ?? '';
  return (
    base
      .replace(/\.[^.]*$/, '')
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '') || 'unnamed'
  );
}

function reportOne(
  node: SourceNode,
  path: FieldPath,
  resource: string,
  known: Readonly<Record<string, Reading>>,
  report: Report,
): void {
  const drop = (part: SourceNode, at: FieldPath, reason: string, isLoss = false) =>
    report.addLeaves(part, at, { outcome: 'dropped', resource, reason, isLoss });
  for (const entry of node.kind === 'map' ? node.entries : []) {
    const from = [...path, entry.key];
    const fault = faultOf(entry, known);
    if (entry.key === 'metadata' && entry.node.kind === 'map' && entry.node.entries.length > 0) {
      // The owner of a shared mesh is carried, and so is told of with its mesh.
      const parts = entry.node.entries.filter(
        ({ key }) => !(key === 'meshOwner' && known.meshOwner),
      );
      for (const part of parts) {
        drop(part.node, [...from, part.key], 'App Mesh wrote it');
      }
    } else if (['metadata', 'status', 'meshOwner'].includes(entry.key) && fault !== undefined) {
      drop(entry.node, from, 'App Mesh wrote it');
    } else if (entry.key === 'clientToken') {
      drop(entry.node, from, 'names one call of the API');
    } else if (fault !== undefined) {
      drop(entry.node, from, fault.reason, fault.isLoss);
    }
  }
}

function listedIn(kind: ApiKind, list: SourceNode, path: FieldPath): readonly Listed[] {
  const [one, , nameWord] = words[kind];
  const dashed = (word: string) => word.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return (list.kind === 'list' ? list.items : []).map(({ node }, index) => {
    const flags = [...new Set(['meshName', 'virtualRouterName', 'virtualGatewayName', nameWord])]
      .map((word) => ({ word, text: textOf(childOf(node, word)) }))
      .flatMap(({ word, text }) => (text === undefined ? [] : [`--${dashed(word)} ${text}`]));
    const name = textOf(childOf(node, nameWord)) ?? '';
    const command = `aws appmesh describe-${dashed(one)} ${flags.join(' ')}`;
    return { kind, name, node, path: [...path, index], command };
  });
}

function reportRest(node: SourceNode, but: SourceEntry, path: FieldPath, report: Report): void {
  for (const entry of node.kind === 'map' ? node.entries : []) {
    if (entry !== but) {
      const isToken = entry.key === 'nextToken';
      const reason = isToken
        ? 'the list goes on; fetch the rest of it too'
        : 'no part of the answer in App Mesh';
      const isLoss = !(entry.node.kind === 'scalar' && entry.node.value === null);
      report.addLeaves(entry.node, [...path, entry.key], {
        outcome: 'dropped',
        resource: '',
        reason,
        isLoss,
      });
    }
  }
}
