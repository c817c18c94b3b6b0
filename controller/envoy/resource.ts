/**
 * Messages to encoded resources, and those to the set of one type. A resource's version is a hash of its
 * bytes, a set's a hash of what is in it, so that replicas and restarts agree on both without talking.
 */
import { shortHash } from '../base/hash.js';
import { compareText } from '../base/problem.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import { encodeAny, encodeMessage } from './encode.js';
import { contentInterner, identityMemo } from './memo.js';
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
  return internResource(version, { name, version, any, references: distinct(references) });
}

/** The set of `resources`; of several with one name, which must be equal, one is kept. */
export function resourceSet(resources: readonly EncodedResource[]): ResourceSet {
  return sets(resources, '', () => {
    const sorted = [...resources].sort((left, right) => compareText(left.name, right.name));
    const byName = new Map(sorted.map((resource) => [resource.name, resource]));
    const parts = [...byName.values()].map(({ name, version }) => `${name}\n${version}\n`);
    const version = shortHash(parts.join(''));
    return internSet(version, { version, byName });
  });
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
