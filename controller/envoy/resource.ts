/**
 * Messages to encoded resources, and those to the set of one type. A resource's version is a hash of its
 * bytes, a set's a hash of what is in it, so that replicas and restarts agree on both without talking.
 */
import { shortHash } from '../base/hash.js';
import { compareText } from '../base/problem.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import { encodeAny, encodeMessage } from './encode.js';
import { contentInterner, identityMemo } from './memo.js';
import type { PatchedList } from './patched-list.js';
import {
  type EncodedResource,
  protoTypeOf,
  type ResourceReference,
  type ResourceSet,
  type ResourceType,
} from './snapshot.js';

/** The message of each type of resource. */
export interface ResourceMessages {
  readonly cluster: MessageTypes['envoy.config.cluster.v3.Cluster'];
  readonly endpoint: MessageTypes['envoy.config.endpoint.v3.ClusterLoadAssignment'];
  readonly listener: MessageTypes['envoy.config.listener.v3.Listener'];
  readonly route: MessageTypes['envoy.config.route.v3.RouteConfiguration'];
  readonly secret: MessageTypes['envoy.extensions.transport_sockets.tls.v3.Secret'];
}

const internResource = contentInterner<EncodedResource>();
const internSet = contentInterner<ResourceSet>();
const sets = identityMemo<ResourceSet>();
const listedSets = identityMemo<ResourceSet>();

/** The path to the set of a list of thousands is longer than the way to make it. */
const keptListMax = 64;

/** `name` is the one inside `message`; `references` are what it needs to be served beside it. */
export function encodeResource<T extends ResourceType>(
  type: T,
  name: string,
  message: ResourceMessages[T],
  references: readonly ResourceReference[],
): EncodedResource {
  const typeName = protoTypeOf[type] as 'envoy.config.cluster.v3.Cluster';
  return resourceOf(type, name, encodeMessage(typeName, message as object), references);
}

/** The resource whose message is encoded already, as `bytes`. */
export function resourceOf(
  type: ResourceType,
  name: string,
  bytes: Uint8Array,
  references: readonly ResourceReference[],
): EncodedResource {
  const any = encodeAny(protoTypeOf[type], bytes);
  const version = shortHash(any);
  return internResource(version, () => ({
    name,
    version,
    any,
    references: distinct(references),
  }));
}

/** What a resource that is put together from encoded parts is made of. */
export interface ResourceParts {
  readonly name: string;
  /** A hash of the parts, which stands for the bytes: the same parts are the same bytes. */
  readonly version: string;
  /** Each once, sorted. */
  readonly references: readonly ResourceReference[];
  /** The encoded `google.protobuf.Any`; not asked for where the resource is known already. */
  readonly encode: () => Buffer;
}

/** The resource of `parts`: thousands of them are neither copied nor hashed more often than they must. */
export function resourceOfParts({
  name,
  version,
  references,
  encode,
}: ResourceParts): EncodedResource {
  return internResource(version, () => ({ name, version, any: encode(), references }));
}

/** The set of `resources`; of several with one name, which must be equal, one is kept. */
export function resourceSet(resources: readonly EncodedResource[]): ResourceSet {
  return resources.length > keptListMax
    ? sortedSet(resources)
    : sets(resources, '', () => sortedSet(resources));
}

function sortedSet(resources: readonly EncodedResource[]): ResourceSet {
  const sorted = [...resources].sort((left, right) => compareText(left.name, right.name));
  return setOf(new Map(sorted.map((resource) => [resource.name, resource])));
}

function setOf(byName: ReadonlyMap<string, EncodedResource>): ResourceSet {
  const parts = Array.from(byName.values(), ({ name, version }) => `${name}\n${version}\n`);
  const version = shortHash(parts.join(''));
  return internSet(version, () => ({ version, byName }));
}

/**
 * The set of all resources of `lists` and of `others`. Where a list differs from the one that it was made
 * from in what resources are and not in which there are, only those are put into that one's set.
 */
export function listedSet(
  lists: readonly PatchedList<readonly EncodedResource[]>[],
  others: readonly EncodedResource[] = [],
): ResourceSet {
  return listedSets([...lists, ...others], String(lists.length), () => {
    const changed = lists.map(changedInPlace);
    if (lists.every(({ patch }) => patch === undefined) || changed.includes(undefined)) {
      return resourceSet([...lists.flatMap(({ items }) => items.flat()), ...others]);
    }
    const base = listedSet(
      lists.map((list) => list.patch?.base ?? list),
      others,
    );
    const byName = new Map(base.byName);
    for (const resource of changed.flatMap((list) => list ?? [])) {
      byName.set(resource.name, resource);
    }
    return setOf(byName);
  });
}

/** What `list` has that its base has not; undefined where it has other names. */
function changedInPlace({
  items,
  patch,
}: PatchedList<readonly EncodedResource[]>): readonly EncodedResource[] | undefined {
  const places = patch?.places ?? [];
  const isInPlace = places.every((place) => {
    const [before, after] = [patch?.base.items[place] ?? [], items[place] ?? []];
    return (
      before.length === after.length &&
      before.every(({ name }, index) => name === after[index]?.name)
    );
  });
  return isInPlace ? places.flatMap((place) => items[place] ?? []) : undefined;
}

/** Each reference once, by type, name and use. */
function distinct(references: readonly ResourceReference[]): readonly ResourceReference[] {
  const byKey = new Map(references.map((item) => [keyOf(item), item]));
  const keys = [...byKey.keys()].sort(compareText);
  return keys.flatMap((key) => byKey.get(key) ?? []);
}

function keyOf({ type, name, use }: ResourceReference): string {
  return `${type}\n${name}\n${use ?? ''}`;
}
