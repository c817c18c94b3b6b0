/**
 * Snapshots for tests that look at what is sent and not into it: a resource's bytes are its name and
 * variant. Equal resources and equal sets are the same object, as those of `envoy/` are.
 */
import { shortHash } from '../../controller/base/hash.js';
import type {
  EncodedResource,
  ResourceReference,
  ResourceSet,
  Snapshot,
} from '../../controller/envoy/snapshot.js';

const resources = new Map<string, EncodedResource>();
const sets = new Map<string, ResourceSet>();

/** `references` as `cluster a`. */
export function plainResource(
  name: string,
  variant: string,
  references: readonly ResourceReference[] = [],
): EncodedResource {
  const text = `${name}:${variant}>${references.map((each) => `${each.type} ${each.name}`)}`;
  const version = shortHash(text);
  const known = resources.get(version) ?? { name, version, any: Buffer.from(text), references };
  resources.set(version, known);
  return known;
}

export function plainSet(members: readonly EncodedResource[]): ResourceSet {
  const sorted = [...members].sort((left, right) => (left.name < right.name ? -1 : 1));
  const version = shortHash(sorted.map((each) => `${each.name} ${each.version}`).join('\n'));
  const byName = new Map(sorted.map((each) => [each.name, each]));
  const known = sets.get(version) ?? { version, byName };
  sets.set(version, known);
  return known;
}

export function plainSnapshot(
  members: Partial<Record<keyof Snapshot, readonly EncodedResource[]>>,
): Snapshot {
  return {
    cluster: plainSet(members.cluster ?? []),
    endpoint: plainSet(members.endpoint ?? []),
    listener: plainSet(members.listener ?? []),
    route: plainSet(members.route ?? []),
    secret: plainSet(members.secret ?? []),
  };
}
