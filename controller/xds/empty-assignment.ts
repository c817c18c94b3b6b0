/** A `ClusterLoadAssignment` without endpoints, for an EDS name whose cluster exists and has none. */
import { shortHash } from '../base/hash.js';
import { type EncodedResource, protoTypeOf } from '../envoy/snapshot.js';
import { elementField, fieldHeader, textField } from './wire.js';

/** Fields of `google.protobuf.Any` and of `ClusterLoadAssignment`. */
const anyTypeUrl = 1;
const anyValue = 2;
const assignmentClusterName = 1;

export function emptyAssignment(name: string): EncodedResource {
  const value = textField(assignmentClusterName, name);
  const any = Buffer.concat([
    elementField(anyTypeUrl, `type.googleapis.com/${protoTypeOf.endpoint}`),
    fieldHeader(anyValue, value.length),
    value,
  ]);
  return { name, version: shortHash(any), any, references: [] };
}
