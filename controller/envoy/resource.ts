/**
 * Messages to encoded resources. A resource's version is a hash of its bytes, so that replicas and restarts
 * agree on it without talking.
 */
import { shortHash } from '../base/hash.js';
import { compareText } from '../base/problem.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import { encodeAny, encodeMessage } from './encode.js';
import { contentInterner } from './memo.js';
import {
  type EncodedResource,
  protoTypeOf,
  type ResourceReference,
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

/** Each reference once, by type, name and use. */
function distinct(references: readonly ResourceReference[]): readonly ResourceReference[] {
  const byKey = new Map(references.map((item) => [keyOf(item), item]));
  const keys = [...byKey.keys()].sort(compareText);
  return keys.flatMap((key) => byKey.get(key) ?? []);
}

function keyOf({ type, name, use }: ResourceReference): string {
  return `${type}\n${name}\n${use ?? ''}`;
}
