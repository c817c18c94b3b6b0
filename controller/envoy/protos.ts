/**
 * The protobufjs types of Envoy's messages, from the descriptor that `npm run generate` makes. They are
 * built on first use (about 0.1 s), so that commands which never speak xDS do not pay for them.
 */
import protobuf from 'protobufjs';
import { assert } from '../base/assert.js';
import { descriptorJson } from '../generated/envoy-protos.js';
import type { MessageTypes } from '../generated/envoy-types.js';

export type MessageName = keyof MessageTypes;

let loaded: protobuf.Root | undefined;

/** The root of all types; services are in it too, under their full names. */
export function protoRoot(): protobuf.Root {
  if (loaded === undefined) {
    loaded = protobuf.Root.fromJSON(JSON.parse(descriptorJson));
    loaded.resolveAll();
  }
  return loaded;
}

const typesByName = new Map<string, protobuf.Type>();

/** The type of full name `name`, as `envoy.config.cluster.v3.Cluster`; undefined where it is unknown. */
export function findProtoType(name: string): protobuf.Type | undefined {
  const known = typesByName.get(name);
  if (known !== undefined) {
    return known;
  }
  const found = protoRoot().lookup(name, [protobuf.Type]);
  if (!(found instanceof protobuf.Type)) {
    return undefined;
  }
  typesByName.set(name, found);
  return found;
}

export function protoType(name: MessageName): protobuf.Type {
  const type = findProtoType(name);
  assert(type !== undefined, `${name} is not in the descriptor`);
  return type;
}
